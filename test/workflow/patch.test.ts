// ctx.patch: the code of a workflow is changed while runs of it are under way.
import { expect, it } from 'vitest'
import { workflow, type Definition } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

const before = workflow('order', {}, async (ctx) => {
  const first = await ctx.step('first', () => 'first')
  const paid = await ctx.step('bill', () => 'billed')
  await ctx.sleep('1m')
  return [first, paid]
})

const after = workflow('order', {}, async (ctx) => {
  const first = await ctx.step('first', () => 'first')
  const isNew = await ctx.patch('card')
  const paid = isNew ? await ctx.step('card', () => 'charged') : await ctx.step('bill', () => 'billed again')
  await ctx.sleep('1m')
  await ctx.sleep('1m')
  return [first, paid, await ctx.patch('later')]
})

async function parkedRun(store: string, definition: Definition<void>): Promise<string> {
  const one = await onStage({ definitions: [definition], store })
  const { id } = await one.troupe.call(definition)
  await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
  await one.stop()
  return id
}

it('a run that was further goes its old way, a new one the new, and both come to what was changed behind', async () => {
  const store = storeFile()
  const old = await parkedRun(store, before)
  const fresh = await parkedRun(store, after)
  const { troupe, clock } = await onStage({ definitions: [after], store })
  const results = [old, fresh].map(async (id) => (await troupe.handle(id)).result())
  expect(await moving(clock, Promise.all(results))).toEqual([
    ['first', 'billed', true],
    ['first', 'charged', true],
  ])
  const kinds = (await troupe.steps(fresh)).filter(({ kind }) => kind === 'patch').map(({ path }) => path)
  expect(kinds).toEqual(['patch card', 'patch later'])
})

it('a run that waited behind the place, and remembers nothing, had been further', async () => {
  const store = storeFile()
  const waits = workflow('order', {}, async (ctx) => {
    await ctx.sleep('1m')
    return 'old'
  })
  const patched = workflow('order', {}, async (ctx) => {
    const isNew = await ctx.patch('sooner')
    await ctx.sleep('1m')
    return isNew ? 'new' : 'old'
  })
  const old = await parkedRun(store, waits)
  const { troupe, clock } = await onStage({ definitions: [patched], store })
  expect(await moving(clock, (await troupe.handle(old)).result())).toBe('old')
  expect(await moving(clock, troupe.run(patched))).toBe('new')
})

it('is asked for as often as one likes, and is the same each time', async () => {
  const flow = workflow('flow', {}, async (ctx) => {
    const first = await ctx.patch('p')
    await ctx.step('a', () => 1)
    return [first, await ctx.patch('p'), await ctx.scope('in', (ctx) => ctx.patch('p'))]
  })
  const { troupe } = await onStage({ definitions: [flow] })
  expect(await troupe.run(flow)).toEqual([true, true, true])
})
