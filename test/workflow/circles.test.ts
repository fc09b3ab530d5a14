// Runs that would wait for themselves, as their keys make them one another's children: told, and never waited for.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import type { WorkflowContext } from '../../src/workflow/context.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection } from '../engine/stage.ts'

noUnhandledRejections()

const keyed = { idempotencyKey: String }

describe('a run that waits for itself', () => {
  it('because its key is that of what it calls is told so, with both names', async () => {
    const self = workflow('self', keyed, (ctx: WorkflowContext<string>, key: string) => ctx.run('self', key))
    const { troupe } = await onStage({ definitions: [self] })
    const handle = await troupe.call(self, 'k')
    const error = await rejection(handle.result())
    expect(error).toMatchObject({
      code: 'circular_wait',
      retryable: false,
      details: { runId: handle.id, name: 'self', awaitedId: handle.id, awaited: 'self' },
    })
    expect(error.message).toContain(`call of 'self' gave run ${handle.id} back to itself`)
  })

  it('is told so when it is only started and detached, too: nothing would have begun', async () => {
    const self = workflow('self', keyed, async (ctx: WorkflowContext<string>, key: string) => {
      await ctx.call('self', key, { detached: true })
    })
    const { troupe } = await onStage({ definitions: [self] })
    expect(await rejection(troupe.run(self, 'k'))).toMatchObject({ code: 'circular_wait' })
  })

  it('by way of a child is told so at once, remembers that, and may go another way', async () => {
    const top = workflow('top', keyed, async (ctx: WorkflowContext<string>, key: string) => [
      key,
      await ctx.run(mid, key),
    ])
    const mid = workflow('mid', {}, async (ctx, key: string): Promise<string> => {
      const error = await ctx.run('top', key).catch((caught: unknown) => caught)
      await ctx.sleep('1m')
      return (error as { code: string }).code
    })
    const { troupe, clock } = await onStage({ definitions: [top, mid] })
    const handle = await troupe.call(top, 'k')
    expect(await moving(clock, handle.result())).toEqual(['k', 'circular_wait'])
    const [child] = await troupe.runs({ name: 'mid' })
    const [first] = await troupe.steps(child?.id ?? '')
    expect(first).toMatchObject({ path: 'top', kind: 'child', error: { details: { awaitedId: handle.id } } })
  })

  it('leaves a run above it that another ends with where it was', async () => {
    const top = workflow('top', {}, (ctx, key: string) => ctx.run(mid, key))
    const mid = workflow('mid', keyed, async (ctx, key: string): Promise<void> => {
      await ctx.call(low, key)
      await ctx.sleep('1h')
    })
    const low = workflow('low', {}, async (ctx, key: string): Promise<void> => void (await ctx.run('mid', key)))
    const { troupe } = await onStage({ definitions: [top, mid, low] })
    const handle = await troupe.call(top, 'k')
    await eventually(async () => (await troupe.runs({ name: 'low', state: 'failed' })).length === 1)
    await handle.cancel()
    await eventually(async () => (await troupe.runs({ name: 'mid', state: 'cancelled' })).length === 1)
  })

  it('may make sure that a run above it is there, detached, and not wait for it', async () => {
    const top = workflow('top', keyed, async (ctx: WorkflowContext<string>, key: string) => [
      key,
      await ctx.run(mid, key),
    ])
    const mid = workflow('mid', {}, async (ctx, key: string): Promise<string> => {
      return (await ctx.call('top', key, { detached: true })).id
    })
    const { troupe } = await onStage({ definitions: [top, mid] })
    const handle = await troupe.call(top, 'k')
    expect(await handle.result()).toEqual(['k', handle.id])
  })
})

describe('runs that wait for one another', () => {
  const other = worker('other', {}, () => 'done')

  it('are told so when the last of them comes to rest, and only that one', async () => {
    const left = workflow('left', keyed, async (ctx: WorkflowContext<string>, key: string): Promise<unknown> => {
      await ctx.sleep('1m')
      return ctx.run('right', key)
    })
    const right = workflow('right', keyed, async (ctx: WorkflowContext<string>, key: string): Promise<unknown> => {
      await ctx.sleep('2m')
      const error = await ctx.run('left', key).catch((caught: unknown) => caught)
      return [(error as { code: string }).code, (error as Error).message, await ctx.run(other)]
    })
    const { troupe, clock } = await onStage({ definitions: [left, right, other] })
    const [one, two] = await Promise.all([troupe.call(left, 'k'), troupe.call(right, 'k')])
    const told = `Run ${two.id} of 'right' waits for run ${one.id} of 'left', which waits for it`
    const output = ['circular_wait', expect.stringContaining(told), 'done']
    expect(await moving(clock, two.result())).toEqual(output)
    expect(await moving(clock, one.result())).toEqual(output)
  })

  it('may do so while one of them also waits for something else', async () => {
    const left = workflow('left', keyed, (ctx: WorkflowContext<string>, key: string) => ctx.run('right', key))
    const right = workflow('right', keyed, async (ctx: WorkflowContext<string>, key: string): Promise<unknown> => {
      return Promise.race([ctx.run('left', key), ctx.receive('enough')])
    })
    const { troupe, clock } = await onStage({ definitions: [left, right] })
    // Neither is above the other: both were there before.
    const two = await troupe.call(right, 'k', { delay: '1m' })
    const one = await troupe.call(left, 'k')
    await clock.advance(90_000)
    await eventually(async () => (await troupe.runs({ state: 'parked' })).length === 2)
    await two.tell('enough', 'told')
    expect(await moving(clock, one.result())).toBe('told')
  })
})
