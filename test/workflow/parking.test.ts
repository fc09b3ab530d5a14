// Parking: code around a wait neither sees nor runs anything when its run is set aside, and nothing of it stays in memory.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { worker, workflow, type WorkflowContext } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, noUnhandledRejections, onStage, turns } from '../engine/stage.ts'

noUnhandledRejections()

const child = worker('child', {}, () => deferred<void>().promise)

const waits: [string, (ctx: WorkflowContext<void>) => Promise<unknown>][] = [
  ['a sleep', (ctx) => ctx.sleep('1h')],
  ['a message', (ctx) => ctx.receive('go')],
  ['a message in time', (ctx) => ctx.receive('go', { timeout: '1h' })],
  ['a child', (ctx) => ctx.run(child)],
  ['several at once', (ctx) => Promise.all([ctx.sleep('1h'), ctx.receive('go'), ctx.run(child)])],
  ['a race', (ctx) => Promise.race([ctx.sleep('1h'), ctx.receive('go')])],
  ['a scope', (ctx) => ctx.scope('in', (ctx) => ctx.sleep('1h'))],
  ['the items of a map', (ctx) => ctx.map('m', [1, 2], (_, ctx) => ctx.receive('go'))],
  ['a turn of a loop', (ctx) => ctx.loop('l', 1, async (_, ctx) => ({ done: await ctx.receive('go') }))],
  [
    'the pause of a step',
    (ctx) => ctx.step('s', () => Promise.reject(new Error('no')), { retry: { base: '1h', jitter: 0 } }),
  ],
  ['the token of a step', (ctx) => ctx.step('s', ({ later }) => later())],
]

describe('a try around a wait', () => {
  it.each(waits)('runs neither catch nor finally when the run parks: %s', async (_what, wait) => {
    const ran: string[] = []
    const flow = workflow('flow', {}, async (ctx) => {
      ran.push('begun')
      try {
        await wait(ctx)
        ran.push('over')
      } catch {
        ran.push('catch')
      } finally {
        ran.push('finally')
      }
    })
    const { troupe, clock } = await onStage({ definitions: [flow, child] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await clock.advance(1_000), (await handle.status()).state === 'parked'))
    await turns()
    expect(ran).toEqual(['begun'])
    await handle.cancel()
    await turns()
    expect(ran).toEqual(['begun'])
  })
})

it('10,000 parked runs leave nothing of their closures in memory', () => {
  const script = fileURLToPath(new URL('parked-many.ts', import.meta.url))
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--expose-gc', '--import', 'jiti/register', script, '10000'],
    { encoding: 'utf8', timeout: 110_000 },
  )
  expect([status, stderr.replaceAll(/\(node.*\n|\(Use.*\n/g, '')]).toEqual([0, ''])
  const { parked, collected, alive, bytesEach } = JSON.parse(stdout) as Record<string, number>
  expect([parked, collected, alive]).toEqual([10_000, 10_000, 0])
  // Each of their closures held 10,000; what the process itself has grown by is a part of this.
  expect(bytesEach).toBeLessThan(5_000)
}, 120_000)
