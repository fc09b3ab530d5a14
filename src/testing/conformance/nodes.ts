// Nodes that die: what they ran is taken over only when it may be, and counted (I3, I9).
import assert from 'node:assert/strict'
import type { Rescued } from '../../store/repairs.ts'
import {
  errorValue,
  identity,
  leaseMs,
  park,
  same,
  settle,
  startMs,
  step,
  type Cases,
  type Peer,
  type Scene,
} from './scene.ts'

const again: Rescued = { released: 1, givenUp: [] }
const fate = { maxDeliveries: 3, value: errorValue('run_lost') }

export const nodeCases: Cases = {
  'lists nodes with who they are and whether their lease ran out': async (scene) => {
    const { nodeId } = scene.node
    same(await scene.store.listNodes(), [{ nodeId, isExpired: false, isDraining: false, ...identity('first') }])
    await scene.clock.advance(leaseMs)
    assert.equal((await scene.store.listNodes())[0]?.isExpired, false)
    await scene.clock.advance(1)
    assert.equal((await scene.store.listNodes())[0]?.isExpired, true)
  },

  'asks a node to stop, once, and keeps who asked': async (scene) => {
    const second = await scene.addNode()
    const audit = { actor: 'ann', action: 'drain node', target: 'second', details: '{}' }
    const draining = async () => (await scene.store.listNodes()).map(({ isDraining }) => isDraining)
    same(await draining(), [false, false])
    assert.equal(await scene.store.drainNode(second.nodeId, audit), true)
    assert.equal(await scene.store.drainNode(second.nodeId, audit), false)
    same(await draining(), [false, true])
    await second.store.deleteNode(second.nodeId)
    assert.equal(await scene.store.drainNode(second.nodeId, audit), false)
    const entries = await scene.store.operating.listAudit({ before: null, limit: 9 })
    same(
      entries.map(({ actor, action, at }) => [actor, action, at]),
      [['ann', 'drain node', startMs]],
    )
  },

  'lets a node that is asked to stop claim nothing, and write all else': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.start({ id: 'next' })
    await scene.store.drainNode(scene.node.nodeId)
    const { claimed, heldBack, lost } = await scene.node.commit({
      steps: [step(held, 'a')],
      settles: [settle(held)],
      claims: [scene.claimRequest(), scene.claimRequest({ want: 5 })],
    })
    same([claimed, heldBack, lost.size], [[[], []], [false, false], 0])
    same([await scene.stateOf(id), await scene.stateOf('next')], ['succeeded', 'ready'])
    assert.equal((await (await scene.addNode()).claimOne()).id, 'next')
  },

  'shows people the nodes with what they serve, and whether they do': async (scene) => {
    const { definitionId, queueId, node } = scene
    const draining = await scene.addNode('draining')
    const expired = await scene.addNode('expired')
    await scene.store.updateServing(node.nodeId, { queueIds: [queueId], definitionIds: [definitionId] })
    await scene.store.updateNodeClock(node.nodeId, -1_500)
    await scene.store.drainNode(draining.nodeId)
    await scene.clock.advance(leaseMs)
    for (const { nodeId } of [node, draining]) await scene.store.renewNode(nodeId, leaseMs)
    await scene.clock.advance(1)
    const views = await scene.store.listNodeViews()
    same(
      views.map(({ number, state, queues, definitions, clockAheadMs }) => [
        number,
        state,
        queues,
        definitions,
        clockAheadMs,
      ]),
      [
        [node.nodeId, 'serving', ['default'], ['resize'], -1_500],
        [draining.nodeId, 'draining', [], [], 0],
        [expired.nodeId, 'expired', [], [], 0],
      ],
    )
    same([views[0]?.version, views[0]?.leaseUntil], [null, startMs + 2 * leaseMs])
  },

  'keeps of which version of the library a node is': async (scene) => {
    await scene.store.insertNode({ ...identity('newer'), version: '1.2.3' }, leaseMs)
    const versions = (await scene.store.listNodeViews()).map(({ name, version }) => [name, version])
    same(versions, [
      ['first', null],
      ['newer', '1.2.3'],
    ])
  },

  'gives no number of a node twice': async (scene) => {
    const second = await scene.addNode()
    await second.store.deleteNode(second.nodeId)
    assert.ok((await scene.addNode()).nodeId > second.nodeId)
  },

  'I9: leaves a run alone while the lease of its node is live': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.clock.advance(leaseMs)
    assert.equal(await rescue(scene, false), 0)
    assert.equal(await scene.stateOf(id), 'running')
    assert.equal(await scene.node.holds(held), true)
  },

  'I9: leaves a run alone when its node renewed the lease after it was listed': async (scene) => {
    const { id } = await scene.startAndClaim()
    await scene.clock.advance(leaseMs + 1)
    assert.equal((await scene.store.listNodes())[0]?.isExpired, true)
    assert.equal(await scene.store.renewNode(scene.node.nodeId, leaseMs), true)
    assert.equal(await rescue(scene, false), 0)
    assert.equal(await scene.stateOf(id), 'running')
  },

  'tells of a run that its node is gone, until it is taken over': async (scene) => {
    const { id } = await scene.startAndClaim()
    const reason = async () => (await scene.store.findRun(id))?.reason
    await scene.clock.advance(leaseMs)
    assert.equal(await reason(), null)
    await scene.clock.advance(1)
    same(await reason(), { kind: 'node_lost' })
    assert.equal(await rescue(scene, false), 1)
    assert.equal((await reason())?.kind, 'not_served')
  },

  'makes ready what an expired node ran': async (scene) => {
    const { id } = await scene.startAndClaim()
    await scene.clock.advance(leaseMs + 1)
    assert.equal(await rescue(scene, false), 1)
    const row = await scene.store.findRun(id)
    same([row?.state, row?.node, row?.deliveries, row?.attempt], ['ready', null, 1, 1])
    same(await scene.store.listNodes(), [])
  },

  'makes ready at once what a node ran whose process is proved dead': async (scene) => {
    await scene.startAndClaim()
    assert.equal(await rescue(scene, true), 1)
    assert.equal(await rescue(scene, true), 0)
  },

  'I5: writes nothing of a node that was declared dead, and tells it': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await rescue(scene, true)
    const answer = await scene.node.commit({
      starts: [scene.startRecord({ id: 'new' })],
      steps: [step(held, 'a')],
      settles: [settle(held)],
      claims: [scene.claimRequest()],
    })
    const nothing = {
      started: [],
      joined: new Map(),
      isMoreToEnd: false,
      tells: [],
      told: [],
      completions: [],
      cancels: [],
      claimed: [],
      heldBack: [],
      opensAt: null,
      cancelRequests: [],
      taken: [],
      woken: 0,
    }
    same(answer, { isNodeLost: true, lost: new Set(), ...nothing })
    assert.equal(await scene.stateOf(id), 'ready')
    assert.equal(await scene.store.findRun('new'), undefined)
    same(await scene.store.listSteps(id), [])
    assert.equal(await scene.store.renewNode(scene.node.nodeId, leaseMs), false)
  },

  'rescues only the runs that the dead node still held': async (scene) => {
    const survivor = await scene.addNode()
    const [finished, parked, held] = [
      await scene.startAndClaim(),
      await scene.startAndClaim(),
      await scene.startAndClaim(),
    ]
    await scene.start({ id: 'elsewhere' })
    const elsewhere = await survivor.claimOne()
    await scene.node.commit({ settles: [settle(finished.held)], parks: [park(parked.held, startMs + 99)] })
    assert.equal(await rescue(scene, true), 1)
    const states = [finished, parked, held, elsewhere].map(({ id }) => scene.stateOf(id))
    same(await Promise.all(states), ['succeeded', 'parked', 'ready', 'running'])
    assert.equal(await survivor.holds(elsewhere.held), true)
  },

  'fails a run that killed its process too often, with the error it is given, and tells which': async (scene) => {
    const id = await scene.start()
    const told: Rescued[] = []
    for (const deliveries of [0, 1, 2]) {
      const node = await scene.addNode()
      assert.equal((await node.claimOne()).deliveries, deliveries)
      told.push(await scene.store.rescueNodes([{ nodeId: node.nodeId, isProved: true }], fate))
    }
    const { definitionId } = scene
    const failed = { id, definitionId, name: 'resize', generation: 1, attempt: 1, deliveries: 3 }
    same(told, [again, again, { released: 0, givenUp: [failed] }])
    same(await scene.store.findFinished(id), { outcome: 'failed', value: fate.value })
    same(await scene.node.claim(), [])
  },

  'counts deliveries anew once the run has finished a step': async (scene) => {
    const id = await scene.start()
    const counts: (number | undefined)[] = []
    for (let turn = 0; turn < 6; turn++) {
      const node = await scene.addNode()
      const { held } = await node.claimOne()
      if (turn % 2 === 1) await node.commit({ steps: [step(held, `step ${turn}`, { seq: turn })] })
      await rescue(scene, true, node)
      counts.push((await scene.store.findRun(id))?.deliveries)
    }
    same(counts, [1, 1, 2, 1, 2, 1])
  },

  'counts no delivery for a run that is given back': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ releases: [held] })
    await scene.node.claimOne()
    await scene.store.releaseUnheld(scene.node.nodeId, () => false)
    assert.equal((await scene.store.findRun(id))?.deliveries, 0)
  },

  'gives back what a node holds in the store and not in memory': async (scene) => {
    const [kept, given] = [await scene.startAndClaim(), await scene.startAndClaim()]
    const released = await scene.store.releaseUnheld(scene.node.nodeId, (runId) => runId === kept.held.runId)
    assert.equal(released, 1)
    same([await scene.stateOf(kept.id), await scene.stateOf(given.id)], ['running', 'ready'])
    assert.equal(await scene.node.holds(given.held), false)
  },

  'I3: gives back what a node still holds when it leaves': async (scene) => {
    const { id } = await scene.startAndClaim()
    await scene.store.deleteNode(scene.node.nodeId)
    same(await scene.store.listNodes(), [])
    assert.equal((await (await scene.addNode()).claimOne()).id, id)
  },

  'makes ready the other runs of a node that killed one of them too often': async (scene) => {
    const killer = await scene.start()
    for (let death = 1; death < fate.maxDeliveries; death++) {
      const node = await scene.addNode()
      await node.claimOne()
      await rescue(scene, true, node)
    }
    await scene.node.claimOne()
    const other = await scene.startAndClaim()
    const { released, givenUp } = await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], fate)
    same([released, givenUp.map(({ id }) => id)], [1, [killer]])
    assert.equal(await scene.stateOf(other.id), 'ready')
  },

  'rescues several nodes, and of them only those that are dead': async (scene) => {
    const second = await scene.addNode()
    const [first, other] = [await scene.startAndClaim(), await scene.start()]
    await second.claimOne()
    await scene.clock.advance(leaseMs + 1)
    await second.store.renewNode(second.nodeId, leaseMs)
    const both = [scene.node, second].map(({ nodeId }) => ({ nodeId, isProved: false }))
    same(await scene.store.rescueNodes(both, fate), again)
    same([await scene.stateOf(first.id), await scene.stateOf(other)], ['ready', 'running'])
  },
}

/** How many of its runs are ready again. */
async function rescue(scene: Scene, isProved: boolean, node: Peer = scene.node): Promise<number> {
  return (await scene.store.rescueNodes([{ nodeId: node.nodeId, isProved }], fate)).released
}
