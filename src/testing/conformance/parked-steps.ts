// Steps that wait for limiters while their run is set aside: they keep their turn, and pass together with their run.
import assert from 'node:assert/strict'
import { turnText, type LimitUse } from '../../model/limiter.ts'
import type { Passed, Passing } from '../../store/queues.ts'
import type { Held } from '../../store/store.ts'
import type { ParkRecord, WaitRecord } from '../../store/waits.ts'
import { limiterOf, slots } from './limits.ts'
import { cancel, same, settle, startMs, type Cases, type Peer, type Scene } from './scene.ts'

export const parkedStepCases: Cases = {
  'keeps its turn, and passes when its run is claimed for it': async (scene) => {
    const { use, holder } = await taken(scene)
    const run = await scene.startAndClaim()
    const { ticket } = await wait(scene, run.held, { use })
    const [behind = 0] = (await pass(scene.node, { enters: [{ uses: [use], step: null }] })).tickets
    await scene.node.commit({ parks: [parkFor(run.held, [[ticket, [use]]])] })
    same([await scene.stateOf(run.id), await slots(scene)], ['parked', [['limiter-1', 1, 2]]])
    const reason = { kind: 'limiter', limiter: 'limiter-1', key: '', step: 'a', bound: 'concurrency', holders: [] }
    same((await scene.store.findRun(run.id))?.reason, reason)
    same([await scene.node.claim(), await scene.repair()], [[], 0])
    const { opensAt, passed } = await pass(scene.node, { leaves: [holder], yields: true })
    same([opensAt, passed], [startMs, []])
    const again = await scene.node.claimOne()
    same(
      [again.id, again.waits.map(({ kind }) => kind), await slots(scene)],
      [run.id, ['limiter'], [['limiter-1', 1, 1]]],
    )
    const back = await pass(scene.node, { enters: [{ uses: [use], step: stepOf(again.held, ticket) }] })
    same([back.tickets, back.passed], [[ticket], [ticket]])
    await scene.node.commit({ settles: [settle(again.held)] })
    same((await pass(scene.node, {})).passed, [behind])
  },

  'passes with all that its run has to pass, or nothing of it': async (scene) => {
    const { use, holder } = await taken(scene)
    const own = await limiterOf(scene, { concurrency: 1 })
    const run = await scene.startAndClaim({ limits: [own] })
    const { ticket } = await wait(scene, run.held, { use })
    await scene.node.commit({ parks: [parkFor(run.held, [[ticket, [use]]])] })
    const other = await scene.startAndClaim({ limits: [own] })
    await pass(scene.node, { leaves: [holder] })
    same(await scene.node.claim(), [])
    const rows: [string, number, number][] = [
      ['limiter-1', 0, 0],
      ['limiter-2', 1, 1],
    ]
    same(await slots(scene), rows)
    await scene.node.commit({ settles: [settle(other.held)] })
    const again = await scene.node.claimOne()
    same([again.id, await scene.repair()], [run.id, 0])
    same(
      (await slots(scene)).map(([, count]) => count),
      [1, 1],
    )
    await scene.node.commit({ settles: [settle(again.held)] })
    same(
      (await slots(scene)).map(([, count]) => count),
      [0, 0],
    )
  },

  'waits on with its turn when its run is woken by something else': async (scene) => {
    const { use, holder } = await taken(scene)
    const run = await scene.startAndClaim()
    const { ticket } = await wait(scene, run.held, { use })
    const sleep: WaitRecord = { path: 'nap', kind: 'sleep', name: null, dueAt: startMs + 5 }
    await scene.node.commit({ parks: [parkFor(run.held, [[ticket, [use]]], sleep)] })
    await pass(scene.node, { enters: [{ uses: [use], step: null }] })
    await scene.clock.advance(5)
    same((await scene.store.wakeRuns(9)).woken, 1)
    const again = await scene.node.claimOne()
    same(await slots(scene), [['limiter-1', 1, 1]])
    const back = await pass(scene.node, { enters: [{ uses: [use], step: stepOf(again.held, ticket) }] })
    same([back.tickets, await slots(scene)], [[ticket], [['limiter-1', 1, 2]]])
    same((await pass(scene.node, { leaves: [holder] })).passed, [ticket])
    await scene.node.commit({ settles: [settle(again.held)] })
  },

  'is one of several of its run: those that did not pass wait on': async (scene) => {
    const { use, holder } = await taken(scene)
    const second = await taken(scene)
    const run = await scene.startAndClaim()
    const { ticket } = await wait(scene, run.held, { use })
    const other = await wait(scene, run.held, { use: second.use, path: 'b' })
    const waits: [number, LimitUse[], string?][] = [
      [ticket, [use]],
      [other.ticket, [second.use], 'b'],
    ]
    await scene.node.commit({ parks: [parkFor(run.held, waits)] })
    same(
      (await scene.store.listWaits(run.id)).map(({ path, name }) => [path, name]),
      [
        ['a', 'limiter-1'],
        ['b', 'limiter-2'],
      ],
    )
    await pass(scene.node, { leaves: [second.holder] })
    const again = await scene.node.claimOne()
    const rows = await slots(scene)
    same(rows, [
      ['limiter-1', 1, 0],
      ['limiter-2', 1, 0],
    ])
    const enters = [
      { uses: [use], step: stepOf(again.held, ticket) },
      { uses: [second.use], step: stepOf(again.held, other.ticket, 'b') },
    ]
    same((await pass(scene.node, { enters })).passed, [holder, other.ticket])
    await scene.node.commit({ settles: [settle(again.held)] })
  },

  'is one of several that could pass at once: its run is claimed once, and the others come back with their turns':
    async (scene) => {
      const { use, holder } = await taken(scene)
      const second = await taken(scene)
      const run = await scene.startAndClaim()
      const { ticket } = await wait(scene, run.held, { use })
      const other = await wait(scene, run.held, { use: second.use, path: 'b' })
      const waits: [number, LimitUse[], string?][] = [
        [ticket, [use]],
        [other.ticket, [second.use], 'b'],
      ]
      await scene.node.commit({ parks: [parkFor(run.held, waits)] })
      await pass(scene.node, { leaves: [holder, second.holder] })
      const claimed = await scene.node.claim(9)
      same(
        claimed.map(({ id }) => id),
        [run.id],
      )
      const [again = run] = claimed
      const enters = [
        { uses: [use], step: stepOf(again.held, ticket) },
        { uses: [second.use], step: stepOf(again.held, other.ticket, 'b') },
      ]
      same((await pass(scene.node, { enters })).passed, [ticket, other.ticket])
      await scene.node.commit({ settles: [settle(again.held)] })
    },

  'leaves its line when its run ends, and frees what it had when its node is lost': async (scene) => {
    const { use, holder } = await taken(scene)
    const run = await scene.startAndClaim()
    const { ticket } = await wait(scene, run.held, { use })
    await scene.node.commit({ parks: [parkFor(run.held, [[ticket, [use]]])] })
    await scene.client.commit({ cancels: [cancel(run.id)] })
    same(await slots(scene), [['limiter-1', 1, 0]])
    const next = await scene.startAndClaim()
    const turn = await wait(scene, next.held, { use })
    await scene.node.commit({ parks: [parkFor(next.held, [[turn.ticket, [use]]])] })
    await pass(scene.node, { leaves: [holder] })
    const other = await scene.addNode()
    assert.equal((await other.claimOne()).id, next.id)
    await scene.store.rescueNodes([{ nodeId: other.nodeId, isProved: true }], { maxDeliveries: 4, value: '{}' })
    same([await slots(scene), await scene.stateOf(next.id)], [[['limiter-1', 0, 0]], 'ready'])
    const again = await scene.node.claimOne()
    const back = await pass(scene.node, { enters: [{ uses: [use], step: stepOf(again.held, turn.ticket) }] })
    same(back.passed, [turn.ticket])
    await scene.node.commit({ settles: [settle(again.held)] })
  },

  'has other limiters when its code says so: what it was given is free': async (scene) => {
    const { use, holder } = await taken(scene)
    const other = await limiterOf(scene, { concurrency: 1 })
    const run = await scene.startAndClaim()
    const { ticket } = await wait(scene, run.held, { use })
    await scene.node.commit({ parks: [parkFor(run.held, [[ticket, [use]]])] })
    await pass(scene.node, { leaves: [holder] })
    const again = await scene.node.claimOne()
    const back = await pass(scene.node, { enters: [{ uses: [other], step: stepOf(again.held, ticket) }] })
    same(back.passed, [ticket])
    same(await slots(scene), [
      ['limiter-1', 0, 0],
      ['limiter-2', 1, 0],
    ])
    await scene.node.commit({ settles: [settle(again.held)] })
  },

  'that waits for a slot of a run says so': async (scene) => {
    const use = await limiterOf(scene, { concurrency: 1 })
    const run = await scene.startAndClaim({ limits: [use] })
    assert.equal(await scene.store.isHoldingUp(run.held.runId), false)
    const other = await scene.startAndClaim()
    await pass(scene.node, { enters: [{ uses: [use], step: stepOf(other.held) }] })
    assert.equal(await scene.store.isHoldingUp(run.held.runId), true)
    assert.equal(await scene.store.isHoldingUp(other.held.runId), false)
    await scene.node.commit({ settles: [settle(run.held), settle(other.held)] })
  },
}

/** A limiter of one slot, and who has it. */
async function taken(scene: Scene): Promise<{ readonly use: LimitUse; readonly holder: number }> {
  const use = await limiterOf(scene, { concurrency: 1 })
  const { tickets } = await pass(scene.node, { enters: [{ uses: [use], step: null }] })
  return { use, holder: tickets[0] ?? 0 }
}

interface Waiting {
  readonly use: LimitUse
  readonly path?: string
}

/** Lets a step wait. */
async function wait(scene: Scene, held: Held, step: Waiting): Promise<{ readonly ticket: number }> {
  const { use, path = 'a' } = step
  const { tickets } = await pass(scene.node, { enters: [{ uses: [use], step: stepOf(held, undefined, path) }] })
  return { ticket: tickets[0] ?? 0 }
}

function stepOf({ runId }: Held, ticket?: number, path = 'a') {
  return { runId, path, ticket }
}

function parkFor(
  held: Held,
  turns: readonly (readonly [number, LimitUse[], string?])[],
  also?: WaitRecord,
): ParkRecord {
  const waits = turns.map(([ticket, uses, path = 'a']): WaitRecord => {
    return { path, kind: 'limiter', name: turnText({ ticket, uses }), dueAt: null }
  })
  return { held, dueAt: also?.dueAt ?? null, waits: also === undefined ? waits : [...waits, also] }
}

function pass(peer: Peer, passing: Partial<Passing>): Promise<Passed> {
  return peer.store.passLimiters(peer.nodeId, { enters: [], holds: 0, leaves: [], yields: false, ...passing })
}
