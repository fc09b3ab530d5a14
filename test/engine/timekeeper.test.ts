// The timekeeper by itself: what its answers mean when the node has changed meanwhile.
import { describe, expect, it, onTestFinished } from 'vitest'
import { ActorSystem } from '../../src/actor/system.ts'
import { Counts } from '../../src/engine/counts.ts'
import { Timekeeper, type TimekeeperOptions } from '../../src/engine/membership/timekeeper.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { createIds } from '../../src/lib/ids.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'

const leaseMs = 300

async function onDuty(): Promise<{
  store: Store
  node: { nodeId: number; seq: number }
  timekeeper: Timekeeper
  doubts: number[]
  clock: ManualClock
  log: RecordedLog
}> {
  const clock = new ManualClock(1_000)
  const store = await openStore('sqlite::memory:', { clock, synchronous: 'normal' })
  onTestFinished(() => store.close())
  const doubts: number[] = []
  const node = { nodeId: await register(store), seq: 0 }
  const options: TimekeeperOptions = {
    node,
    leaseMs,
    maxDeliveries: 5,
    counts: new Counts(),
    stale: { lifecycles: () => new Map(), failed: () => {} },
    repairs: false,
    isProvedDead: () => false,
    isHeld: () => false,
    hint: () => {},
    expired: () => {},
    givenUp: () => {},
    fireSchedules: () => Promise.resolve({ started: 0, nextAt: null }),
    drain: () => {},
    outdated: () => {},
    leaseInDoubt: () => void doubts.push(node.nodeId),
  }
  const log = new RecordedLog()
  const deps = { store, clock, log, ids: createIds(clock), failpoint: () => {} }
  return { store, node, timekeeper: new Timekeeper(deps, options), doubts, clock, log }
}

function register(store: Store): Promise<number> {
  return store.insertNode({ name: 'test', bootId: null, pidNamespace: null, pid: 1, pidStartedAt: null }, leaseMs)
}

describe('a renewal that finds no node', () => {
  it('puts what runs here in doubt', async () => {
    const { store, node, timekeeper, doubts } = await onDuty()
    await store.deleteNode(node.nodeId)
    await timekeeper.beat()
    expect(doubts).toEqual([node.nodeId])
  })

  it('says nothing of what the node claimed after it had started anew', async () => {
    const { store, node, timekeeper, doubts } = await onDuty()
    await store.deleteNode(node.nodeId)
    const renew = store.renewNode.bind(store)
    const isThere = deferred<void>()
    // As on a file that another process has locked: what was asked later comes first.
    store.renewNode = (...asked) => renew(...asked).finally(() => isThere.promise)
    const beat = timekeeper.beat()
    node.nodeId = await register(store)
    isThere.resolve()
    await beat
    expect(doubts).toEqual([])
  })
})

describe('what becomes due while it stops', () => {
  it('is no dead letter', async () => {
    const { store, timekeeper, clock, log } = await onDuty()
    const system = new ActorSystem({ clock, log })
    const [ref, handle] = system.spawn(() => timekeeper)
    await ref.ask('wake')
    await ref.ask('dueAt', clock.now() + 10)
    const [isAsked, isThere] = [deferred<void>(), deferred<void>()]
    const renew = store.renewNode.bind(store)
    store.renewNode = (...asked) => {
      isAsked.resolve()
      return renew(...asked).finally(() => isThere.promise)
    }
    ref.tell('beat')
    await isAsked.promise
    const stopped = handle.stop()
    await clock.advance(10)
    isThere.resolve()
    await stopped
    expect(log.lines.filter(({ message }) => message.startsWith('Dead letter'))).toEqual([])
  })
})
