// The idempotencyKey of steps: one for one piece of work, however often that is tried, and another one for other work.
import { describe, expect, it } from 'vitest'
import { PermanentError, workflow, type RunHandle, type Troupe } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

/** What the outside world is given, without the id of the run. */
function outside() {
  const keys: string[] = []
  const call = ({ idempotencyKey }: { readonly idempotencyKey: string }): void =>
    void keys.push(idempotencyKey.slice(36))
  return { keys, call }
}

async function endOf(troupe: Troupe, handle: RunHandle): Promise<string> {
  return eventually(async () => {
    const state = (await troupe.get(handle.id))?.state
    return state === 'failed' || state === 'succeeded' ? state : undefined
  })
}

describe('the idempotencyKey of a step', () => {
  it('is another one each time the run goes on as a new one, also in what it is asked', async () => {
    const { keys, call } = outside()
    const plan = workflow('plan', {}, async (ctx, month: number) => {
      ctx.answer('add', (_item: string, own) => own.step('charge', call))
      await ctx.step('bill', call)
      await ctx.receive('month over')
      return month === 3 ? 'ended' : ctx.continueAsNew(month + 1)
    })
    const { troupe } = await onStage({ definitions: [plan] })
    const handle = await troupe.call(plan, 1)
    for (const month of [1, 2, 3]) {
      await eventually(() => keys.length === 2 * month - 1)
      await handle.ask('add', 'item')
      await handle.tell('month over')
    }
    expect(await handle.result()).toBe('ended')
    expect(keys).toEqual([
      '/bill',
      '/answer add/charge',
      '#2/bill',
      '#2/answer add/charge',
      '#3/bill',
      '#3/answer add/charge',
    ])
  })

  it('is another one in each turn of a loop', async () => {
    const { keys, call } = outside()
    const turns = workflow('turns', {}, (ctx) =>
      ctx.loop('l', 1, async (n, own) => {
        await own.step('bill', call)
        return n === 3 ? { done: n } : { again: n + 1 }
      }),
    )
    const { troupe } = await onStage({ definitions: [turns] })
    await troupe.run(turns)
    expect(keys).toEqual(['/l[1]/bill', '/l[2]/bill', '/l[3]/bill'])
  })

  it('is another one for what was undone and is done again, and so is that of its undo', async () => {
    const { keys, call } = outside()
    const failing = { failures: 2 }
    const order = workflow('order', {}, async (ctx) => {
      await ctx.step('charge', call, { undo: (_output, step) => call(step) })
      await ctx.step('ship', (step) => {
        call(step)
        if (failing.failures-- > 0) throw new PermanentError('no lorry')
      })
    })
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order)
    expect(await endOf(troupe, handle)).toBe('failed')
    expect(keys.splice(0)).toEqual(['/charge', '/ship', '/charge/undo'])
    await handle.retry()
    expect(await endOf(troupe, handle)).toBe('failed')
    expect(keys.splice(0)).toEqual(['#2/charge', '/ship', '#2/charge/undo'])
    await handle.retry()
    await handle.result()
    expect(keys).toEqual(['#3/charge', '/ship'])
  })

  it('stays the same for what was not undone: for every attempt of the step and of the run, after a crash and a retry by hand', async () => {
    const { keys, call } = outside()
    const store = storeFile()
    let failures = 4
    const order = workflow('order', { retry: { attempts: 2, backoff: 'none' } }, async (ctx, life: number) => {
      if (life === 1) return ctx.continueAsNew(2)
      await ctx.step(
        'charge',
        (step) => {
          call(step)
          if (failures-- > 0) throw new Error('declined')
        },
        { retry: { attempts: 2, backoff: 'none' }, undo: () => undefined },
      )
      await ctx.receive('go')
      await ctx.step('ship', call)
    })
    const first = await onStage({ definitions: [order], store })
    const handle = await first.troupe.call(order, 1)
    await moving(first.clock, endOf(first.troupe, handle))
    expect(keys.splice(0)).toEqual(['#2/charge', '#2/charge', '#2/charge', '#2/charge'])
    await handle.retry()
    await eventually(() => keys.length === 1)
    await first.stop()
    const second = await onStage({ definitions: [order], store })
    await second.troupe.tell(handle.id, 'go')
    await moving(
      second.clock,
      second.troupe.handle(handle.id).then((again) => again.result()),
    )
    expect(keys).toEqual(['#2/charge', '#2/ship'])
  })

  it('is that of its own undo alone where a step is named so', async () => {
    const { keys, call } = outside()
    let fails = true
    const order = workflow('order', {}, async (ctx) => {
      await ctx.scope('flight', (own) => own.step('undo', call, { undo: (_output, step) => call(step) }))
      if (fails) throw new PermanentError('no')
    })
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order)
    await rejection(handle.result())
    fails = false
    await handle.retry()
    await handle.result()
    expect(keys).toEqual(['/flight/undo', '/flight/undo/undo', '#2/flight/undo'])
  })
})
