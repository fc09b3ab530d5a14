// Entities whose process dies before or after each of their commits: what was told is handled once, and money is neither lost nor made.
import { expect, it } from 'vitest'
import { entity, type EntityContext } from '../../src/index.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { observedStore } from '../../src/testing/observed-store.ts'
import { eventually, moving, onStage, turns, type Stage } from '../engine/stage.ts'
import { dyingStore, kept, type Moment } from '../workflow/dying-store.ts'

interface Account {
  balance: number
  seen: string[]
}

const account = entity(
  'account',
  { state: (): Account => ({ balance: 0, seen: [] }), idle: '1s' },
  {
    deposit(ctx, id: string, amount: number): number {
      ctx.state.balance += amount
      ctx.state.seen.push(id)
      return ctx.state.balance
    },
    transfer(ctx: EntityContext<Account>, id: string, to: string, amount: number): number {
      ctx.state.balance -= amount
      ctx.state.seen.push(id)
      void ctx.entity('account', to).tell('deposit', id, amount)
      ctx.remind(id, '2s', ['noted', id])
      return ctx.state.balance
    },
    noted(ctx, id: string) {
      ctx.state.seen.push(`noted ${id}`)
    },
    look: (ctx) => ctx.state,
  },
)

it.each(['before', 'after'] as const)(
  'handles each message once, whichever commit its process dies %s',
  async (moment) => {
    let cut = 1
    while (await isCutAt(cut, moment)) cut += 1
    expect(cut).toBeGreaterThan(8)
  },
  60_000,
)

/** Plays the whole with a process that dies at a commit; false when it did not live to make so many. */
async function isCutAt(cut: number, moment: Moment): Promise<boolean> {
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  const client = await engineOn(store, { clock, node: 'client', starts: false })
  const { dying, isDead } = dyingStore(store, cut, moment)
  const first = await engineOn(dying, { clock, node: 'first' })
  const [ann, bob] = ['ann', 'bob'].map((key) => client.troupe.entity(account, key, { timeout: '10m' }))
  if (ann === undefined || bob === undefined) throw new Error('nobody')
  const replies = [ann.ask('deposit', 'a', 100), ann.ask('transfer', 'b', 'bob', 30)]
  await turns(60)
  await bob.tell('transfer', 'c', 'ann', 5)
  replies.push(ann.ask('transfer', 'd', 'bob', 1))
  await turns(60)
  await clock.advance(4_000)
  await turns(20)
  const second = await engineOn(store, { clock, node: 'second' })
  expect(await moving(clock, Promise.all(replies)), `died ${moment} commit ${cut}`).toEqual([
    100,
    70,
    expect.anything(),
  ])
  const look = (): Promise<Account[]> => moving(clock, Promise.all([ann.ask('look'), bob.ask('look')]))
  let [hers, his] = await look()
  for (let tries = 0; tries < 20 && (hers?.seen.length ?? 0) + (his?.seen.length ?? 0) < 10; tries++) {
    await clock.advance(1_000)
    ;[hers, his] = await look()
  }
  expect([hers?.balance, his?.balance], `died ${moment} commit ${cut}`).toEqual([74, 26])
  expect([...(hers?.seen ?? [])].sort()).toEqual(['a', 'b', 'c', 'd', 'noted b', 'noted d'])
  expect([...(his?.seen ?? [])].sort()).toEqual(['b', 'c', 'd', 'noted c'])
  const runs = await client.troupe.runs({ name: 'account' })
  expect(runs.length).toBe(2)
  for (const { id } of runs) expect([await client.troupe.unread(id), await client.troupe.steps(id)]).toEqual([[], []])
  const isCut = isDead()
  for (const stage of [second, client, first]) await stage.stop()
  return isCut
}

it('I7: keeps nothing of a process that was taken for dead while it handled a message', async () => {
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  let isFrozen = false
  let thaw = (): void => {}
  const thawed = new Promise<void>((resolve) => (thaw = resolve))
  const slow = entity(
    'slow',
    { state: () => [] as string[] },
    {
      async add(ctx, item: string) {
        ctx.state.push(`${item} in ${isFrozen ? 'the second' : 'the first'}`)
        if (!isFrozen) {
          isFrozen = true
          await thawed
        }
        return ctx.state
      },
    },
  )
  const cutOff = kept(
    observedStore(
      store,
      observing(() => isFrozen),
    ),
  )
  const first = await onStage({ definitions: [slow], clock, node: 'first', global: false, world: { store: cutOff } })
  const client = await onStage({
    definitions: [slow],
    clock,
    node: 'client',
    starts: false,
    global: false,
    world: { store: kept(store) },
  })
  const asked = client.troupe.entity(slow, '1', { timeout: '5m' }).ask('add', 'x')
  await clock.advance(1_000)
  await eventually(() => isFrozen)
  const second = await onStage({
    definitions: [slow],
    clock,
    node: 'second',
    global: false,
    world: { store: kept(store) },
  })
  expect(await moving(clock, asked)).toEqual(['x in the second'])
  thaw()
  await turns()
  expect(await moving(clock, client.troupe.entity(slow, '1').ask('add', 'y'))).toEqual([
    'x in the second',
    'y in the second',
  ])
  for (const stage of [second, client, first]) await stage.stop()
})

it('refuses a message that kills its process again and again, and handles what is behind it', async () => {
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  let dies = (): void => {}
  let deaths = 0
  const frail = entity(
    'frail',
    { state: () => [] as string[] },
    {
      add: (ctx, item: string) => ctx.state.push(item),
      kill() {
        deaths += 1
        dies()
        return new Promise(() => {})
      },
      look: (ctx) => ctx.state,
    },
  )
  const client = await onStage({
    definitions: [frail],
    clock,
    node: 'client',
    starts: false,
    global: false,
    world: { store: kept(store) },
  })
  const one = client.troupe.entity(frail, '1', { timeout: '60m' })
  for (const item of ['a', 'b']) await one.tell('add', item)
  await one.tell('kill')
  await one.tell('add', 'c')
  const look = one.ask('look')
  let isOver = false
  void look.then(() => (isOver = true))
  for (let life = 0; life < 9 && !isOver; life++) {
    let isDead = false
    dies = () => void (isDead = true)
    const cutOff = kept(
      observedStore(
        store,
        observing(() => isDead),
      ),
    )
    const stage = await onStage({
      definitions: [frail],
      clock,
      node: `life ${life}`,
      global: false,
      world: { store: cutOff },
    })
    for (let step = 0; step < 200 && !isOver && !isDead; step++) await clock.advance(500)
    await stage.stop()
  }
  expect(await moving(clock, look)).toEqual(['a', 'b', 'c'])
  expect(deaths).toBe(4)
  const [run] = await client.troupe.runs({ name: 'frail' })
  expect(await client.troupe.unread(run?.id ?? '')).toMatchObject([
    { name: 'kill', refused: expect.stringContaining('3 processes died') },
  ])
  await client.stop()
}, 60_000)

it('outlives any number of processes that die while it has nothing to do', async () => {
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  const client = await engineOn(store, { clock, node: 'client', starts: false })
  const ann = client.troupe.entity(account, 'ann', { timeout: '10m' })
  const asked = ann.ask('deposit', 'a', 5)
  for (let life = 0; life < 7; life++) {
    let isDead = false
    const stage = await engineOn(
      observedStore(
        store,
        observing(() => isDead),
      ),
      { clock, node: `life ${life}` },
    )
    if (life === 0) await moving(clock, asked)
    for (let step = 0; step < 100 && stage.troupe.runningHere().length === 0; step++) await clock.advance(500)
    expect(stage.troupe.runningHere().length).toBe(1)
    await turns(10)
    isDead = true
    await stage.stop()
  }
  const last = await engineOn(store, { clock, node: 'last' })
  expect(await moving(clock, ann.ask('look'))).toEqual({ balance: 5, seen: ['a'] })
  for (const stage of [last, client]) await stage.stop()
}, 60_000)

function observing(isCutOff: () => boolean): Parameters<typeof observedStore>[1] {
  return {
    asked: () => () => {},
    committing: () => {},
    committed: () => {},
    published: () => {},
    named: () => {},
    isCutOff,
  }
}

function engineOn(store: Store, options: { clock: ManualClock; node: string; starts?: boolean }): Promise<Stage> {
  const { clock, node, starts = true } = options
  return onStage({ definitions: [account], clock, node, starts, global: false, world: { store: kept(store) } })
}
