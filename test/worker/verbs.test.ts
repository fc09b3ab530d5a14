// Registering by name, what runs where, statistics, and shutdown.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PermanentError, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

describe('register with a name', () => {
  it('makes a worker of a handler, with options or without, and gives it', async () => {
    const { troupe } = await onStage()
    const plain = await troupe.register('plain', (ctx, n: number) => `${ctx.workerName} ${n}`)
    const input = z.object({ n: z.number().default(7) })
    const checked = await troupe.register('checked', { input, priority: 3 }, (_ctx, { n }) => n * 2)
    expect(await troupe.run(plain, 1)).toBe('plain 1')
    expect(await troupe.run(checked, {})).toBe(14)
    expect(await rejection(troupe.run('checked', { n: 'x' }))).toMatchObject({ code: 'validation_failed' })
    expect(plain).toMatchObject({ name: 'plain', version: '1' })
  })

  it('refuses a second one of the name, unless it replaces', async () => {
    const { troupe } = await onStage()
    await troupe.register('job', () => 1)
    expect(await rejection(troupe.register('job', () => 2))).toMatchObject({
      code: 'definition_exists',
      details: { name: 'job', version: '1' },
    })
    await troupe.register('job', { replace: true }, () => 3)
    expect(await troupe.run('job')).toBe(3)
    await troupe.register('job', { version: '2' }, () => 4)
    expect(await troupe.run('job')).toBe(4)
  })

  it('refuses what is no handler and no option', async () => {
    const { troupe } = await onStage()
    const missing: unknown[] = [[], [{}], [{}, 5], [{ replace: true }]]
    for (const rest of missing) {
      expect(await rejection(troupe.register('x', ...(rest as [never])))).toMatchObject({ code: 'definition_invalid' })
    }
    for (const options of [5, null, { rety: 1 }, { replace: 'yes' }]) {
      expect(await rejection(troupe.register('x', options as never, () => 1))).toMatchObject({ code: 'option_invalid' })
    }
    const bare = worker('bare', {}, () => 1)
    expect(await rejection(troupe.register(bare, { replce: true } as never))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(troupe.register((() => 1) as never))).toMatchObject({ code: 'definition_invalid' })
    expect(troupe.definitions()).toEqual([])
  })
})

describe('running', () => {
  it('names the runs of all nodes on a store, each until it ends', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    const one = worker('one', {}, () => gate.promise)
    const two = worker('two', {}, () => gate.promise)
    const clock = new ManualClock(1_000)
    const first = await onStage({ store, clock, definitions: [one, two] })
    const second = await onStage({ store, clock, definitions: [one, two], node: 'second' })
    const handles = [await first.troupe.call(one), await first.troupe.call(two), await second.troupe.call(two)]
    const ids = handles.map(({ id }) => id)
    const later = await first.troupe.call(one, undefined, { delay: '1h' })
    for (const { troupe } of [first, second]) {
      expect(new Set(await troupe.running())).toEqual(new Set(ids))
      expect(await troupe.runningFor('one')).toEqual([ids[0]])
      expect(new Set(await troupe.runningFor('two'))).toEqual(new Set(ids.slice(1)))
      expect(await troupe.runningFor('nobody')).toEqual([])
    }
    expect(first.troupe.runningHere()).toEqual(ids.slice(0, 2))
    gate.resolve()
    await Promise.all(handles.slice(0, 2).map((handle) => handle.result()))
    await handles[2]?.result()
    expect([await first.troupe.running(), first.troupe.runningHere()]).toEqual([[], []])
    expect((await later.status()).state).toBe('scheduled')
  })

  it('and what it can be asked is refused when it cannot be, or after the end', async () => {
    const { troupe, stop } = await onStage()
    expect(await rejection(troupe.runningFor(''))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(troupe.stats(5 as never))).toMatchObject({ code: 'option_invalid' })
    await stop()
    for (const late of [troupe.running(), troupe.runningFor('x'), troupe.stats('x'), troupe.discover('.')]) {
      expect(await rejection(late)).toMatchObject({ code: 'engine_stopped' })
    }
  })
})

describe('stats', () => {
  const job = worker('job', { timeout: '1s' }, async (ctx, how: string) => {
    if (how === 'fail') throw new PermanentError('no')
    if (how === 'hang') await deferred<void>().promise
    await ctx.sleep(how)
  })

  it('are zeros before the first run, and undefined for a name that nobody knows', async () => {
    const { troupe } = await onStage({ definitions: [job] })
    expect(await troupe.stats('job')).toStrictEqual({
      runs: 0,
      succeeded: 0,
      errors: 0,
      failed: 0,
      timedOut: 0,
      cancelled: 0,
      lastRunMs: undefined,
      totalRuntimeMs: 0,
      averageMs: 0,
      successRate: 0,
    })
    expect(await troupe.stats('nobody')).toBe(undefined)
  })

  it('count what ended in every way, and are the same after a restart and for every process', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const one = await onStage({ store, clock, definitions: [job] })
    for (const how of ['100ms', '300ms']) await moving(clock, one.troupe.run(job, how))
    await rejection(one.troupe.run(job, 'fail'))
    const hanging = rejection(one.troupe.run(job, 'hang'))
    await clock.advance(1_000)
    await hanging
    const cancelled = await one.troupe.call(job, '500ms')
    await clock.advance(200)
    await cancelled.cancel()
    await one.troupe.call(job, '1ms', { delay: '1h' })
    const stats = {
      runs: 5,
      succeeded: 2,
      errors: 2,
      failed: 1,
      timedOut: 1,
      cancelled: 1,
      lastRunMs: 200,
      totalRuntimeMs: 1_600,
      averageMs: 320,
      successRate: 40,
    }
    expect(await one.troupe.stats('job')).toStrictEqual(stats)
    await one.stop()
    const two = await onStage({ store, clock, starts: false })
    expect(await two.troupe.stats('job')).toStrictEqual(stats)
  })
})

describe('shutdown', () => {
  it('cancels what runs here, tells its signal and its callers, and refuses what comes', async () => {
    const store = storeFile()
    const reasons: unknown[] = []
    let calls = 0
    const job = worker('job', {}, (ctx) => {
      calls += 1
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      return deferred<void>().promise
    })
    const flow = workflow('flow', {}, (ctx) => ctx.step('wait', () => (calls++, deferred<void>().promise)))
    const { troupe, clock } = await onStage({ store, definitions: [job, flow] })
    const handles = [await troupe.call(job), await troupe.call(flow)]
    const later = await troupe.call(job, undefined, { delay: '1h' })
    const results = handles.map((handle) => rejection(handle.result()))
    await eventually(() => calls === 2)
    const before = clock.now()
    const shutdown = troupe.shutdown()
    for (const late of [troupe.call(job), troupe.register('x', () => 1), troupe.running()]) {
      expect(await rejection(late)).toMatchObject({ code: 'engine_stopped' })
    }
    expect(troupe.shutdown()).toBe(shutdown)
    await moving(clock, shutdown)
    expect(clock.now() - before).toBeLessThan(1_000)
    for (const error of await Promise.all(results)) {
      expect(error).toMatchObject({ code: 'run_cancelled', details: { reason: 'the engine was shut down' } })
    }
    expect(reasons).toEqual([expect.objectContaining({ code: 'run_cancelled' })])
    const two = await onStage({ store, starts: false })
    expect((await two.troupe.runs()).map(({ id, state }) => [id, state])).toEqual([
      [later.id, 'scheduled'],
      [handles[1]?.id, 'cancelled'],
      [handles[0]?.id, 'cancelled'],
    ])
  })

  it('cuts a stop short that waits for what runs', async () => {
    let calls = 0
    const job = worker('job', {}, () => (calls++, deferred<void>().promise))
    const { troupe, clock } = await onStage({ definitions: [job] })
    const result = rejection(troupe.run(job))
    await eventually(() => calls === 1)
    const stopped = troupe.stop({ within: '1h' })
    await clock.advance(1_000)
    const before = clock.now()
    await moving(clock, troupe.shutdown())
    await stopped
    expect(clock.now() - before).toBeLessThan(1_000)
    expect(await result).toMatchObject({ code: 'run_cancelled' })
  })

  it('cancels a run that is on its way here', async () => {
    const store = storeFile()
    const job = worker('job', {}, () => deferred<void>().promise)
    const { troupe, clock } = await onStage({ store, definitions: [job] })
    const call = troupe.call(job)
    await Promise.resolve()
    await moving(clock, troupe.shutdown())
    const [outcome] = await Promise.allSettled([call])
    const two = await onStage({ store, starts: false })
    const states = (await two.troupe.runs()).map(({ state }) => state)
    expect(states).toEqual(outcome.status === 'fulfilled' ? ['cancelled'] : [])
  })

  it('of a client closes it', async () => {
    const { troupe } = await onStage({ starts: false })
    await troupe.shutdown()
    expect(await rejection(troupe.runs())).toMatchObject({ code: 'engine_stopped' })
  })
})

describe('a worker that is not durable', () => {
  it('is seen by running, stats and shutdown of its own process', async () => {
    const gate = deferred<void>()
    const job = worker('job', { durable: false }, (_ctx, waits: boolean) => (waits ? gate.promise : undefined))
    const { troupe, clock } = await onStage({ definitions: [job] })
    await troupe.run(job, false)
    const handle = await troupe.call(job, true)
    const later = await troupe.call(job, true, { delay: '1h' })
    expect([await troupe.running(), await troupe.runningFor('job'), troupe.runningHere()]).toEqual([
      [handle.id],
      [handle.id],
      [handle.id],
    ])
    expect(await troupe.runningFor('other')).toEqual([])
    expect(await troupe.stats('job')).toMatchObject({ runs: 1, succeeded: 1 })
    const results = [rejection(handle.result()), rejection(later.result())]
    await moving(clock, troupe.shutdown())
    for (const error of await Promise.all(results)) expect(error).toMatchObject({ code: 'run_cancelled' })
  })
})
