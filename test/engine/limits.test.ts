// Limiters in an engine: runs that wait without an actor, start as soon as they may, and say what holds them up.
import { describe, expect, it } from 'vitest'
import { limiter, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { gauge } from './gauge.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

describe('a worker with a limiter', () => {
  it('is performed so many times at once, and a waiting run says who has the slots', async () => {
    const gate = deferred<void>()
    const two = limiter('two', { concurrency: 2 })
    const job = worker('job', { limits: [two] }, () => gate.promise)
    const { troupe } = await onStage({ definitions: [job] })
    const handles = [await troupe.call(job), await troupe.call(job), await troupe.call(job)]
    await turns()
    expect(await troupe.running()).toHaveLength(2)
    expect((await handles[2]?.status())?.reason).toEqual({
      kind: 'limiter',
      limiter: 'two',
      key: '',
      bound: 'concurrency',
      holders: [handles[0]?.id, handles[1]?.id],
    })
    gate.resolve()
    await Promise.all(handles.map((handle) => handle.result()))
    expect(await troupe.limiters()).toMatchObject([{ name: 'two', slots: 0, waiting: 0, isLive: false }])
  })

  it('leaves its actor to others while it waits', async () => {
    const gate = deferred<void>()
    const job = worker('job', { limits: [limiter('one', { concurrency: 1 })] }, () => gate.promise)
    const other = worker('other', {}, () => 'done')
    const { troupe } = await onStage({ definitions: [job, other], pools: { task: { min: 1, max: 2 } } })
    const handles = await troupe.callMany(job, [undefined, undefined, undefined, undefined])
    await turns()
    expect(await troupe.run(other)).toBe('done')
    gate.resolve()
    await Promise.all(handles.map((handle) => handle.result()))
  })

  it('has concurrency as a limiter of its own', async () => {
    const { work, seen } = gauge()
    const job = worker('job', { concurrency: 3 }, work)
    const { troupe } = await onStage({ definitions: [job] })
    await Promise.all(Array.from({ length: 50 }, () => troupe.run(job)))
    expect(seen.most).toBe(3)
    expect((await troupe.limiters()).map(({ name }) => name)).toEqual(['worker:job'])
  })

  it('bounds each key for itself, and all of them together by turns', async () => {
    const served: string[] = []
    const fair = limiter('fair', { concurrency: 1, total: 2, key: (tenant: string) => tenant })
    const job = worker('job', { limits: [fair] }, async (_ctx, tenant: string) => {
      served.push(tenant)
      await turns(1)
    })
    const { troupe } = await onStage({ definitions: [job], queues: ['default'] })
    await troupe.pause('default')
    const handles = await troupe.callMany(job, ['a', 'a', 'a', 'a', 'a', 'a', 'b', 'c', 'b', 'c'])
    await troupe.resume('default')
    await Promise.all(handles.map((handle) => handle.result()))
    expect(served.slice(0, 6).toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
  })

  it('keeps the pace of a rate on the clock of the store', async () => {
    const starts: number[] = []
    const paced = limiter('paced', { rate: { limit: 2, per: '1s', burst: 2 } })
    const job = worker('job', { limits: [paced] }, () => void starts.push(clock.now() - 1_000))
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handles = await troupe.callMany(job, [undefined, undefined, undefined, undefined])
    await eventually(() => starts.length === 2)
    expect((await handles[3]?.status())?.reason).toMatchObject({ kind: 'limiter', bound: 'rate' })
    await moving(clock, Promise.all(handles.map((handle) => handle.result())))
    expect(starts).toEqual([0, 0, 500, 1_000])
  })

  it('frees its slot while it backs off or is snoozed', async () => {
    const order: string[] = []
    const one = limiter('one', { concurrency: 1 })
    const flaky = worker('flaky', { limits: [one], retry: { attempts: 2, base: '10s', jitter: 0 } }, (ctx) => {
      order.push(`flaky ${ctx.attempt}`)
      if (ctx.attempt === 1) throw new Error('no')
    })
    const lazy = worker('lazy', { limits: [one] }, async (ctx) => {
      order.push('lazy')
      if (ctx.getState('slept') !== true) {
        ctx.setState('slept', true)
        await ctx.snooze('20s')
      }
    })
    const { troupe, clock } = await onStage({ definitions: [flaky, lazy] })
    const handles = [await troupe.call(flaky), await troupe.call(lazy)]
    await moving(clock, Promise.all(handles.map((handle) => handle.result())))
    expect(order).toEqual(['flaky 1', 'lazy', 'flaky 2', 'lazy'])
  })

  it('is changed live by any process, and goes on at once', async () => {
    const gate = deferred<void>()
    let begun = 0
    const job = worker('job', { limits: [limiter('live', { concurrency: 1 })] }, () => (begun++, gate.promise))
    const store = storeFile()
    const { troupe, clock } = await onStage({ store, definitions: [job] })
    const client = await onStage({ store, starts: false, node: 'client' })
    const handles = await troupe.callMany(job, [undefined, undefined, undefined])
    await turns()
    expect(begun).toBe(1)
    await client.troupe.limit('live', { concurrency: 2 })
    await clock.advance(100)
    await eventually(() => begun === 2)
    await troupe.limit('live', { concurrency: null })
    await eventually(() => begun === 3)
    await troupe.limit('live', null)
    expect(await troupe.limiters()).toMatchObject([{ bounds: { concurrency: 1 }, isLive: false, slots: 3 }])
    gate.resolve()
    await Promise.all(handles.map((handle) => handle.result()))
  })

  it('is shared by the nodes of a file, and goes on when one of them stops', async () => {
    const gate = deferred<void>()
    let begun = 0
    const job = worker('job', { limits: [limiter('shared', { concurrency: 1 })] }, (_ctx, n: number) => {
      begun++
      return n === 1 ? gate.promise : undefined
    })
    const store = storeFile()
    const first = await onStage({ store, definitions: [job] })
    const second = await onStage({ store, definitions: [job], node: 'second', clock: first.clock })
    await first.troupe.call(job, 1)
    await eventually(() => begun === 1)
    const waiting = await second.troupe.call(job, 2)
    await turns()
    expect(begun).toBe(1)
    await first.stop()
    await moving(
      second.clock,
      eventually(() => begun === 2),
    )
    gate.resolve()
    expect(await moving(second.clock, waiting.result())).toBe(undefined)
    expect(begun).toBe(3)
  })

  it('holds a workflow while it is performed, and not while it sleeps', async () => {
    const order: number[] = []
    const flow = workflow('flow', { concurrency: 1 }, async (ctx, n: number) => {
      await ctx.step('a', () => order.push(n))
      await ctx.sleep('1m')
      await ctx.step('b', () => order.push(n))
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handles = await troupe.callMany(flow, [1, 2])
    await moving(clock, Promise.all(handles.map((handle) => handle.result())))
    expect(order).toEqual([1, 2, 1, 2])
  })
})

describe('B17', () => {
  it('B17: of 10,000 calls never more are at work than the pool or a limiter allows', async () => {
    const [inPool, inLimits] = [gauge(), gauge()]
    const free = worker('free', {}, inPool.work)
    const bounded = worker('bounded', { concurrency: 7 }, inLimits.work)
    const { troupe } = await onStage({ definitions: [free, bounded], pools: { task: { min: 1, max: 25 } } })
    const inputs = Array.from({ length: 5_000 }, () => undefined)
    const handles = [...(await troupe.callMany(free, inputs)), ...(await troupe.callMany(bounded, inputs))]
    await Promise.all(handles.map((handle) => handle.result()))
    expect([inPool.seen.most, inLimits.seen.most]).toEqual([25, 7])
  })
})

describe('options of limiters', () => {
  it('are told by name when their key throws', async () => {
    const perUser = limiter('per-user', { concurrency: 1, key: ({ user }: { user: string }) => user })
    const mail = worker('mail', { limits: [perUser] }, (_ctx, _to: { user: string }) => 1)
    const { troupe } = await onStage({ definitions: [mail] })
    expect(await rejection(troupe.call('mail'))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringMatching(/^The key of limiter 'per-user' threw at the input of 'mail': Cannot/) as string,
      cause: expect.any(TypeError) as TypeError,
    })
  })

  it('are refused where they are given', async () => {
    expect(() => limiter('', {})).toThrow(/The name of a limiter is ""/)
    for (const nothing of [{}, { key: () => 'k' }])
      expect(() => limiter('l', nothing)).toThrow(
        /of limiter 'l' is .*: expected a bound: concurrency, total or rate\.$/,
      )
    expect(limiter('l', { concurrency: null }).bounds.concurrency).toBeNull()
    expect(() => limiter('l', { concurrency: 0 })).toThrow(/concurrency of limiter 'l' is 0: expected a whole number/)
    expect(() => limiter('l', { rate: { limit: 1, per: 0 } })).toThrow(/per of rate of limiter 'l' is 0/)
    expect(() => limiter('l', { rate: { limit: 1, per: '1s', burst: 0.5 } })).toThrow(/burst of rate of limiter 'l'/)
    expect(() => limiter('l', { concurency: 1 } as never)).toThrow(/Option 'concurency' of limiter 'l' is not known/)
    expect(() => worker('w', { limits: ['l'] as never }, () => 1)).toThrow(/limits of 'w' is "l"/)
    expect(() => worker('w', { concurrency: -1 }, () => 1)).toThrow(/concurrency of 'w' is -1/)
    expect(() => worker('w', { concurrency: 1, durable: false }, () => 1)).toThrow(/durable: false/)
    const { troupe } = await onStage()
    expect(await rejection(troupe.limit('l', { total: 0 }))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(troupe.limit('', null))).toMatchObject({ code: 'option_invalid' })
  })

  it('are refused of a limiter that nobody has, and nothing is kept of it', async () => {
    const job = worker('job', { limits: [limiter('stripe', { concurrency: 1 })] }, () => 1)
    const { troupe } = await onStage({ definitions: [job], starts: false })
    for (const bounds of [{ concurrency: 2 }, null])
      expect(await rejection(troupe.limit('strip', bounds))).toMatchObject({
        code: 'option_invalid',
        message:
          "The limiter 'strip' is not known. Did you mean 'stripe'? Known are stripe. A limiter is known once a process has opened this store with a definition that names it, or something has run under it.",
      })
    expect((await troupe.limiters()).map(({ name }) => name)).toEqual(['stripe'])
    expect(await troupe.audit()).toEqual([])
  })

  it('refuse two limiters of one name that differ, and a key that is none', async () => {
    const one = worker('one', { limits: [limiter('l', { concurrency: 1 })] }, () => 1)
    const two = worker('two', { limits: [limiter('l', { concurrency: 2 })] }, () => 1)
    const keyed = limiter('keyed', { concurrency: 1, key: () => 7 as never })
    const three = worker('three', { limits: [keyed] }, () => 1)
    const { troupe } = await onStage({ definitions: [one, three] })
    expect(await rejection(troupe.register(two))).toMatchObject({ code: 'definition_invalid' })
    expect(troupe.definitions()).toEqual(['one', 'three'])
    expect(await rejection(troupe.call(three))).toMatchObject({
      message: expect.stringMatching(/What key of limiter 'keyed' made of the input of 'three' is 7/),
    })
  })

  it('take as burst what 100 ms bring', () => {
    const burst = (limit: number, per: string) => limiter('l', { rate: { limit, per } }).bounds.rate?.burst
    expect([burst(100, '1s'), burst(10, '1m'), burst(5_000, '1s')]).toEqual([10, 1, 500])
  })
})
