// Runs that were set aside because their code does not fit their journal: nothing wakes them but their time and code that starts.
import assert from 'node:assert/strict'
import type { Divergence } from '../../model/divergence.ts'
import type { Held } from '../../store/store.ts'
import type { ParkRecord, WaitRecord } from '../../store/waits.ts'
import { same, settle, startMs, type Cases } from './scene.ts'

const dueAt = startMs + 60_000
const divergence: Divergence = {
  since: startMs,
  holds: { path: 'bill', kind: 'step' },
  more: 0,
  asked: [{ path: 'card', kind: 'step' }],
}
const kept: readonly WaitRecord[] = [
  { path: 'receive go', kind: 'message', name: 'go', dueAt: null },
  { path: 'sleep', kind: 'sleep', name: null, dueAt: startMs + 10 },
]

export const divergenceCases: Cases = {
  'sets a run aside though what it waits for is there, and tells why': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.client.commit({ tells: [{ id, name: 'go', value: 'j1' }] })
    const { woken } = await scene.node.commit({ parks: [setAside(held)] })
    same([woken, await scene.stateOf(id)], [0, 'parked'])
    same((await scene.store.findRun(id))?.reason, { kind: 'diverged', divergence, until: dueAt })
    assert.equal(await scene.repair(), 0)
  },

  'makes it ready when its time has come, with all it waits for': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [setAside(held)] })
    await scene.clock.advance(dueAt - startMs - 1)
    same((await scene.store.wakeRuns(10)).woken, 0)
    await scene.clock.advance(1)
    same((await scene.store.wakeRuns(10)).woken, 1)
    assert.equal(await scene.stateOf(id), 'ready')
    same(kindsOf((await scene.node.claimOne()).waits), ['diverged', 'message', 'sleep'])
  },

  'makes it ready when a node starts to serve its definition': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [setAside(held)] })
    const queueIds = [scene.queueId]
    const node = await scene.addNode('other')
    await scene.store.updateServing(node.nodeId, { queueIds, definitionIds: [scene.definitionId + 1] })
    assert.equal(await scene.stateOf(id), 'parked')
    await scene.store.updateServing(node.nodeId, { queueIds, definitionIds: [scene.definitionId] })
    assert.equal(await scene.stateOf(id), 'ready')
    assert.notEqual((await scene.store.findRun(id))?.reason?.kind, 'diverged')
  },

  'makes it ready when a person says so, with all it waits for, and nothing else that waits': async (scene) => {
    const audit = { actor: 'ann', action: 'resume', target: '', details: '{}' }
    const other = await scene.startAndClaim()
    await scene.node.commit({ parks: [{ held: other.held, dueAt: null, waits: kept.slice(0, 1) }] })
    same(await scene.store.operating.wakeRunsSetAside([other.id, 'nobody'], audit), ['parked', 'not_found'])
    same(await scene.store.operating.listAudit({ before: null, limit: 9 }), [])
    const { id, held } = await scene.startAndClaim()
    same(await scene.store.operating.wakeRunsSetAside([id], undefined), ['running'])
    await scene.node.commit({ parks: [setAside(held)] })
    same(await scene.store.operating.listSetAside([other.id, id, 'nobody']), [id])
    same(await scene.store.operating.wakeRunsSetAside([id, id], audit), ['woken', 'ready'])
    same((await scene.store.operating.listAudit({ before: null, limit: 9 })).length, 1)
    const claimed = await scene.node.claimOne()
    same([claimed.id, kindsOf(claimed.waits)], [id, ['diverged', 'message', 'sleep']])
    await scene.node.commit({ settles: [{ ...settle(claimed.held), hadWaits: true }] })
    same(await scene.store.operating.wakeRunsSetAside([id], undefined), ['succeeded'])
    same(await scene.stateOf(other.id), 'parked')
  },

  'leaves a run alone that goes on meanwhile': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [setAside(held)] })
    await scene.clock.advance(dueAt - startMs)
    await scene.store.wakeRuns(10)
    const claimed = await scene.node.claimOne()
    await scene.store.updateServing(scene.node.nodeId, { queueIds: [], definitionIds: [scene.definitionId] })
    assert.equal(await scene.stateOf(id), 'running')
    const parks = [{ held: claimed.held, dueAt: null, waits: kept.slice(0, 1) }]
    await scene.node.commit({ parks })
    await scene.store.updateServing(scene.node.nodeId, { queueIds: [], definitionIds: [scene.definitionId] })
    assert.equal(await scene.stateOf(id), 'parked')
  },
}

function setAside(held: Held): ParkRecord {
  const wait: WaitRecord = { path: '', kind: 'diverged', name: JSON.stringify(divergence), dueAt }
  return { held, dueAt, waits: [...kept, wait] }
}

function kindsOf(waits: readonly WaitRecord[]): string[] {
  return waits.map(({ kind }) => kind).sort()
}
