// Workers that are not durable: the same verbs, in this process only, and nothing in the store.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { intruder, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const local = { durable: false } as const
const tried = { attempts: 3, base: '1s', jitter: 0 } as const

it('is run and called as any other, and leaves no row behind', async () => {
  const double = worker('double', local, (ctx, n: number) => {
    ctx.emit({ doubling: n })
    ctx.setState('n', n)
    ctx.info('doubled')
    return n * 2
  })
  const store = storeFile()
  const { troupe, stop } = await onStage({ definitions: [double], store })
  expect(await troupe.run(double, 21)).toBe(42)
  const handle = await troupe.call('double', 4)
  expect([
    await handle.result(),
    await handle.result({ timeout: 1 }),
    await handle.recv(),
    await handle.recv(),
  ]).toEqual([8, 8, { doubling: 4 }, undefined])
  await stop()
  const rows = await intruder(store)
  const counts = ['run', 'live', 'finished', 'emitted', 'log', 'state', 'rollup']
    .filter((table) => rows.prepare('select 1 from sqlite_master where name = ?').get(table) !== undefined)
    .map((table) => rows.prepare(`select count(*) as n from ${table}`).get() as { n: number })
  expect(counts.every(({ n }) => n === 0)).toBe(true)
})

it('B4, B5: is known while it runs, and neither when it has ended nor when it has failed', async () => {
  const gate = deferred<void>()
  const slow = worker('slow', local, async (_ctx, fails: boolean) => {
    await gate.promise
    if (fails) throw new RangeError('slow broke')
  })
  const { troupe } = await onStage({ definitions: [slow] })
  const runs = [await troupe.call(slow, false), await troupe.call(slow, true)]
  const ids = runs.map(({ id }) => id)
  expect([await troupe.running(), await troupe.runningFor('slow'), await troupe.runningFor('other')]).toEqual([
    ids,
    ids,
    [],
  ])
  expect(await troupe.get(ids[0] ?? '')).toMatchObject({ name: 'slow', state: 'running', attempt: 1, input: false })
  expect((await troupe.handle(ids[1] ?? '')).name).toBe('slow')
  gate.resolve()
  await runs[0]?.result()
  expect(await rejection(runs[1]?.result() ?? Promise.resolve())).toMatchObject({
    name: 'RangeError',
    message: 'slow broke',
  })
  expect([await troupe.running(), await troupe.get(ids[0] ?? '')]).toEqual([[], undefined])
  expect(await troupe.stats('slow')).toMatchObject({ runs: 2, succeeded: 1, failed: 1, errors: 1, successRate: 50 })
})

it('is tried again, with what its attempts kept, and its times', async () => {
  const seen: unknown[] = []
  const flaky = worker('flaky', { ...local, retry: tried }, (ctx) => {
    seen.push([ctx.attempt, ctx.getState('last'), ctx.getState('gone')])
    ctx.setState('last', ctx.attempt)
    ctx.setState('gone', 1)
    ctx.clearState('gone')
    if (ctx.attempt < 3) throw new Error(`attempt ${ctx.attempt}`)
    return 'third'
  })
  const { troupe, clock } = await onStage({ definitions: [flaky] })
  const startedAt = clock.monotonic()
  expect(await moving(clock, troupe.run(flaky))).toBe('third')
  expect(seen).toEqual([
    [1, undefined, undefined],
    [2, 1, undefined],
    [3, 2, undefined],
  ])
  expect(clock.monotonic() - startedAt).toBeGreaterThanOrEqual(3_000)
})

it('may be delayed, given a time, put off and cancelled, and cleans up', async () => {
  const seen: string[] = []
  const job = worker('job', local, async (ctx, what: string) => {
    ctx.defer(() => seen.push(`${what} cleaned`))
    seen.push(what)
    if (what === 'snooze' && seen.length === 1) await ctx.snooze('1m')
    if (what === 'hang') await ctx.sleep('1h')
    return what
  })
  const { troupe, clock } = await onStage({ definitions: [job] })
  expect(await moving(clock, troupe.run(job, 'snooze'))).toBe('snooze')
  expect(seen.splice(0)).toEqual(['snooze', 'snooze cleaned', 'snooze', 'snooze cleaned'])

  const later = await troupe.call(job, 'later', { delay: '10s' })
  expect([(await later.status()).state, seen]).toEqual(['scheduled', []])
  expect(await moving(clock, later.result())).toBe('later')

  const late = await troupe.call(job, 'hang', { timeout: '5s' })
  expect((await rejection(moving(clock, late.result()))).code).toBe('timed_out')

  const waiting = await troupe.call(job, 'never', { delay: '1h' })
  expect([await waiting.cancel(), (await rejection(waiting.result())).code]).toEqual([true, 'run_cancelled'])
  const hanging = await troupe.call(job, 'hang')
  expect([await hanging.cancel(), await hanging.cancel()]).toEqual([true, false])
  expect(seen.splice(0)).toEqual(['later', 'later cleaned', 'hang', 'hang cleaned', 'hang', 'hang cleaned'])
})

it('B11: keeps the newest 10,000 messages for a reader that comes late or never', async () => {
  const chatty = worker('chatty', local, async (ctx) => {
    for (let n = 0; n < 10_000; n++) ctx.emit(n)
    return 'said'
  })
  const { troupe } = await onStage({ definitions: [chatty] })
  const handle = await troupe.call(chatty)
  expect(await handle.result()).toBe('said')
  const heard: unknown[] = []
  for await (const message of handle) heard.push(message)
  expect([heard.length, heard[0], heard.at(-1)]).toEqual([10_000, 0, 9_999])
})

it('tells messages as they come', async () => {
  const gate = deferred<void>()
  const talker = worker('talker', local, async (ctx) => {
    ctx.emit('first')
    await gate.promise
    ctx.emit('second')
  })
  const { troupe } = await onStage({ definitions: [talker] })
  const handle = await troupe.call(talker)
  expect(await handle.recv()).toBe('first')
  const next = handle.recv()
  gate.resolve()
  expect([await next, await handle.recv()]).toEqual(['second', undefined])
})

it('is waited for by a stop, and ends with engine_stopped when that takes too long', async () => {
  const gate = deferred<void>()
  const slow = worker('slow', local, () => gate.promise)
  const { troupe, stop } = await onStage({ definitions: [slow] })
  const handle = await troupe.call(slow)
  const waiting = await troupe.call(slow, undefined, { delay: '1h' })
  await turns()
  const ends = Promise.all([rejection(handle.result()), rejection(waiting.result())])
  await stop(500)
  expect((await ends).map(({ code }) => code)).toEqual(['engine_stopped', 'engine_stopped'])
  expect((await rejection(troupe.run(slow))).code).toBe('engine_stopped')

  const quick = await onStage({ definitions: [worker('quick', local, (ctx) => ctx.sleep('1s').then(() => 'done'))] })
  const done = await quick.troupe.call('quick')
  const result = done.result()
  await quick.stop(5_000)
  expect(await result).toBe('done')
})

describe('while it cleans up for its next attempt', () => {
  const untilSwept = () => {
    const broom = deferred<void>()
    let attempts = 0
    const job = worker('job', { ...local, retry: { attempts: 2, base: '1h', jitter: 0 } }, (ctx) => {
      attempts += 1
      ctx.defer(() => broom.promise)
      throw new Error('boom')
    })
    return { job, broom, attempts: () => attempts }
  }

  it('a stop ends it with engine_stopped', async () => {
    const { job, broom, attempts } = untilSwept()
    const { troupe, clock } = await onStage({ definitions: [job] })
    const ended = rejection((await troupe.call(job)).result())
    await turns()
    const from = clock.monotonic()
    const stopped = troupe.stop({ within: 500 })
    await clock.advance(600)
    broom.resolve()
    await moving(clock, stopped)
    expect([(await ended).code, clock.armedTimers, attempts()]).toEqual(['engine_stopped', 0, 1])
    expect(clock.monotonic() - from).toBeLessThanOrEqual(700)
  })

  it('a cancel ends it', async () => {
    const { job, broom, attempts } = untilSwept()
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await turns()
    const asked = handle.cancel('enough')
    await turns()
    broom.resolve()
    const error = await rejection(moving(clock, handle.result()))
    expect([error.code, error.message, await asked]).toEqual(['run_cancelled', expect.stringContaining('enough'), true])
    expect(attempts()).toBe(1)
  })

  it('a shutdown ends it', async () => {
    const { job, broom, attempts } = untilSwept()
    const { troupe, clock } = await onStage({ definitions: [job] })
    const ended = rejection((await troupe.call(job)).result())
    await turns()
    const stopped = troupe.shutdown()
    await turns()
    broom.resolve()
    await moving(clock, stopped)
    expect([(await ended).code, clock.armedTimers, attempts()]).toEqual(['run_cancelled', 0, 1])
  })

  it('it is ended all the same when it hangs', async () => {
    const { job } = untilSwept()
    const { troupe, clock } = await onStage({ definitions: [job] })
    const ended = rejection((await troupe.call(job)).result())
    await turns()
    await moving(clock, troupe.stop({ within: 0 }))
    expect([(await ended).code, clock.armedTimers]).toEqual(['engine_stopped', 0])
  })
})

it('leaves no timer behind', async () => {
  const clock = new ManualClock(1_000)
  const job = worker('job', { ...local, timeout: '1m', heartbeat: '1m' }, async (ctx) => ctx.sleep(10))
  const { troupe, stop } = await onStage({ definitions: [job], clock })
  await moving(clock, troupe.run(job, undefined, { timeout: '1h' }))
  await stop()
  expect(clock.armedTimers).toBe(0)
})

it('refuses what would need a store, and workflows', async () => {
  const job = worker('job', local, () => 1)
  const { troupe } = await onStage({ definitions: [job] })
  for (const options of [{ idempotencyKey: 'k' }, { priority: 1 }, { queue: 'other' }, { tags: ['a'] }]) {
    expect(await rejection(troupe.call(job, undefined, options))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining("'job' are not stored (durable: false)") as string,
    })
  }
  expect(() => workflow('flow', local, () => 1)).toThrow(
    expect.objectContaining({ code: 'definition_invalid', message: expect.stringContaining('Use a worker') as string }),
  )
})
