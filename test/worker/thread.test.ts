// Workers in threads: the same context, messages, errors and ends as any other, and code that cannot hurt the process.
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { isTroupeError, PermanentError, RetryAfterError, ValidationError, worker } from '../../src/index.ts'
import type { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, noUnhandledRejections, onStage, rejection, turns } from '../engine/stage.ts'
import { workersFolder } from './folder.ts'
import * as work from './thread/work.ts'

noUnhandledRejections()

const definitions = Object.values(work).filter((one) => typeof one !== 'function')
/** Awaits a promise while time moves on in steps that leave threads time to answer. */
async function nudging<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = (): void => void (isSettled = true)
  promise.then(settle, settle)
  while (!isSettled) await clock.advance(10).then(() => turns(20))
  return promise
}

const thread = new URL('./thread/work.ts', import.meta.url)

describe('a worker in a thread', () => {
  it('runs outside the thread of the engine, and its thread is used again', async () => {
    const { troupe } = await onStage({ definitions, pools: { thread: { max: 1 } } })
    const first = await troupe.run(work.where)
    expect(first).not.toBe(threadId)
    expect(await troupe.run(work.double, 21)).toBe(42)
    expect(await troupe.run(work.where)).toBe(first)
  })

  it('is registered by its name alone, with its code in the file that is named', async () => {
    const { troupe, clock } = await onStage()
    const named = await troupe.register<number, string>('named', { thread })
    expect(await nudging(clock, troupe.run(named, 7))).toBe(await nudging(clock, troupe.run('named', 7)))
  })

  it('gives its actor back at a checkpoint, and goes on from there', async () => {
    const { troupe, clock } = await onStage({ definitions })
    expect(await nudging(clock, troupe.run(work.walk, 3))).toEqual([1, [0, 1, 2]])
  })

  it('has the whole context: who it is, settings, state, messages, progress, log lines, sleep', async () => {
    const config = { api: { base: 'http://x', make: () => 1 } }
    const { troupe, clock, log } = await onStage({ definitions, config })
    const handle = await troupe.call(work.look, new Date('2026-02-03'))
    expect(await nudging(clock, handle.result())).toEqual({
      workerName: 'look',
      runId: handle.id,
      attempt: 2,
      key: handle.id,
      isDevelopment: false,
      isProduction: false,
      same: true,
      year: 2026,
      base: 'http://x',
      n: 2,
    })
    expect([await handle.recv(), await handle.recv(), await handle.recv()]).toEqual([
      { at: new Map([[1, 'now']]) },
      { at: new Map([[2, 'now']]) },
      undefined,
    ])
    expect((await handle.status()).progress).toEqual({ done: 2, total: 2 })
    const lines = log.lines.filter(({ message }) => message.includes('[Worker:look'))
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      `info [Worker:look run:${handle.id}] attempt 1`,
      `info [Worker:look run:${handle.id}] attempt 2`,
    ])
    expect(lines.map(({ fields }) => fields['big'])).toEqual(['2n', '2n'])
    expect(await troupe.attempts(handle.id)).toMatchObject([{ attempt: 1, error: { message: 'not yet' } }])
  })

  it('can be durable: false', async () => {
    const { troupe } = await onStage({ definitions })
    expect(await Promise.all([1, 2, 3].map((n) => troupe.run(work.local, n)))).toEqual([2, 4, 6])
    expect(await troupe.runs()).toEqual([])
  })

  it('tells its errors with class, code and cause, so they mean what they mean', async () => {
    const { troupe, clock } = await onStage({ definitions })
    const permanent = await rejection(troupe.run(work.failing, 'permanent'))
    expect(permanent).toBeInstanceOf(PermanentError)
    expect(permanent.cause).toMatchObject({ name: 'TypeError', message: 'root', code: 'E_ROOT' })
    expect(await rejection(troupe.run(work.failing, 'validation'))).toBeInstanceOf(ValidationError)
    const odd = await rejection(nudging(clock, troupe.run(work.failing, 'odd')))
    expect(odd).toBeInstanceOf(SyntaxError)
    expect(odd).toMatchObject({ message: 'odd', code: 'E_ODD', cause: { name: 'TypeError' } })
    const runs = await troupe.runs({ name: 'failing' })
    expect(runs.map(({ attempt }) => attempt)).toEqual([3, 1, 1])
    const later = await troupe.call(work.failing, 'later')
    await eventually(async () => (await later.status()).state === 'scheduled')
    expect((await later.status()).dueAt).toBe(clock.now() + 120_000)
    const [attempt] = await troupe.attempts(later.id)
    expect(attempt?.error).toBeInstanceOf(RetryAfterError)
  })

  it('fails with what it returned when that cannot be stored, and is not tried again', async () => {
    const { troupe } = await onStage({ definitions })
    const handle = await troupe.call(work.failing, 'function')
    expect(await rejection(handle.result())).toMatchObject({ code: 'value_not_storable' })
    expect((await handle.status()).attempt).toBe(1)
  })

  it('puts an attempt off, as any other', async () => {
    const { troupe, clock } = await onStage({ definitions })
    const handle = await troupe.call(work.snoozing)
    expect(await handle.recv()).toBe('tidied 0')
    await eventually(async () => (await handle.status()).state === 'scheduled')
    await clock.advance(60_000)
    expect(await handle.recv()).toBe('tidied 1')
    expect(await handle.result()).toBe(1)
  })

  it('may be finished from outside', async () => {
    const { troupe } = await onStage({ definitions })
    const handle = await troupe.call(work.outside)
    const token = (await handle.recv()) as string
    await eventually(async () => (await handle.status()).state === 'parked')
    await troupe.complete(token, { from: 'outside' })
    expect(await handle.result()).toEqual({ from: 'outside' })
  })

  it('is held up when it says more than is taken in, and is told what was dropped', async () => {
    const { troupe } = await onStage({ definitions })
    const handle = await troupe.call(work.talkative, 3_500)
    expect(await handle.result()).toBe(3_000)
    let last: unknown
    let count = 0
    for await (const message of handle) [last, count] = [message, count + 1]
    expect([last, count]).toEqual([3_000, 3_000])
  })

  it('has timed out when it gave no sign of life', async () => {
    const { troupe, clock } = await onStage({ definitions })
    const handle = await troupe.call(work.quiet)
    expect(await handle.recv()).toBe('begun')
    await clock.advance(1_000)
    await clock.advance(1_000)
    expect(await rejection(handle.result())).toMatchObject({ code: 'timed_out', details: { heartbeatMs: 1_000 } })
  })
})

describe('what is deferred in a thread', () => {
  it.each([
    ['returns', true],
    ['throws', { message: 'no' }],
    ['times out', { code: 'timed_out' }],
    ['ignores', { code: 'timed_out' }],
    ['is cancelled', { code: 'run_cancelled' }],
  ])('runs there, the last one first, when the attempt %s', async (ending, expected) => {
    const { troupe, clock } = await onStage({ definitions })
    const handle = await troupe.call(work.waiting, ending)
    expect(await handle.recv()).toBe('begun')
    const cancelled = ending === 'is cancelled' ? handle.cancel('enough') : undefined
    if (['ignores', 'times out'].includes(ending)) await clock.advance(1_000)
    if (ending === 'ignores') expect(await handle.recv()).toBe('told')
    if (ending === 'ignores') await clock.advance(1_000)
    expect([await handle.recv(), await handle.recv(), await handle.recv()]).toEqual([
      'last deferred',
      'first deferred',
      undefined,
    ])
    if (expected === true) expect(await handle.result()).toEqual(expect.any(Number))
    else expect(await rejection(handle.result())).toMatchObject(expected as object)
    expect(await cancelled).toBe(ending === 'is cancelled' ? true : undefined)
  })

  it('is told when it fails, and changes no result', async () => {
    const { troupe, log } = await onStage({ definitions })
    expect(await troupe.run(work.waiting, 'dirty')).toEqual(expect.any(Number))
    expect(log.lines.map(({ message }) => message)).toContain("a clean-up of 'waiting' failed: could not tidy up")
  })
})

describe('a loop that never yields', () => {
  it('D13: is ended a second after its signal when its time is up, and not before', async () => {
    const { troupe, clock, log } = await onStage({ definitions, pools: { thread: { max: 1 } } })
    const before = await troupe.run(work.where)
    const handle = await troupe.call(work.spin)
    expect(await handle.recv()).toBe('begun')
    await clock.advance(1_000)
    await clock.advance(999)
    await turns()
    expect((await handle.status()).state).toBe('running')
    await clock.advance(1)
    expect(await rejection(handle.result())).toMatchObject({ code: 'timed_out', details: { timeoutMs: 1_000 } })
    expect(log.lines.map(({ message }) => message)).toContain(
      "worker 'spin' went on after its signal: its thread was ended",
    )
    const after = await troupe.run(work.where)
    expect([after === before, typeof after]).toEqual([false, 'number'])
  })

  it('is ended when it is cancelled, and who cancelled waits for that', async () => {
    const { troupe, clock } = await onStage({ definitions })
    const handle = await troupe.call(work.spin)
    await handle.recv()
    const cancelled = handle.cancel('enough')
    await turns()
    await clock.advance(1_000)
    expect(await cancelled).toBe(true)
    expect(await rejection(handle.result())).toMatchObject({ code: 'run_cancelled' })
  })

  it('is ended when the engine stops, and its run goes back', async () => {
    const { troupe, stop } = await onStage({ definitions })
    const handle = await troupe.call(work.spin)
    await handle.recv()
    await stop()
    expect(await rejection(handle.status())).toMatchObject({ code: 'engine_stopped' })
  })

  it('sees its signal when it asks for it, and its thread is kept', async () => {
    const { troupe } = await onStage({ definitions, pools: { thread: { max: 1 } } })
    const before = await troupe.run(work.where)
    const handle = await troupe.call(work.polite)
    await handle.recv()
    expect(await handle.cancel('enough')).toBe(true)
    expect(await troupe.run(work.where)).toBe(before)
  })

  it('leaves the process awake', async () => {
    const { troupe, clock } = await onStage({ definitions })
    const handles = await Promise.all([troupe.call(work.spin), troupe.call(work.spin)])
    for (const handle of handles) expect(await handle.recv()).toBe('begun')
    let count = 0
    for (const from = performance.now(); performance.now() - from < 100; count++) await turns(1)
    expect(count).toBeGreaterThan(100)
    await clock.advance(1_000)
    await clock.advance(1_000)
    for (const handle of handles) expect(await rejection(handle.result())).toMatchObject({ code: 'timed_out' })
  })
})

describe('a thread that dies', () => {
  it.each([
    ['exit', 'its code ended the thread, with exit code 3', { exitCode: 3 }],
    ['rejection', 'was not caught: nobody awaits me', { exitCode: 1 }],
    ['throw', 'was not caught: nobody catches me', { exitCode: 1 }],
  ])('B19: fails its attempt by %s, which is tried again in another', async (how, message, details) => {
    const { troupe, clock } = await onStage({ definitions, pools: { thread: { max: 1 } } })
    const handle = await troupe.call(work.crash, how)
    const error = await rejection(nudging(clock, handle.result()))
    expect(error).toMatchObject({ code: 'worker_crashed', retryable: true, details: { name: 'crash', ...details } })
    expect(error.message).toContain(message)
    expect([await handle.recv(), await handle.recv(), await handle.recv()]).toEqual([1, 2, undefined])
    expect(await nudging(clock, troupe.run(work.crash, `${how} once`))).toEqual(expect.any(Number))
    expect(await troupe.run(work.double, 4)).toBe(8)
    expect(await troupe.running()).toEqual([])
  })

  it('has crashed when it takes more memory than it may', async () => {
    const { troupe } = await onStage({ definitions })
    const error = await rejection(troupe.run(work.hungry))
    expect(error).toMatchObject({ code: 'worker_crashed', message: expect.stringContaining('out of memory') as string })
    expect(await troupe.run(work.double, 4)).toBe(8)
  })
})

describe('threads', () => {
  it('are as many as the option says; who waits for one is not on the clock', async () => {
    const { troupe, clock } = await onStage({ definitions, pools: { thread: { max: 1 } } })
    const spinning = await troupe.call(work.spin)
    await spinning.recv()
    const waiting = await troupe.call(work.waiting, 'returns')
    await eventually(async () => (await waiting.status()).state === 'running')
    await clock.advance(1_000)
    await clock.advance(1_000)
    expect(await rejection(spinning.result())).toMatchObject({ code: 'timed_out' })
    expect(await waiting.result()).toEqual(expect.any(Number))
  })

  it('are not taken by a run that was cancelled while it waited for one', async () => {
    const { troupe, clock } = await onStage({ definitions, pools: { thread: { max: 1 } } })
    const spinning = await troupe.call(work.spin)
    await spinning.recv()
    const waiting = await troupe.call(work.waiting, 'returns')
    await eventually(async () => (await waiting.status()).state === 'running')
    expect(await waiting.cancel('enough')).toBe(true)
    await clock.advance(1_000)
    await clock.advance(1_000)
    await rejection(spinning.result())
    expect(await troupe.run(work.double, 1)).toBe(2)
  })

  it('end when nobody needed them for half a minute', async () => {
    const { troupe, clock } = await onStage({ definitions })
    const first = await troupe.run(work.where)
    await clock.advance(29_000)
    expect(await troupe.run(work.where)).toBe(first)
    await clock.advance(30_000)
    expect(await troupe.run(work.where)).not.toBe(first)
  })
})

describe('the code of a thread', () => {
  it('may stand in another file, as handler or under the name of the function that is given', async () => {
    const other = worker<number, string>('other', { thread })
    const path = worker<number, string>('path', { thread: 'test/worker/thread/work.ts' })
    const given = worker('given', { thread: thread.href }, work.named)
    const { troupe } = await onStage({ definitions: [other, path, given] })
    expect(await troupe.run(other, 1)).toBe('other 1')
    expect(await troupe.run(path, 2)).toBe('path 2')
    expect(await troupe.run(given, 3)).toBe(4)
  })

  it('is looked for where it is defined: no such file, no file at all, a bad setting', () => {
    const message = (options: object): unknown => {
      try {
        return worker('x', options as never)
      } catch (error) {
        return isTroupeError(error, 'option_invalid') ? error.message : error
      }
    }
    expect(message({ thread: new URL('./gone.ts', import.meta.url) })).toMatch(/thread of 'x' is .*gone\.ts/)
    expect(message({ thread: 'https://example.org/x.js' })).toContain('thread of \'x\' is "https://example.org/x.js"')
    expect(message({ thread: 5 })).toContain("The options object of thread of 'x' is 5")
    expect(message({ thread: { url: thread, limits: {} } })).toContain("Option 'limits' of thread of 'x'")
    expect(message({ thread: { url: thread, resourceLimits: 5 } })).toContain("resourceLimits of thread of 'x' is 5")
  })

  it('opens no engine of its own', async () => {
    const folder = workersFolder({
      'main.ts':
        "import { Troupe, worker } from 'troupe'\nexport const job = worker('job', {}, () => 1)\nawait Troupe.open()\n",
    })
    const job = worker('job', { thread: join(folder, 'main.ts') })
    const { troupe } = await onStage({ definitions: [job] })
    const error = await rejection(troupe.run(job))
    expect(error.code).toBe('file_not_loaded')
    expect(error.message).toContain('main.ts could not be loaded: Troupe.open was called in a thread of a worker')
  })

  it('is named with what there is instead, when the file does not export it', async () => {
    const inner = worker('inner', { thread: thread.href }, () => 1)
    const { troupe } = await onStage({ definitions: [inner] })
    const error = await rejection(troupe.run(inner))
    expect(error).toMatchObject({ code: 'definition_invalid', details: { name: 'inner' } })
    expect(error.message).toMatch(/Worker 'inner' is not in .*work\.ts.*exports crash, double, failing/)
  })

  it.each([
    ['exports nothing', 'const handler = () => 1', 'that exports nothing'],
    ['exports other things only', 'export const crunch = (n: number) => n', 'that exports crunch'],
  ])('is refused where it is defined when its file plainly %s', async (_what, text, told) => {
    const folder = workersFolder({ 'work.ts': text })
    const define = () => worker('far', { thread: join(folder, 'work.ts') })
    expect(define).toThrow(
      expect.objectContaining({ code: 'definition_invalid', message: expect.stringContaining(told) }),
    )
    const { troupe } = await onStage()
    const register = troupe.register('far', { thread: join(folder, 'work.ts') })
    expect(await rejection(register)).toMatchObject({ code: 'definition_invalid', details: { name: 'far' } })
  })

  it('is refused where it is defined when its handler stands in a file without an export', () => {
    const folder = workersFolder({ 'work.ts': 'worker(1)' })
    const define = () => worker('near', { thread: join(folder, 'work.ts') }, () => 1)
    expect(define).toThrow(/Worker 'near' is not in .*work\.ts/)
  })
})
