// Troupe's side of the workflow bench: one process, and a store that makes each commit durable.
import { join } from 'node:path'
import { Troupe, workflow, type Definition } from 'troupe'
import { wait } from '../measure.ts'

export const threeSteps = workflow('three-steps', {}, async (ctx, i: number) => {
  const a = await ctx.step('a', () => ({ ok: true, i }))
  const b = await ctx.step('b', () => ({ ok: true, i: a.i + 1 }))
  return ctx.step('c', () => ({ ok: true, i: b.i + 1 }))
})

/** As many steps at the same time as it is told. */
export const wide = workflow('wide', {}, async (ctx, count: number) => {
  const results = await Promise.all(
    Array.from({ length: count }, (_, i) => ctx.step(`step-${i}`, () => ({ ok: true, i }))),
  )
  return results.length
})

/** As many steps, one after the other. */
export const long = workflow('long', {}, async (ctx, count: number) => {
  for (let i = 0; i < count; i++) await ctx.step(`step-${i}`, () => ({ ok: true, i }))
  return count
})

export const withTroupe = <T>(
  folder: string,
  definitions: readonly Definition[],
  use: (troupe: Troupe) => Promise<T>,
): Promise<T> => withTroupeOn(`sqlite:${join(folder, 'troupe.db')}`, definitions, use)

export async function withTroupeOn<T>(
  store: string,
  definitions: readonly Definition[],
  use: (troupe: Troupe) => Promise<T>,
): Promise<T> {
  const troupe = await Troupe.open({ store, definitions })
  await troupe.start()
  try {
    return await use(troupe)
  } finally {
    await troupe.stop()
  }
}

export async function countParked(troupe: Troupe): Promise<number> {
  return (await troupe.queues()).reduce((sum, { parked }) => sum + parked, 0)
}

/** Resolves once so many runs wait, parked. */
export async function areParked(troupe: Troupe, count: number): Promise<void> {
  while ((await countParked(troupe)) !== count) await wait(5)
}
