// Cancelling: what waits ends at once, what runs is asked to, and no request is forgotten.
import assert from 'node:assert/strict'
import { cancel, errorValue, park, same, settle, startMs, type Cases, type Part, type Scene } from './scene.ts'

const laterMs = startMs + 60_000

export const cancelCases: Cases = {
  'ends a run that waits, with the value it is given': async (scene) => {
    const id = await scene.start()
    const { cancels } = await scene.client.commit({ cancels: [cancel(id)] })
    same(cancels, ['cancelled'])
    same(await scene.store.findFinished(id), { outcome: 'cancelled', value: errorValue('run_cancelled') })
    same(await scene.node.claim(), [])
  },

  'ends a parked run for good: its time wakes nothing': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ parks: [park(held, startMs + 5)] })
    await scene.client.commit({ cancels: [cancel(id)] })
    await scene.clock.advance(5)
    same(await scene.store.wakeRuns(9), { woken: 0, nextDueAt: null, nextScheduleAt: null })
    assert.equal(await scene.stateOf(id), 'cancelled')
  },

  'tells what became of each of several cancels': async (scene) => {
    const id = await scene.start()
    const { cancels } = await scene.client.commit({ cancels: [cancel('none'), cancel(id), cancel(id)] })
    same(cancels, ['not_found', 'cancelled', 'finished'])
  },

  'tells the node that runs it with every commit until it ends, and no other': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const second = await scene.addNode()
    same((await scene.client.commit({ cancels: [cancel(id)] })).cancels, ['asked'])
    const request = { runId: held.runId, reason: 'asked to', skipsUndo: false }
    same((await second.commit({})).cancelRequests, [])
    same((await scene.node.commit({})).cancelRequests, [request])
    same((await scene.node.commit({})).cancelRequests, [request])
    same((await scene.node.commit({ settles: [settle(held)] })).cancelRequests, [])
    assert.equal(await scene.stateOf(id), 'succeeded')
  },

  'keeps the first reason of a run that is asked twice': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.client.commit({ cancels: [cancel(id), { ...cancel(id), reason: 'second' }] })
    same((await scene.node.commit({})).cancelRequests, [{ runId: held.runId, reason: 'asked to', skipsUndo: false }])
  },

  'tells whoever claims a run that was given back before it obeyed': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.client.commit({ cancels: [cancel(id)] })
    await scene.node.commit({ releases: [held] })
    const { claimed, cancelRequests } = await (await scene.addNode()).commit({ claims: [scene.claimRequest()] })
    assert.equal(claimed[0]?.[0]?.id, id)
    same(cancelRequests, [{ runId: held.runId, reason: 'asked to', skipsUndo: false }])
  },

  'brings a run back at once that parks without knowing that it was asked to end': (scene) =>
    comesBack(scene, (held) => ({ parks: [park(held, laterMs)] })),

  'brings a run back at once that backs off without knowing that it was asked to end': (scene) =>
    comesBack(scene, (held) => ({ retries: [{ held, attempt: 2, dueAt: laterMs }] })),

  'cancels in the batch in which its node sets it aside': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const { cancels } = await scene.node.commit({ parks: [park(held, laterMs)], cancels: [cancel(id)] })
    same(cancels, ['cancelled'])
    assert.equal(await scene.stateOf(id), 'cancelled')
  },
}

async function comesBack(
  scene: Scene,
  write: (held: Awaited<ReturnType<Scene['startAndClaim']>>['held']) => Part,
): Promise<void> {
  const { id, held } = await scene.startAndClaim()
  await scene.client.commit({ cancels: [cancel(id)] })
  await scene.node.commit(write(held))
  assert.equal((await scene.store.wakeRuns(9)).woken, 1)
  const { claimed, cancelRequests } = await scene.node.commit({ claims: [scene.claimRequest()] })
  assert.equal(claimed[0]?.[0]?.id, id)
  same(cancelRequests, [{ runId: held.runId, reason: 'asked to', skipsUndo: false }])
}
