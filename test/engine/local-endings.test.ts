// The ends of runs that are not stored, two at a time: whatever the code does, one wins, and nothing is left behind.
import { expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { moving, noUnhandledRejections, onStage, turns } from './stage.ts'

noUnhandledRejections()

type End = 'cancel' | 'timeout' | 'stop' | 'shutdown' | 'none'

const codes: Readonly<Record<End, string>> = {
  cancel: 'run_cancelled',
  shutdown: 'run_cancelled',
  timeout: 'timed_out',
  stop: 'engine_stopped',
  none: 'engine_stopped',
}

const hangs = (): Promise<never> => new Promise(() => undefined)

/** What became of a run that meets one end, and 50 ms later another, and at last a stop. */
async function meets(first: End, second: End, { isBodyOver = false, cleanUp = (): unknown => undefined } = {}) {
  const job = worker('job', { durable: false, retry: { attempts: 2, base: '1h' } }, async (ctx) => {
    ctx.defer(cleanUp)
    if (!isBodyOver) await hangs()
    return 'done'
  })
  const { troupe, clock, log } = await onStage({ definitions: [job] })
  const handle = await troupe.call(job, undefined, first === 'timeout' ? { timeout: '1s' } : {})
  const ended = handle.result().catch((error: { code: string }) => error.code)
  await turns(3)
  const asked: Promise<unknown>[] = []
  const from = clock.monotonic()
  const meet = (end: End): void => {
    if (end === 'cancel') asked.push(handle.cancel())
    if (end === 'stop') asked.push(troupe.stop({ within: 500 }))
    if (end === 'shutdown') asked.push(troupe.shutdown())
  }
  meet(first)
  await clock.advance(first === 'timeout' ? 1_000 : 50)
  meet(second)
  await moving(clock, troupe.stop({ within: 500 }))
  await moving(clock, Promise.all(asked))
  await turns()
  expect(clock.monotonic() - from).toBeLessThan(7_000)
  expect(clock.armedTimers).toBe(0)
  expect(log.lines.filter(({ message }) => message.includes('stopping'))).toEqual([])
  return ended
}

const firsts: readonly End[] = ['cancel', 'timeout', 'stop', 'shutdown', 'none']
const seconds: readonly End[] = ['cancel', 'stop', 'shutdown']
const pairs = firsts.flatMap((first) => seconds.map((second) => [first, second] as const))

// A stop waits, so whatever comes meanwhile is earlier.
const winner = (first: End, second: End): End => (first === 'stop' || first === 'none' ? second : first)

it.each(pairs)('%s, then %s: code that hears nothing is left', async (first, second) => {
  expect(await meets(first, second)).toBe(codes[winner(first, second)])
})

it.each(pairs)('%s, then %s: a clean-up that hangs keeps no end from coming', async (first, second) => {
  expect(await meets(first, second, { cleanUp: hangs })).toBe(codes[winner(first, second)])
})

it.each(pairs)('%s, then %s: work that was done before stays done', async (first, second) => {
  expect(await meets(first, second, { isBodyOver: true, cleanUp: hangs })).toBe('done')
})
