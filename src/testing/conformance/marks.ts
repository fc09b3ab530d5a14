// A lost answer: the same batch issued again is not written again, and is answered as before.
import assert from 'node:assert/strict'
import type { Batch, Committed } from '../../store/store.ts'
import { attach, attempt, cancel, park, same, settle, startMs, step, type Cases, type Scene } from './scene.ts'

export const markCases: Cases = {
  'writes a batch once that is issued twice, and answers the same': async (scene) => {
    const [kept, ended] = [await scene.startAndClaim(), await scene.startAndClaim()]
    await scene.start({ id: 'keyed', key: attach('old') })
    await scene.start({ id: 'waiting', priority: -9 })
    const batch = scene.node.batch({
      starts: [
        scene.startRecord({ id: 'new', key: attach('new') }),
        scene.startRecord({ id: 'attached', key: attach('old') }),
        scene.startRecord({ id: 'here', directly: true }),
        scene.startRecord({ id: 'first', priority: 9 }),
      ],
      steps: [step(kept.held, 'a'), step(ended.held, 'a')],
      attempts: [attempt(kept.held, 'b', 1)],
      emits: [{ held: kept.held, n: 1, value: 'j1' }],
      logs: [{ held: kept.held, n: 1, level: 'info', text: 'hello', fields: null, at: startMs }],
      progress: [{ held: kept.held, done: 1, total: 2 }],
      settles: [settle(ended.held)],
      claims: [scene.claimRequest({ want: 3 })],
    })
    const answer = await answersTheSame(scene, batch)
    same(
      answer.claimed.map((list) => list.map(({ id }) => id)),
      [['first', 'keyed', 'new']],
    )
    same(
      (await scene.store.listSteps(kept.id)).map(({ path }) => path),
      ['a'],
    )
    assert.equal((await scene.store.listRuns({ limit: 99 })).length, 7)
  },

  'tells again which runs were lost': async (scene) => {
    const [lost, kept] = [await scene.startAndClaim(), await scene.startAndClaim()]
    await scene.store.releaseUnheld(scene.node.nodeId, (runId) => runId === kept.held.runId)
    const parks = [lost, kept].map(({ held }) => park(held, startMs + 99))
    const answer = await answersTheSame(scene, scene.node.batch({ parks }))
    same(answer.lost, new Set([lost.held]))
  },

  'tells again that a run was lost which this node had ended before': async (scene) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ settles: [settle(held)] })
    const answer = await answersTheSame(scene, scene.node.batch({ settles: [settle(held, 'failed')] }))
    same(answer.lost, new Set([held]))
  },

  'does not call lost what was written and then taken over': async (scene) => {
    const { held } = await scene.startAndClaim()
    const second = await scene.addNode()
    const batch = scene.node.batch({ releases: [held] })
    await scene.store.commit(batch)
    await second.claimOne()
    assert.equal((await scene.store.commit(batch)).lost.size, 0)
  },

  'tells again what became of cancels': async (scene) => {
    const running = await scene.startAndClaim()
    const [waiting, done] = [await scene.start(), await scene.start({ priority: 9 })]
    await scene.node.commit({ settles: [settle((await scene.node.claimOne()).held)] })
    const cancels = [running.id, waiting, done, 'none'].map((id) => cancel(id))
    const answer = await answersTheSame(scene, scene.node.batch({ cancels }))
    same(answer.cancels, ['asked', 'cancelled', 'finished', 'not_found'])
  },

  'tells again which runs were taken away by hand': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const result = { id, path: 'pay', isError: false, value: 'j1', isForced: true }
    same(
      await scene.store.operating.resolveStep(result, { actor: 'ann', action: '', target: id, details: '{}' }),
      'resolved',
    )
    const answer = await answersTheSame(scene, scene.node.batch({ steps: [step(held, 'pay')] }))
    same([answer.taken, answer.lost], [[{ runId: held.runId, epoch: held.epoch }], new Set([held])])
  },

  'gives each run to one claim of a batch again': async (scene) => {
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => scene.start({ id })))
    const claims = [scene.claimRequest({ want: 2 }), scene.claimRequest({ want: 5 })]
    const answer = await answersTheSame(scene, scene.node.batch({ claims }))
    same(
      answer.claimed.map((list) => list.length),
      [2, 2],
    )
  },

  'takes the next batch of a node after one that was issued twice': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const batch = scene.node.batch({ steps: [step(held, 'a')] })
    await scene.store.commit(batch)
    await scene.store.commit(batch)
    assert.equal(await scene.node.isTaken(held, { settles: [settle(held)] }), true)
    assert.equal(await scene.stateOf(id), 'succeeded')
  },

  'tells nothing of the batch before the one that is issued twice': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.store.releaseUnheld(scene.node.nodeId, () => false)
    await scene.node.commit({ releases: [held], cancels: [cancel('none')] })
    await scene.node.claimOne()
    const answer = await answersTheSame(scene, scene.node.batch({ cancels: [cancel(id)] }))
    same([answer.cancels, answer.lost], [['asked'], new Set()])
    const empty = await answersTheSame(scene, scene.node.batch({}))
    same([empty.cancels, empty.lost], [[], new Set()])
  },

  'keeps the batches of different nodes apart': async (scene) => {
    const second = await scene.addNode()
    await scene.node.commit({ starts: [scene.startRecord({ id: 'a' })] })
    const { started } = await second.commit({ starts: [scene.startRecord({ id: 'b' })] })
    assert.equal(started[0]?.isNew, true)
    same(
      (await scene.store.listRuns({ limit: 9 })).map(({ id }) => id),
      ['b', 'a'],
    )
  },
}

/** Issues a batch three times, at last from another connection, as after a reconnect. */
async function answersTheSame(scene: Scene, batch: Batch): Promise<Committed> {
  const first = await scene.store.commit(batch)
  const runs = await scene.store.listRuns({ limit: 99 })
  same(await scene.store.commit(batch), first)
  same(await (await scene.connect()).commit(batch), first)
  same(await scene.store.listRuns({ limit: 99 }), runs)
  return first
}
