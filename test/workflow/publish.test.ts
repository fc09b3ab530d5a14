// ctx.publish: once in the life of a run, in the commit that remembers it.
import { describe, expect, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, onStage, rejection, turns, type Stage } from '../engine/stage.ts'
import { dyingStore, kept, type Moment } from './dying-store.ts'

const order = workflow('order', {}, async (ctx, id: number) => {
  await ctx.step('charge', () => `charged ${id}`)
  await ctx.publish('order.paid', { id })
  await ctx.publish('order.paid', { id, again: true })
  return ctx.step('ship', () => `shipped ${id}`)
})

describe('ctx.publish', () => {
  it('tells those who subscribed, also after the run was parked, and not again', async () => {
    const waits = workflow('waits', {}, async (ctx) => {
      await ctx.publish('order.made', 1)
      await ctx.publish('order.made', 2, { mode: 'fast' })
      await ctx.receive('go')
      await ctx.publish('order.made', 3, { mode: 'broadcast' })
    })
    const { troupe } = await onStage({ definitions: [waits] })
    const seen: unknown[] = []
    await troupe.subscribe('order.*', (payload) => void seen.push(payload))
    const run = await troupe.call(waits)
    await eventually(async () => (await run.status()).state === 'parked' && seen.length === 2)
    await run.tell('go')
    await run.result()
    await eventually(() => seen.length === 3)
    expect(seen.toSorted()).toEqual([1, 2, 3])
  })

  it('refuses what troupe.publish refuses', async () => {
    const wrong = workflow('wrong', {}, (ctx) => ctx.publish('order.*'))
    const { troupe } = await onStage({ definitions: [wrong] })
    expect(await rejection(troupe.run(wrong))).toMatchObject({ code: 'option_invalid' })
  })

  it.each(['before', 'after'] as const)(
    'I1: publishes each once, whichever commit its process dies %s',
    async (moment) => {
      let cut = 1
      while (await isCutAt(cut, moment)) cut += 1
      // Commits bring several things at once.
      expect(cut).toBeGreaterThan(4)
    },
  )
})

/** Plays the whole with a process that dies at a commit; false when it did not live to make so many. */
async function isCutAt(cut: number, moment: Moment): Promise<boolean> {
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  const mail = { pattern: 'order.*', group: 'mail', takes: 'durable', until: null } as const
  const subscription = await store.events.addSubscription(mail)
  const client = await engineOn(store, { clock, node: 'client', starts: false })
  const { dying, isDead } = dyingStore(store, cut, moment)
  const first = await engineOn(dying, { clock, node: 'first' })
  let isOver = false
  const started = first.troupe.run(order, 7, { idempotencyKey: 'one' })
  started.then(
    () => (isOver = true),
    () => undefined,
  )
  for (let turn = 0; turn < 500 && !isDead() && !isOver; turn++) await turns(1)
  await turns(40)
  const isCut = isDead()
  const second = await engineOn(store, { clock, node: 'second' })
  const handle = await client.troupe.call(order, 7, { idempotencyKey: 'one' })
  expect(await moving(clock, handle.result()), `died ${moment} commit ${cut}`).toBe('shipped 7')
  const events = await store.events.take({ subscriptions: [subscription], limit: 9, until: 0 })
  expect(events.map(({ value }) => value)).toEqual(['j{"id":7}', 'j{"id":7,"again":true}'])
  for (const stage of [second, client, first]) await stage.stop()
  return isCut
}

function engineOn(store: Store, options: { clock: ManualClock; node: string; starts?: boolean }): Promise<Stage> {
  const { clock, node, starts = true } = options
  return onStage({ definitions: [order], clock, node, starts, global: false, world: { store: kept(store) } })
}
