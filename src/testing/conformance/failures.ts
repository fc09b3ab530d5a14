// Runs that failed and whose definition wants to be told: each is kept until one node has told it, whoever ended the run.
import assert from 'node:assert/strict'
import type { FailureRow } from '../../store/failures.ts'
import { errorValue, same, settle, startMs, type Cases, type Peer, type Scene } from './scene.ts'

const fate = { maxDeliveries: 1, value: errorValue('run_lost') }

export const failureCases: Cases = {
  'keeps a run that fails on its node, with all its definition is told': async (scene) => {
    await wish(scene, true)
    const { id, held } = await scene.startAndClaim({ input: 'j7' })
    await scene.node.commit({ settles: [{ ...settle(held, 'failed'), attempt: 3, value: '{"a":1}', isTold: true }] })
    same(await takenBy(scene, scene.node), [
      {
        runId: held.runId,
        generation: 1,
        id,
        definitionId: scene.definitionId,
        input: 'j7',
        value: '{"a":1}',
        attempt: 3,
        taken: 1,
      },
    ])
  },

  'keeps a run that its process died with too often, and one whose time was up, only where that is wanted': async (
    scene,
  ) => {
    for (const isTold of [true, false, true]) {
      await wish(scene, isTold)
      const dying = await scene.addNode()
      const lost = await scene.start()
      await dying.claimOne()
      await scene.store.rescueNodes([{ nodeId: dying.nodeId, isProved: true }], fate)
      const late = await scene.start({ expiresAt: startMs })
      await scene.store.expireRuns(9, () => errorValue('expired'))
      const taken = await takenBy(scene, scene.node)
      same(
        taken.map(({ id, value }) => [id, value]),
        isTold
          ? [
              [lost, errorValue('run_lost')],
              [late, errorValue('expired')],
            ]
          : [],
      )
      await scene.store.failures.drop(taken)
    }
  },

  'keeps none that ended in another way': async (scene) => {
    await wish(scene, true)
    for (const outcome of ['succeeded', 'cancelled'] as const) {
      const { held } = await scene.startAndClaim()
      await scene.node.commit({ settles: [settle(held, outcome)] })
    }
    same(await takenBy(scene, scene.node), [])
  },

  'gives each to one node, of the definitions it names and as many as it wants, until it is dropped': async (scene) => {
    const other = await scene.addNode()
    for (let n = 0; n < 3; n++) await fail(scene)
    same(await takenBy(scene, other, { definitionIds: [scene.definitionId + 1] }), [])
    const first = await takenBy(scene, scene.node, { limit: 2 })
    const second = await takenBy(scene, other)
    same([first.length, second.length, (await takenBy(scene, other)).length], [2, 1, 0])
    assert.equal(new Set([...first, ...second].map(({ id }) => id)).size, 3)
    await scene.store.failures.drop(first)
    await scene.store.deleteNode(scene.node.nodeId)
    same(await takenBy(scene, other), [])
  },

  'gives what a dead node had taken to another, counted; what one left in good order had taken is not counted': async (
    scene,
  ) => {
    const second = await scene.addNode('second')
    const third = await scene.addNode('third')
    await fail(scene)
    await takenBy(scene, scene.node)
    await scene.store.deleteNode(scene.node.nodeId)
    same(countsOf(await takenBy(scene, second)), [1])
    await scene.store.rescueNodes([{ nodeId: second.nodeId, isProved: true }], fate)
    same(countsOf(await takenBy(scene, third)), [2])
  },

  'gives nothing to a node that was declared dead': async (scene) => {
    await fail(scene)
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], fate)
    same(await takenBy(scene, scene.node), [])
    same(countsOf(await takenBy(scene, await scene.addNode())), [1])
  },
}

function wish(scene: Scene, isTold: boolean): Promise<void> {
  return scene.store.definitions.keep(scene.definitionId, { retention: null, isTold, starts: null })
}

async function fail(scene: Scene): Promise<void> {
  const { held } = await scene.startAndClaim()
  await scene.node.commit({ settles: [{ ...settle(held, 'failed'), isTold: true }] })
}

/** In the order in which they were started. */
async function takenBy(
  scene: Scene,
  { store, nodeId }: Peer,
  { definitionIds = [scene.definitionId], limit = 9 } = {},
): Promise<FailureRow[]> {
  const taken = await store.failures.take({ nodeId, definitionIds, limit })
  return taken.sort((a, b) => a.runId - b.runId)
}

function countsOf(rows: readonly FailureRow[]): number[] {
  return rows.map(({ taken }) => taken)
}
