// ctx.loop and ctx.continueAsNew: runs that go on for ever at the same cost.
import { describe, expect, expectTypeOf, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

describe('a loop', () => {
  it('hands its state from turn to turn, and gives its result', async () => {
    const flow = workflow('flow', {}, async (ctx, to: number) => {
      const sum = await ctx.loop('add', { n: 1, sum: 0 }, async ({ n, sum }, ctx) => {
        const added = await ctx.step('add', () => sum + n)
        return n === to ? { done: added } : { again: { n: n + 1, sum: added } }
      })
      expectTypeOf(sum).toEqualTypeOf<number>()
      return sum
    })
    const { troupe } = await onStage({ definitions: [flow] })
    expect(await troupe.run(flow, 100)).toBe(5_050)
  })

  it('remembers its newest state and the steps of the turn under way, and nothing else', async () => {
    const executed: string[] = []
    const flow = workflow('flow', {}, (ctx) =>
      ctx.loop('turn', 0, async (n, ctx) => {
        await ctx.step('first', () => void executed.push(`first ${n}`))
        if (n === 5) await ctx.sleep('1m')
        await ctx.step('second', () => void executed.push(`second ${n}`))
        return n === 6 ? { done: n } : { again: n + 1 }
      }),
    )
    const store = storeFile()
    const one = await onStage({ definitions: [flow], store })
    const { id } = await one.troupe.call(flow)
    await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
    const steps = (await one.troupe.steps(id)).map(({ kind, path }) => `${kind} ${path}`)
    expect(steps).toEqual(['loop turn/state', 'step turn[6]/first'])
    await one.stop()
    const two = await onStage({ definitions: [flow], store })
    expect(await moving(two.clock, (await two.troupe.handle(id)).result())).toBe(6)
    const turns = Array.from({ length: 7 }, (_, n) => [`first ${n}`, `second ${n}`])
    expect(executed).toEqual(turns.flat())
  })

  it('may stand in another, beside another, and after itself', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const count = (name: string, to: number) =>
        ctx.loop(name, 0, async (n, ctx) => {
          const inner = await ctx.loop('inner', 0, (m) => (m === 2 ? { done: m } : { again: m + 1 }))
          return n === to ? { done: n + inner } : { again: n + 1 }
        })
      const both = await Promise.all([count('a', 3), count('b', 5)])
      return [...both, await count('a', 1)]
    })
    const { troupe } = await onStage({ definitions: [flow] })
    expect(await troupe.run(flow)).toEqual([5, 7, 3])
  })

  it('is told of what is no turn, and of a name that is under way', async () => {
    const wrong = workflow('wrong', {}, (ctx) => ctx.loop('turn', 0, () => 7 as never))
    const clash = workflow('clash', {}, (ctx) => {
      const turn = () =>
        ctx.loop('turn', 0, async (n, ctx) => (await ctx.sleep('1s'), n === 1 ? { done: n } : { again: n + 1 }))
      return Promise.all([turn(), turn()])
    })
    const { troupe, clock } = await onStage({ definitions: [wrong, clash] })
    expect(await rejection(troupe.run(wrong))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining("A turn of ctx.loop('turn') is 7"),
    })
    expect(await moving(clock, rejection(troupe.run(clash)))).toMatchObject({ code: 'step_name_taken' })
  })

  it('of thousands of turns leaves a journal of two rows', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.loop('turn', 0, async (n, ctx) => {
        await ctx.step('one', () => n)
        return n === 2_000 ? { done: n } : { again: n + 1 }
      })
    })
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await handle.result()
    expect(await troupe.steps(handle.id)).toHaveLength(2)
  }, 60_000)
})

describe('a workflow that continues as new', () => {
  it('begins with another input and an empty journal, as the same run', async () => {
    const begun: number[] = []
    const flow = workflow('flow', {}, async (ctx, n: number) => {
      begun.push(n)
      const doubled = await ctx.step('double', () => n * 2)
      return n === 4 ? doubled : ctx.continueAsNew(n + 1)
    })
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow, 1)
    expect(await handle.result()).toBe(8)
    expect(begun).toEqual([1, 2, 3, 4])
    expect(await handle.status()).toMatchObject({ generation: 4, attempt: 1, input: 4 })
    expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual(['double'])
  })

  it('has keys of its own for what it does with each input, also when that is tried again', async () => {
    const keys: string[] = []
    const flow = workflow('flow', { retry: { attempts: 2, backoff: 'none' } }, async (ctx, month: number) => {
      const bill = async ({ idempotencyKey }: { idempotencyKey: string }) => {
        keys.push(`${month}: ${idempotencyKey.slice(36)}`)
        if (month === 2 && ctx.attempt === 1) throw new Error('closed')
      }
      await ctx.step('bill', bill, { retry: { attempts: 1 } })
      return month < 3 ? ctx.continueAsNew(month + 1) : 'billed'
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    expect(await moving(clock, troupe.run(flow, 1))).toBe('billed')
    expect(keys).toEqual(['1: /bill', '2: #2/bill', '2: #2/bill', '3: #4/bill'])
  })

  it('keeps what it was told, and goes on on another node', async () => {
    const flow = workflow('flow', {}, async (ctx, round: number) => {
      if (round === 1) return ctx.continueAsNew(2)
      return [round, await ctx.receive('go')]
    })
    const store = storeFile()
    const client = await onStage({ definitions: [flow], store, starts: false, node: 'client' })
    const { id } = await client.troupe.call(flow, 1)
    await client.troupe.tell(id, 'go', 'early')
    const node = await onStage({ definitions: [flow], store })
    expect(await moving(node.clock, (await node.troupe.handle(id)).result())).toEqual([2, 'early'])
  })

  it('stays in the time that its call gave it, and can be cancelled', async () => {
    const flow = workflow('flow', {}, async (ctx, n: number): Promise<never> => {
      await ctx.sleep('1s')
      return ctx.continueAsNew(n + 1)
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const timed = await troupe.call(flow, 0, { timeout: '1m' })
    expect(await moving(clock, rejection(timed.result()))).toMatchObject({ code: 'timed_out' })
    const other = await troupe.call(flow, 0)
    await eventually(async () => (await other.status()).state === 'running')
    expect(await moving(clock, other.cancel())).toBe(true)
  })

  it('is told of an input that cannot be one, and goes on', async () => {
    const flow = workflow('flow', {}, async (ctx, input: unknown) => {
      if (input === 'end') return 'ended'
      const error = await ctx.continueAsNew(() => 1).catch((caught: { code: string }) => caught.code)
      return error
    })
    const { troupe } = await onStage({ definitions: [flow] })
    expect(await troupe.run(flow, 1)).toBe('value_not_storable')
  })
})
