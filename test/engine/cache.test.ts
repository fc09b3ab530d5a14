// Cached results: one computation for all who ask, for as long as its output counts.
import { describe, expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

describe('a worker with a cache', () => {
  it('computes once for 100 concurrent callers on two engines, and a hit starts no run', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    let calls = 0
    const square = worker('square', { cache: { ttl: '10s' } }, async (ctx, n: number) => {
      calls += 1
      await ctx.sleep(50)
      return n * n
    })
    const engines = await Promise.all(['a', 'b'].map((node) => onStage({ store, clock, node, definitions: [square] })))
    const outputs = Promise.all(Array.from({ length: 100 }, (_, n) => engines[n % 2]!.troupe.run(square, 7)))
    expect(new Set(await moving(clock, outputs))).toEqual(new Set([49]))
    expect(await moving(clock, engines[0]!.troupe.run(square, 7))).toBe(49)
    expect(calls).toBe(1)
    expect(await engines[0]!.troupe.runs()).toHaveLength(1)
    expect(await moving(clock, engines[0]!.troupe.run(square, 8))).toBe(64)
    expect(calls).toBe(2)
  })

  it('computes anew once its time has passed, counted from the end of the run', async () => {
    let calls = 0
    const slow = worker('slow', { cache: { ttl: '10s' } }, async (ctx) => {
      await ctx.sleep('8s')
      return ++calls
    })
    const { troupe, clock } = await onStage({ definitions: [slow] })
    expect(await moving(clock, troupe.run(slow))).toBe(1)
    await clock.advance(9_800)
    expect(await moving(clock, troupe.run(slow))).toBe(1)
    await clock.advance(200)
    expect(await moving(clock, troupe.run(slow))).toBe(2)
  })

  it('remembers no failure and no cancel', async () => {
    let calls = 0
    const flaky = worker('flaky', { cache: { ttl: '1h' } }, () => {
      calls += 1
      if (calls === 1) throw new Error('first')
      return calls
    })
    const { troupe } = await onStage({ definitions: [flaky] })
    expect(await rejection(troupe.run(flaky))).toMatchObject({ message: 'first' })
    expect([await troupe.run(flaky), await troupe.run(flaky)]).toEqual([2, 2])
  })

  it('has no conflict, so it refuses a word on what becomes of one', async () => {
    const square = worker('square', { cache: { ttl: '1h' } }, (_ctx, n: number) => n * n)
    const { troupe } = await onStage({ definitions: [square] })
    await troupe.run(square, 7)
    expect((await rejection(troupe.run(square, 7, { onConflict: 'reject' }))).message).toContain(
      "expected none without an idempotency key of the call or of 'square'",
    )
  })

  it('knows an input by the key made of it, by version, and not where a call has a key of its own', async () => {
    let calls = 0
    const options = { cache: { ttl: '1h', key: (page: { url: string }) => page.url } } as const
    const handler = (): number => ++calls
    const first = worker('page', options, handler)
    const { troupe } = await onStage({ definitions: [first] })
    const input = (n: number) => ({ url: 'a', n })
    expect([await troupe.run('page', input(1)), await troupe.run('page', input(2))]).toEqual([1, 1])
    expect(await troupe.run('page', input(1), { idempotencyKey: 'own' })).toBe(2)
    await troupe.register(worker('page', { ...options, version: '2' }, handler))
    expect(await troupe.run('page', input(1))).toBe(3)
  })

  it('refuses options that mean nothing', () => {
    const make = (options: object) => () => worker('job', options as never, () => 1)
    expect(make({ cache: {} })).toThrow("ttl of the cache of 'job' is undefined: expected a duration, such as '10m'.")
    expect(make({ cache: { ttl: '1s', keys: 1 } })).toThrow("Option 'keys' of cache of 'job' is not known")
    expect(make({ cache: { ttl: '1s', key: 'url' } })).toThrow('expected a function')
    expect(make({ cache: { ttl: '1s' }, durable: false })).toThrow('durable: false')
    expect(make({ cache: { ttl: '1s' }, idempotencyKey: () => 'k' })).toThrow('a run has one key')
  })
})
