// Circuit breakers as people see them, and what waits while one is open.
import { describe, expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { TroupeError } from '../../src/lib/errors.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { kept, withOwn } from '../workflow/dying-store.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, turns, type StageOptions } from './stage.ts'

noUnhandledRejections()

const full = (): TroupeError => new TroupeError('store_full', 'There is no room on the disk.')

/** An engine whose store may refuse. */
async function onShakyStore(own: (store: Store) => Partial<Store>, options: StageOptions = {}) {
  const clock = new ManualClock(1_000)
  const store = kept(await openSqlite({ path: ':memory:', synchronous: 'full', clock }))
  return onStage({ ...options, clock, world: { store: withOwn(store, own(store)) } })
}

describe('C5: results from outside', () => {
  it('wait while the store is in trouble, and none is dropped', async () => {
    let isBroken = false
    const tokens: string[] = []
    const later = worker('later', {}, async (ctx) => void tokens.push(await ctx.later()))
    const { troupe, clock } = await onShakyStore(
      (store) => ({
        commit: (batch) =>
          isBroken && (batch.completions?.length ?? 0) > 0 ? Promise.reject(full()) : store.commit(batch),
      }),
      { definitions: [later] },
    )
    const runs = [await troupe.call(later), await troupe.call(later)]
    await eventually(async () =>
      (await Promise.all(runs.map((run) => run.status()))).every((at) => at.state === 'parked'),
    )
    const [token = '', other = ''] = tokens
    isBroken = true
    for (let n = 0; n < 5; n++) expect(await rejection(troupe.complete(token, n))).toMatchObject({ code: 'store_full' })
    const { status, reasons, breakers } = await troupe.health()
    expect(breakers).toEqual([
      { name: 'commits', state: 'open', failures: 5, openedAt: 1_000, retryAt: null },
      { name: 'completions', state: 'open', failures: 5, openedAt: 1_000, retryAt: 31_000 },
    ])
    expect([status, reasons]).toEqual([
      'failing',
      [
        "The breaker 'commits' is open after 5 failures in a row: it is tried again with the next write.",
        "The breaker 'completions' is open after 5 failures in a row: it is tried again in 30s.",
      ],
    ])
    isBroken = false
    const answers: string[] = []
    const waiting = [troupe.complete(token, 'one'), troupe.fail(other, new Error('two'))]
    for (const each of waiting) void each.then((answer) => answers.push(answer))
    await clock.advance(20_000)
    await turns()
    expect(answers).toEqual([])
    await moving(clock, Promise.all(waiting))
    expect(answers).toEqual(['accepted', 'accepted'])
    expect(await runs[0]?.result()).toBe('one')
    expect((await rejection(runs[1]?.result() ?? Promise.resolve())).message).toBe('two')
    const healed = await troupe.health()
    expect([healed.status, healed.breakers.map(({ state }) => state)]).toEqual(['ok', ['closed', 'closed']])
  })

  it('says degraded while it tries again', async () => {
    let isBroken = true
    const { troupe, clock } = await onShakyStore((store) => ({
      findToken: (hash) => (isBroken ? Promise.reject(full()) : store.findToken(hash)),
    }))
    for (let n = 0; n < 5; n++) await rejection(troupe.complete('token', n))
    await clock.advance(30_000)
    const { status, reasons } = await troupe.health()
    expect([status, reasons]).toEqual([
      'degraded',
      ["The breaker 'completions' is half open after 5 failures in a row: a few are tried to see whether it works."],
    ])
    isBroken = false
    expect(await troupe.complete('token', 1)).toBe('not_found')
    expect(await troupe.complete('token', 1)).toBe('not_found')
    expect((await troupe.status()).breakers.map(({ state }) => state)).toEqual(['closed', 'closed'])
  })

  it('that are no fault of the store open nothing', async () => {
    const { troupe } = await onStage()
    for (let n = 0; n < 6; n++) expect(await troupe.complete(`token ${n}`, n)).toBe('not_found')
    expect((await troupe.health()).status).toBe('ok')
  })
})

describe('C12: a part that cannot go on', () => {
  it('neither spins nor floods the log: a store that gives no events is asked once a second', async () => {
    let asked = 0
    const { troupe, clock, log, stop } = await onShakyStore((store) => ({
      events: withOwn(store.events, {
        take: () => {
          asked += 1
          return Promise.reject(full())
        },
      }),
    }))
    await troupe.subscribe('*', () => {})
    const before = asked
    for (let second = 0; second < 10; second++) {
      await clock.advance(1_000)
      await turns(3)
    }
    expect(asked - before).toBe(10)
    const told = log.lines.filter(({ message }) => message === 'looking for events failed')
    expect(told.length).toBe(asked)
    await stop()
    const after = asked
    await clock.advance(60_000)
    expect([asked, (await rejection(troupe.complete('token', 1))).code]).toEqual([after, 'engine_stopped'])
  })
})
