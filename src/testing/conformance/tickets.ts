// What passes limiters without being a run: in line with runs, and never longer than its node is there.
import assert from 'node:assert/strict'
import type { Passed, Passing } from '../../store/queues.ts'
import type { Held } from '../../store/store.ts'
import { idsOf, limiterOf, slots } from './limits.ts'
import { same, settle, startMs, type Cases, type Peer } from './scene.ts'

export const ticketCases: Cases = {
  'lets pass what is no run, in line with runs by age, until it leaves': async (scene) => {
    const use = await limiterOf(scene, { concurrency: 1 })
    const other = await scene.addNode()
    const here = await pass(scene.node, { enters: [use] })
    same([here.passed, here.isNodeLost], [here.tickets, false])
    const id = await scene.start({ limits: [use] })
    const there = await pass(other, { enters: [use] })
    const late = await scene.start({ limits: [use] })
    same([there.passed, await scene.node.claim(9)], [[], []])
    assert.equal((await pass(scene.node, { leaves: here.tickets })).opensAt, startMs)
    const waiting = there.tickets
    same((await pass(other, { waiting, yields: true })).isYielding, true)
    const [claimed, ...more] = await scene.node.claim(9)
    same([claimed?.id, more], [id, []])
    await scene.node.commit({ settles: [settle(claimed?.held as Held)] })
    same(await scene.node.claim(9), [], 'the other is older than the last run')
    same((await pass(other, { waiting })).passed, waiting)
    await pass(other, { leaves: waiting })
    same(idsOf(await scene.node.claim(9)), [late])
  },

  'lets what is no run pass before an older run when it is told to': async (scene) => {
    const use = await limiterOf(scene, { concurrency: 1 })
    const first = await pass(scene.node, { enters: [use] })
    await scene.start({ limits: [use] })
    const { tickets } = await pass(scene.node, { enters: [use] })
    await pass(scene.node, { leaves: first.tickets, yields: true })
    same((await pass(scene.node, { waiting: tickets })).passed, tickets)
  },

  'frees with its node what is no run, and knows nothing of it then': async (scene) => {
    const use = await limiterOf(scene, { concurrency: 1 })
    const other = await scene.addNode()
    await pass(other, { enters: [use, use] })
    const { tickets } = await pass(scene.node, { enters: [use] })
    same(await slots(scene), [['limiter-1', 1, 2]])
    await scene.store.rescueNodes([{ nodeId: other.nodeId, isProved: true }], { maxDeliveries: 4, value: '{}' })
    same((await pass(other, { enters: [use] })).isNodeLost, true)
    same((await pass(scene.node, { waiting: tickets })).passed, tickets)
    same(await slots(scene), [['limiter-1', 1, 0]])
    assert.equal(await scene.store.repairLimiters(), 0)
    await scene.store.deleteNode(scene.node.nodeId)
    same(await slots(scene), [['limiter-1', 0, 0]])
  },
}

function pass(peer: Peer, passing: Partial<Passing>): Promise<Passed> {
  return peer.store.passLimiters(peer.nodeId, { enters: [], waiting: [], leaves: [], yields: false, ...passing })
}
