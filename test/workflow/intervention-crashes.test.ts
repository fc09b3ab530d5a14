// Forks and results by hand, while processes die before or after each of their commits: nothing is lost, doubled or undone twice.
import { expect, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { eventually, moving, onStage, rejection, turns, type Stage } from '../engine/stage.ts'
import { dyingStore, kept, withOwn, type Moment } from './dying-store.ts'

const effects: string[] = []

/** Reserves, then charges with a step that never ends by itself, beside a note; a card of that name fails at its end. */
const order = workflow('order', {}, async (ctx, card: string) => {
  const { runId } = ctx
  await ctx.step('reserve', () => void effects.push(`reserve ${runId}`), {
    undo: () => void effects.push(`free ${runId}`),
  })
  const [receipt] = await Promise.all([
    ctx.step('charge', () => deferred<string>().promise),
    ctx.step('note', () => void effects.push(`note ${runId}`)),
  ])
  if (card === 'stolen') throw new Error('the card is stolen')
  return ctx.step('ship', () => {
    effects.push(`ship ${runId}`)
    return `shipped with ${receipt}`
  })
})

it.each(['before', 'after'] as const)(
  'goes on with what was recorded by hand, whichever commit the process of the run dies %s',
  async (moment) => {
    let cut = 1
    while (await isCutAt(cut, moment)) cut += 1
    expect(cut).toBeGreaterThan(4)
  },
)

/** Plays the whole with a process that dies at a commit; false when it did not live to make so many. */
async function isCutAt(cut: number, moment: Moment): Promise<boolean> {
  effects.length = 0
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  const client = await engineOn(store, { clock, node: 'client', starts: false })
  const { dying, isDead } = dyingStore(store, cut, moment)
  const first = await engineOn(dying, { clock, node: 'first' })
  const handle = await client.troupe.call(order, 'stolen')
  // What nobody has begun is not resolved.
  while (!isDead() && !(await isNoted(client, handle.id))) await clock.advance(100)
  const early = isDead() ? await engineOn(store, { clock, node: 'second' }) : undefined
  while (!(await isNoted(client, handle.id))) await clock.advance(100)
  await handle.resolve('charge', { output: 'receipt by hand', force: true })
  const fork = await handle.fork({ input: 'good' })
  await turns(40)
  const last = early ?? (await engineOn(store, { clock, node: 'second' }))
  const where = `died ${moment} commit ${cut}`
  expect((await rejection(moving(clock, handle.result()))).message, where).toBe('the card is stolen')
  expect(await moving(clock, fork.result()), where).toBe('shipped with receipt by hand')
  for (const { id } of [handle, fork]) {
    const paths = (await client.troupe.steps(id)).map(({ path }) => path)
    expect(paths.length, where).toBe(new Set(paths).size)
    expect((await client.troupe.steps(id)).find(({ path }) => path === 'charge')?.attempt, where).toBe(0)
  }
  // Each run undoes what it did itself: this one once or, after a crash in the middle of that, twice with one key.
  const freed = effects.filter((one) => one.startsWith('free'))
  expect(new Set(freed), where).toEqual(new Set([`free ${handle.id}`]))
  expect(freed.length, where).toBeLessThan(3)
  expect(effects.filter((one) => one === `ship ${fork.id}`).length, where).toBeLessThan(3)
  const isCut = isDead()
  for (const stage of [last, client, first]) await stage.stop()
  return isCut
}

/** Whether a run has recorded what is beside the charge. */
async function isNoted({ troupe }: Stage, id: string): Promise<boolean> {
  await turns(5)
  return (await troupe.steps(id)).some(({ path }) => path === 'note')
}

it('is recorded once, whether the process of the one who asks dies before or after the commit', async () => {
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  const runs = await engineOn(store, { clock, node: 'runs' })
  for (const moment of ['before', 'after'] as const) {
    effects.length = 0
    const handle = await runs.troupe.call(order, 'good')
    await eventually(() => effects.length === 2)
    await turns(20)
    const dying = await engineOn(dyingBy(store, moment), { clock, node: 'dying', starts: false })
    const isDone = moment === 'after'
    void dying.troupe.resolve(handle.id, 'charge', { output: 'receipt 1', force: true }).catch(() => undefined)
    void dying.troupe.fork(handle.id, { from: 'note' }).catch(() => undefined)
    await turns(40)
    expect((await runs.troupe.runs()).filter(({ forkedFrom }) => forkedFrom === handle.id)).toHaveLength(isDone ? 1 : 0)
    // Asked again by somebody who does not know what became of it.
    const again = handle.resolve('charge', { output: 'receipt 2', force: true })
    const told = await again.then(
      () => 'resolved',
      (error: { code: string }) => error.code,
    )
    expect(told).toBe(isDone ? 'resolve_refused' : 'resolved')
    expect(await moving(clock, handle.result())).toBe(`shipped with receipt ${isDone ? 1 : 2}`)
    for (const run of await runs.troupe.runs({ state: ['ready', 'running', 'parked'] })) void runs.troupe.cancel(run.id)
    await dying.stop()
  }
  await runs.stop()
})

/** Waits with a token, after something that is undone when it fails. */
const signed = workflow('signed', {}, async (ctx, card: string) => {
  const { runId } = ctx
  await ctx.step('reserve', () => void effects.push(`reserve ${runId}`), {
    undo: () => void effects.push(`free ${runId}`),
  })
  await ctx.step('sign', async (step) => void (await step.later()))
  if (card === 'stolen') throw new Error('the card is stolen')
  return ctx.step('ship', () => 'shipped')
})

/** Two engines, and somebody who resolves, forks, cancels and tries again at moments that only the seed knows. */
it.each(Array.from({ length: 12 }, (_, seed) => seed))('holds at random moments: seed %i', async (seed) => {
  effects.length = 0
  const random = seededRandom(seed + 1)
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  const stages = [await engineOn(store, { clock, node: 'one' }), await engineOn(store, { clock, node: 'two' })]
  const client = await engineOn(store, { clock, node: 'client', starts: false })
  const { troupe } = client
  const ids = [(await troupe.call(signed, 'good')).id, (await troupe.call(signed, 'stolen')).id]
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const keep = ({ id }: { readonly id: string }): void => void ids.push(id)
  const actions: ((id: string) => Promise<unknown>)[] = [
    (id) => troupe.resolve(id, 'sign', { output: 'by hand' }),
    (id) => troupe.fork(id, { from: pick(['reserve', 'sign']) }).then(keep),
    (id) => troupe.fork(id).then(keep),
    (id) => troupe.retry(id),
    (id) => troupe.cancel(id),
  ]
  for (let round = 0; round < 16; round++) {
    // What its state forbids is refused; the rest is looked at below.
    const done = [pick(actions)(pick(ids)), pick(actions)(pick(ids))].map((one) => one.catch(() => undefined))
    await turns(Math.floor(random() * 12))
    await moving(clock, Promise.all(done))
  }
  for (const id of ids) {
    for (let tries = 0; (await troupe.get(id))?.finishedAt === undefined; tries++) {
      expect(tries, `${id} ends`).toBeLessThan(500)
      await troupe.resolve(id, 'sign', { output: 'by hand' }).catch(() => undefined)
      await clock.advance(100)
    }
    const paths = (await troupe.steps(id)).map(({ path }) => path)
    expect(paths.length).toBe(new Set(paths).size)
    // Nothing is undone that this run did not do, and nothing twice.
    expect(count(`free ${id}`)).toBeLessThanOrEqual(count(`reserve ${id}`))
    if ((await troupe.get(id))?.state === 'failed') expect(count(`free ${id}`)).toBe(count(`reserve ${id}`))
  }
  for (const stage of [...stages, client]) await stage.stop()
})

function count(effect: string): number {
  return effects.filter((one) => one === effect).length
}

function engineOn(store: Store, options: { clock: ManualClock; node: string; starts?: boolean }): Promise<Stage> {
  const { clock, node, starts = true } = options
  return onStage({ definitions: [order, signed], clock, node, starts, global: false, world: { store: kept(store) } })
}

/** The store of a process that dies with what it asks of runs by hand. */
function dyingBy(store: Store, moment: Moment): Store {
  const never = (): Promise<never> => new Promise(() => {})
  const { operating } = store
  return withOwn(store, {
    operating: withOwn(operating, {
      forkRun: (...order) => (moment === 'before' ? never() : operating.forkRun(...order).then(never)),
      resolveStep: (...order) => (moment === 'before' ? never() : operating.resolveStep(...order).then(never)),
    }),
  })
}
