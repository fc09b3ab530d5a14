// Pausing queues: nothing of a paused queue starts, on any node, and what runs goes on; and why runs wait.
import assert from 'node:assert/strict'
import { park, same, settle, startMs, type Cases, type Scene, leaseMs } from './scene.ts'

export const queueCases: Cases = {
  'claims nothing of a paused queue, and all of it once it is resumed': async (scene) => {
    const id = await scene.start()
    assert.equal(await scene.store.pauseQueue(scene.queueId), true)
    assert.equal(await scene.store.pauseQueue(scene.queueId), false)
    same(await scene.node.claim(), [])
    same(await (await scene.addNode()).claim(), [])
    assert.equal(await scene.store.unpauseQueue(scene.queueId), true)
    assert.equal(await scene.store.unpauseQueue(scene.queueId), false)
    assert.equal((await scene.node.claimOne()).id, id)
  },

  'lists the names of queues': async (scene) => {
    await scene.store.internQueue('mail')
    await scene.store.internQueue('audio')
    same(await scene.store.listQueueNames(), ['audio', 'default', 'mail'])
  },

  'claims from the other queues while one is paused': async (scene) => {
    const other = await scene.store.internQueue('other')
    await scene.start()
    const id = await scene.start({ queueId: other })
    await scene.store.pauseQueue(scene.queueId)
    const claim = scene.claimRequest({ queueIds: [scene.queueId, other], want: 2 })
    const { claimed } = await scene.node.commit({ claims: [claim] })
    same(
      claimed[0]?.map((run) => run.id),
      [id],
    )
  },

  'makes a direct start of a paused queue ready': async (scene) => {
    await scene.store.pauseQueue(scene.queueId)
    const record = scene.startRecord({ directly: true })
    const { started } = await scene.node.commit({ starts: [record] })
    assert.equal(started[0]?.held, undefined)
    assert.equal(await scene.stateOf(record.id), 'ready')
    await scene.store.unpauseQueue(scene.queueId)
    assert.equal((await scene.node.claimOne()).id, record.id)
  },

  'lets what runs in a paused queue end': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.store.pauseQueue(scene.queueId)
    assert.equal(await scene.node.isTaken(held, { settles: [settle(held)] }), true)
    assert.equal(await scene.stateOf(id), 'succeeded')
  },

  'stays paused for whoever opens the database later': async (scene) => {
    await scene.store.pauseQueue(scene.queueId)
    await scene.start()
    const later = await scene.addNode('later')
    same(await later.claim(), [])
  },

  'counts what is in each queue': async (scene) => {
    const other = await scene.store.internQueue('other')
    await scene.store.updateServing(scene.node.nodeId, { queueIds: [scene.queueId], definitionIds: [] })
    const parked = await scene.startAndClaim()
    await scene.node.commit({ parks: [park(parked.held, startMs + 500)] })
    await scene.startAndClaim()
    await scene.start({ dueAt: startMs + 900 })
    await scene.clock.advance(10)
    await scene.start()
    await scene.clock.advance(10)
    await scene.start()
    await scene.store.pauseQueue(other)
    const none = { ready: 0, running: 0, lost: 0, scheduled: 0, parked: 0 }
    const full = { ready: 2, running: 1, lost: 0, scheduled: 1, parked: 1 }
    same(await scene.store.listQueues(), [
      { name: 'default', ...full, oldestReadyAt: startMs + 10, pausedAt: null, nodes: 1 },
      { name: 'other', ...none, oldestReadyAt: null, pausedAt: startMs + 20, nodes: 0 },
    ])
  },

  'counts apart what ran on a node that is lost': async (scene) => {
    const other = await scene.addNode()
    await scene.startAndClaim()
    await scene.start()
    await other.claimOne()
    const counted = async () => {
      const [queue] = await scene.store.listQueues()
      return [queue?.running, queue?.lost]
    }
    same(await counted(), [2, 0])
    await scene.clock.advance(leaseMs / 2)
    await scene.store.renewNode(other.nodeId, leaseMs)
    await scene.clock.advance(leaseMs / 2 + 1)
    same(await counted(), [1, 1])
  },

  'says that a run waits for a time': async (scene) => {
    const later = await scene.start({ dueAt: startMs + 50 })
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [park(held, startMs + 70)] })
    same(await reasonOf(scene, later), { kind: 'timer', until: startMs + 50 })
    same(await reasonOf(scene, id), { kind: 'timer', until: startMs + 70 })
  },

  'says that a run waits for its queue to be resumed': async (scene) => {
    const id = await scene.start()
    await scene.store.pauseQueue(scene.queueId)
    same(await reasonOf(scene, id), { kind: 'queue_paused', queue: 'default', pausedAt: startMs })
  },

  'says what no node can do, and that an actor is enough once one can': async (scene) => {
    const id = await scene.start()
    const missing = { kind: 'not_served', queue: 'default', name: 'resize', version: '1' } as const
    const { nodeId } = scene.node
    same(await reasonOf(scene, id), { ...missing, missing: 'queue' })
    await scene.store.updateServing(nodeId, { queueIds: [scene.queueId], definitionIds: [] })
    same(await reasonOf(scene, id), { ...missing, missing: 'definition' })
    await scene.store.updateServing(nodeId, { queueIds: [scene.queueId], definitionIds: [scene.definitionId] })
    same(await reasonOf(scene, id), { kind: 'actor' })
    await scene.store.deleteNode(nodeId)
    same(await reasonOf(scene, id), { ...missing, missing: 'node' })
  },

  'counts a node whose lease has ended as none': async (scene) => {
    const id = await scene.start()
    const serving = { queueIds: [scene.queueId], definitionIds: [scene.definitionId] }
    await scene.store.updateServing(scene.node.nodeId, serving)
    await scene.clock.advance(10_001)
    const reason = await reasonOf(scene, id)
    assert.equal(reason?.kind === 'not_served' && reason.missing, 'node')
  },

  'gives no reason for what runs and what has ended': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    same(await reasonOf(scene, id), null)
    await scene.node.commit({ settles: [settle(held)] })
    same(await reasonOf(scene, id), null)
    same(
      (await scene.store.listRuns({ limit: 9 })).map(({ reason }) => reason),
      [null],
    )
  },
}

async function reasonOf(scene: Scene, id: string) {
  return (await scene.store.findRun(id))?.reason
}
