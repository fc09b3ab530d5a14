// Working through a list: order, cap, keys, failures, and size.
import { describe, expect, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

describe('map', () => {
  it('gives the results in the order of the items and holds its cap', async () => {
    const gates = Array.from({ length: 12 }, () => deferred<void>())
    let underWay = 0
    let most = 0
    const begun: number[] = []
    const flow = workflow('flow', {}, (ctx) =>
      ctx.map(
        'work',
        gates,
        async (gate, ctx, index) => {
          begun.push(index)
          most = Math.max(most, ++underWay)
          const value = await ctx.step('s', async () => (await gate.promise, index * 2))
          underWay -= 1
          return value
        },
        { concurrency: 3 },
      ),
    )
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(() => begun.length === 3)
    await turns()
    expect(begun).toEqual([0, 1, 2])
    gates[1]?.resolve()
    await eventually(() => begun.length === 4)
    await turns()
    expect(begun).toEqual([0, 1, 2, 3])
    for (const gate of gates.toReversed()) gate.resolve()
    expect(await handle.result()).toEqual(gates.map((_gate, index) => index * 2))
    expect(most).toBe(3)
  })

  it('has 10 items under way unless told, and all of them with Infinity', async () => {
    for (const [concurrency, expected] of [
      [undefined, 10],
      [Infinity, 25],
      [1, 1],
    ] as const) {
      let underWay = 0
      let most = 0
      const flow = workflow('flow', {}, async (ctx) => {
        await ctx.map(
          'work',
          Array.from({ length: 25 }),
          async (_item, ctx) => {
            most = Math.max(most, ++underWay)
            await ctx.step('s', () => 1)
            underWay -= 1
          },
          concurrency === undefined ? {} : { concurrency },
        )
      })
      const { troupe } = await onStage({ definitions: [flow] })
      await troupe.run(flow)
      expect(most).toBe(expected)
    }
  })

  it('names the steps of an item by its key, or by its place', async () => {
    const flow = workflow('flow', {}, async (ctx, skus: string[]) => {
      await ctx.map('keyed', skus, (sku, ctx) => ctx.step('s', () => sku), { key: (sku) => sku, concurrency: 1 })
      await ctx.map('placed', skus, (sku, ctx) => ctx.step('s', () => sku), { concurrency: 1 })
    })
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow, ['a', 'b'])
    await handle.result()
    expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual([
      'keyed[a]/s',
      'keyed[b]/s',
      'placed[0]/s',
      'placed[1]/s',
    ])
  })

  it('nests', async () => {
    const flow = workflow('flow', {}, (ctx) =>
      ctx.map(
        'outer',
        ['a', 'b'],
        (outer, ctx) => ctx.map('inner', [1, 2], (inner, ctx) => ctx.step('s', () => `${outer}${inner}`)),
        { key: (item) => item, concurrency: 1 },
      ),
    )
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    expect(await handle.result()).toEqual([
      ['a1', 'a2'],
      ['b1', 'b2'],
    ])
    expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual([
      'outer[a]/inner[0]/s',
      'outer[a]/inner[1]/s',
      'outer[b]/inner[0]/s',
      'outer[b]/inner[1]/s',
    ])
  })

  it('remembers an item by its key when the list has another order on resume', async () => {
    const store = storeFile()
    const calls: string[] = []
    let items = ['a', 'b', 'c']
    const blocked = deferred<void>()
    const flow = workflow('flow', {}, (ctx) =>
      ctx.map(
        'm',
        items,
        (item, ctx) =>
          ctx.step('s', async () => {
            if (item === 'c' && calls.length < 3) await blocked.promise
            calls.push(item)
            return item.toUpperCase()
          }),
        { key: (item) => item },
      ),
    )
    const one = await onStage({ store, definitions: [flow] })
    const { id } = await one.troupe.call(flow)
    await eventually(async () => (await one.troupe.steps(id)).length === 2)
    await one.stop()
    blocked.resolve()
    await turns()
    items = ['c', 'b', 'a']
    calls.length = 0
    calls.push('', '', '')
    const two = await onStage({ store, definitions: [flow] })
    expect(await (await two.troupe.handle(id)).result()).toEqual(['C', 'B', 'A'])
    expect(calls.slice(3)).toEqual(['c'])
  })

  it('refuses two items with one key, a bad cap, and a name that is under way', async () => {
    const twins = workflow('twins', {}, async (ctx) => ctx.map('m', ['x', 'x'], () => 1, { key: (item) => item }))
    const capless = workflow('capless', {}, async (ctx) => ctx.map('m', ['x'], () => 1, { concurrency: 0 }))
    const overlapping = workflow('overlapping', {}, async (ctx) => {
      await Promise.all([
        ctx.map('m', [1], (_item, ctx) => ctx.step('s', () => 1)),
        ctx.map('m', [1], (_item, ctx) => ctx.step('s', () => 1)),
      ])
    })
    const { troupe } = await onStage({ definitions: [twins, capless, overlapping] })
    expect(await rejection(troupe.run(twins))).toMatchObject({
      code: 'option_invalid',
      message: `The key of ctx.map('m') is "x": expected a key of its own for each item.`,
    })
    expect(await rejection(troupe.run(capless))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(troupe.run(overlapping))).toMatchObject({ code: 'step_name_taken', details: { path: 'm' } })
  })

  it('begins nothing more after a failure and fails once what is under way has ended', async () => {
    const gate = deferred<void>()
    const begun: number[] = []
    const ended: number[] = []
    const flow = workflow('flow', {}, (ctx) =>
      ctx.map(
        'm',
        [0, 1, 2, 3],
        (item, ctx) =>
          ctx.step(
            's',
            async () => {
              begun.push(item)
              if (item === 0) throw new RangeError('zero')
              await gate.promise
              ended.push(item)
            },
            { retry: { attempts: 1 } },
          ),
        { concurrency: 2 },
      ),
    )
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await troupe.steps(handle.id)).length === 1)
    await turns()
    expect((await handle.status()).state).toBe('running')
    gate.resolve()
    expect(await rejection(handle.result())).toMatchObject({ name: 'RangeError', message: 'zero' })
    expect([begun, ended]).toEqual([[0, 1], [1]])
  })

  it('collects how each item ended', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const settled = await ctx.map(
        'm',
        [1, 2, 3],
        (item, ctx) =>
          ctx.step(
            's',
            () => {
              if (item === 2) throw new Error('two')
              return item
            },
            { retry: { attempts: 1 } },
          ),
        { onError: 'collect' },
      )
      return settled.map((one) => (one.status === 'fulfilled' ? one.value : `${one.reason}`))
    })
    const { troupe } = await onStage({ definitions: [flow] })
    expect(await troupe.run(flow)).toEqual([1, 'Error: two', 3])
  })

  it('of nothing is nothing', async () => {
    const flow = workflow('flow', {}, (ctx) => ctx.map('m', [] as number[], (item) => item))
    const { troupe } = await onStage({ definitions: [flow] })
    expect(await troupe.run(flow)).toEqual([])
  })

  it('of 10,000 items takes time in proportion, fresh and on resume', async () => {
    const store = storeFile()
    let isResumed = false
    let calls = 0
    let done = 0
    const flow = workflow('flow', {}, async (ctx, count: number) => {
      const results = await ctx.map(
        'm',
        Array.from({ length: count }, (_, index) => index),
        (item, ctx) => ctx.step('s', () => (calls++, item)),
        { concurrency: 100 },
      )
      done += 1
      if (!isResumed) await deferred<void>().promise
      return results.reduce((total, item) => total + item, 0)
    })
    const one = await onStage({ store, definitions: [flow], durability: 'normal' })
    const timed = async (count: number): Promise<{ id: string; tookMs: number }> => {
      const before = done
      const startedAt = systemClock.monotonic()
      const { id } = await one.troupe.call(flow, count)
      while (done === before) await turns(1)
      return { id, tookMs: systemClock.monotonic() - startedAt }
    }
    await timed(500)
    const small = await timed(1_000)
    const large = await timed(10_000)
    // Ten times the work: a quadratic part would make it a hundred.
    expect(large.tookMs).toBeLessThan(small.tookMs * 35 + 500)
    await one.stop()
    isResumed = true
    const startedAt = systemClock.monotonic()
    const two = await onStage({ store, definitions: [flow] })
    expect(await (await two.troupe.handle(large.id)).result()).toBe(49_995_000)
    expect(systemClock.monotonic() - startedAt).toBeLessThan(large.tookMs * 3 + 2_000)
    expect(calls).toBe(11_500)
  }, 60_000)
})
