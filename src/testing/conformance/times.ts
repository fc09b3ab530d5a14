// What becomes ready by time, and the clock by which that is decided.
import assert from 'node:assert/strict'
import type { Clock } from '../../lib/clock.ts'
import { attempt, identity, leaseMs, park, same, startMs, type Cases, type Scene } from './scene.ts'

export const timeCases: Cases = {
  'wakes a parked run at its time and not before': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [park(held, startMs + 100)] })
    await scene.clock.advance(99)
    same(await scene.store.wakeRuns(10), { woken: 0, nextDueAt: startMs + 100, nextScheduleAt: null })
    same(await scene.node.claim(), [])
    await scene.clock.advance(1)
    same(await scene.store.wakeRuns(10), { woken: 1, nextDueAt: null, nextScheduleAt: null })
    assert.equal((await scene.node.claimOne()).id, id)
  },

  'tries a failed run again at its time, under its next attempt': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const retries = [{ held, attempt: 2, dueAt: startMs + 100 }]
    await scene.node.commit({ attempts: [attempt(held, '', 1)], retries })
    const row = await scene.store.findRun(id)
    same([row?.state, row?.attempt, row?.dueAt, row?.node], ['scheduled', 2, startMs + 100, null])
    await scene.clock.advance(100)
    await scene.store.wakeRuns(10)
    const again = await scene.node.claimOne()
    same([again.attempt, again.failedAttempts[0]?.failed], [2, 1])
  },

  'wakes the longest due first and no more than asked': async (scene) => {
    for (const [id, dueAt] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
      ['d', 40],
    ] as const) {
      await scene.start({ id, dueAt: startMs + dueAt })
    }
    await scene.clock.advance(30)
    same(await scene.store.wakeRuns(2), { woken: 2, nextDueAt: startMs + 30, nextScheduleAt: null })
    same(await statesOf(scene, 'abcd'), ['ready', 'ready', 'scheduled', 'scheduled'])
    same(await scene.store.wakeRuns(2), { woken: 1, nextDueAt: startMs + 40, nextScheduleAt: null })
  },

  'finds nothing to wake among runs without a time': async (scene) => {
    await scene.startAndClaim()
    await scene.start()
    same(await scene.store.wakeRuns(10), { woken: 0, nextDueAt: null, nextScheduleAt: null })
  },

  'wakes nothing twice': async (scene) => {
    await scene.start({ dueAt: startMs })
    const other = await scene.connect()
    const woken = await Promise.all([scene.store.wakeRuns(10), other.wakeRuns(10)])
    assert.equal(
      woken.reduce((sum, one) => sum + one.woken, 0),
      1,
    )
  },

  'takes times between two milliseconds as the later one': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const waits = [{ path: 'nap', kind: 'sleep', name: null, dueAt: startMs + 0.5 }] as const
    await scene.node.commit({ parks: [{ held, waits, dueAt: startMs + 0.5 }] })
    assert.equal((await scene.store.findRun(id))?.dueAt, startMs + 1)
    await scene.clock.advance(1)
    await scene.store.wakeRuns(1)
    const again = await scene.node.claimOne()
    await scene.node.commit({ retries: [{ held: again.held, attempt: 2, dueAt: startMs + 9.1 }] })
    assert.equal((await scene.store.findRun(id))?.dueAt, startMs + 10)
    const later = await scene.start({ dueAt: startMs + 20.9, deadlineAt: startMs + 40.9 })
    assert.equal((await scene.store.findRun(later))?.dueAt, startMs + 21)
  },

  'takes a time past all counting as the last that can be counted': async (scene) => {
    const id = await scene.start({ dueAt: 1e300 })
    assert.equal((await scene.store.findRun(id))?.dueAt, Number.MAX_SAFE_INTEGER)
    same(await scene.store.wakeRuns(1), { woken: 0, nextDueAt: Number.MAX_SAFE_INTEGER, nextScheduleAt: null })
  },

  'has a clock that never goes back when the wall clock does': async (scene) => {
    const wall = wallClock(scene.clock)
    const store = await scene.connect(wall)
    if (store === scene.store) return
    wall.at = startMs + 5_000
    assert.equal(store.now(), startMs + 5_000)
    wall.at = startMs + 1_000
    assert.equal(store.now(), startMs + 5_000)
    wall.at = startMs + 6_000
    assert.equal(store.now(), startMs + 6_000)
  },

  'has a clock that other connections follow with their lease, and that outlives them': async (scene) => {
    const wall = wallClock(scene.clock)
    const ahead = await scene.connect(wall)
    if (ahead === scene.store) return
    wall.at = startMs + 5_000
    await ahead.renewNode(await ahead.insertNode(identity('ahead'), leaseMs), leaseMs)
    assert.equal(scene.store.now(), startMs)
    await scene.store.renewNode(scene.node.nodeId, leaseMs)
    assert.equal(scene.store.now(), startMs + 5_000)
    assert.equal((await scene.connect()).now(), startMs + 5_000)
  },
}

async function statesOf({ store }: Scene, ids: string): Promise<unknown[]> {
  return Promise.all([...ids].map(async (id) => (await store.findRun(id))?.state))
}

/** A wall clock that someone sets. */
function wallClock(clock: Clock): Clock & { at: number } {
  return {
    at: clock.now(),
    now() {
      return this.at
    },
    monotonic: () => clock.monotonic(),
    after: (delayMs, fn) => clock.after(delayMs, fn),
    soon: (fn) => clock.soon(fn),
  }
}
