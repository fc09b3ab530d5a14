// Asks and answers, while the process of the run dies before or after each of its commits: none is lost, none is doubled.
import { expect, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { moving, onStage, turns, type Stage } from '../engine/stage.ts'
import { dyingStore, kept, type Moment } from './dying-store.ts'

const effects: number[] = []

/** Adds up what it is told and asked; what it is asked it notes in a step. */
const sum = workflow('sum', {}, async (ctx) => {
  let total = 0
  ctx.answer('add', async (n: number, ctx) => {
    const then = (total += n)
    await ctx.step('note', () => void effects.push(n))
    return then
  })
  for (;;) {
    const told = await ctx.receive<number | 'stop'>('told')
    if (told === 'stop' || told === null) return total
    total += told
  }
})

it.each(['before', 'after'] as const)('answers once, whichever commit its process dies %s', async (moment) => {
  let cut = 1
  while (await isCutAt(cut, moment)) cut += 1
  // Commits bring several things at once.
  expect(cut).toBeGreaterThan(4)
})

/** Plays the whole with a process that dies at a commit; false when it did not live to make so many. */
async function isCutAt(cut: number, moment: Moment): Promise<boolean> {
  effects.length = 0
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  const client = await engineOn(store, { clock, node: 'client', starts: false })
  const { dying, isDead } = dyingStore(store, cut, moment)
  const first = await engineOn(dying, { clock, node: 'first' })
  const handle = await client.troupe.call(sum)
  const answers = [handle.ask('add', 1, { timeout: '10m' })]
  await until(() => isDead() || effects.length === 1)
  await handle.tell('told', 10)
  answers.push(handle.ask('add', 100, { timeout: '10m' }))
  await until(() => isDead() || effects.length === 2)
  await turns(40)
  const second = await engineOn(store, { clock, node: 'second' })
  expect(await moving(clock, Promise.all(answers)), `died ${moment} commit ${cut}`).toEqual([1, 111])
  await handle.tell('told', 'stop')
  expect(await moving(clock, handle.result())).toBe(111)
  const asks = (await client.troupe.steps(handle.id)).filter(({ kind }) => kind === 'ask' || kind === 'answer')
  expect(asks.map(({ path }) => path).sort()).toEqual([
    'answer add',
    'answer add#2',
    'answer add#2[answer]',
    'answer add[answer]',
  ])
  // A step whose commit was cut off is done again, and no other.
  expect(effects.filter((n) => n === 1).length).toBeLessThan(3)
  const isCut = isDead()
  for (const stage of [second, client, first]) await stage.stop()
  return isCut
}

function engineOn(store: Store, options: { clock: ManualClock; node: string; starts?: boolean }): Promise<Stage> {
  const { clock, node, starts = true } = options
  return onStage({ definitions: [sum], clock, node, starts, global: false, world: { store: kept(store) } })
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !isSo(); turn++) await turns(1)
}
