// Runs whose process died under them: which death counts, and what is claimed together with such a run (I12).
import assert from 'node:assert/strict'
import type { Rescued } from '../../store/repairs.ts'
import type { Claimed, ClaimRequest } from '../../store/store.ts'
import { errorValue, same, settle, startMs, type Cases, type Peer, type Scene } from './scene.ts'

const fate = { maxDeliveries: 4, value: errorValue('run_lost') }

export const deliveryCases: Cases = {
  'counts no delivery for a run that was claimed ahead and had not begun': async (scene) => {
    const { node } = scene
    await start(scene, ['begun', 'ahead'])
    const { runs } = await claim(scene, node, { want: 2, begins: 1 })
    same(
      runs.map(({ id, hasBegun }) => [id, hasBegun]),
      [
        ['begun', true],
        ['ahead', false],
      ],
    )
    same(await die(scene, node), { released: 2, givenUp: [] })
    same([await deliveriesOf(scene, 'begun'), await deliveriesOf(scene, 'ahead')], [1, 0])
    same([await scene.stateOf('begun'), await scene.stateOf('ahead')], ['ready', 'ready'])
  },

  'counts one from when it begins': async (scene) => {
    const { node } = scene
    await start(scene, ['ahead'])
    const { runs } = await claim(scene, node, { begins: 0 })
    const { held } = runs[0] as Claimed
    assert.equal(await node.isTaken(held, { begins: [{ held, at: startMs }] }), true)
    await die(scene, node)
    assert.equal(await deliveriesOf(scene, 'ahead'), 1)
  },

  'starts a run that was claimed ahead when it begins': async (scene) => {
    await start(scene, ['ahead'])
    const { runs } = await claim(scene, scene.node, { begins: 0 })
    const { held } = runs[0] as Claimed
    assert.equal((await scene.store.findRun('ahead'))?.startedAt, null)
    await scene.clock.advance(50)
    await scene.node.commit({ begins: [{ held, at: startMs + 20 }], settles: [settle(held)] })
    assert.equal((await scene.store.findRun('ahead'))?.startedAt, startMs + 20)
    assert.equal((await scene.store.countEnded('resize'))[0]?.totalMs, 30)
  },

  'lets a run expire that was claimed ahead and given back': async (scene) => {
    const id = await scene.start({ expiresAt: startMs + 100 })
    const { runs } = await claim(scene, scene.node, { begins: 0 })
    await scene.node.commit({ releases: runs.map(({ held }) => held) })
    const again = await claim(scene, scene.node, { begins: 0 })
    assert.equal(again.runs[0]?.expiresAt, startMs + 100)
    await scene.node.commit({ releases: again.runs.map(({ held }) => held) })
    await scene.clock.advance(100)
    same(await scene.store.expireRuns(9, () => errorValue('expired')), [{ id, isAwaited: false }])
  },

  'I5: begins nothing that is not held any more': async (scene) => {
    await start(scene, ['ahead'])
    const { runs } = await claim(scene, scene.node, { begins: 0 })
    const { held } = runs[0] as Claimed
    await scene.node.commit({ releases: [held] })
    assert.equal(await scene.node.isTaken(held, { begins: [{ held, at: startMs }] }), false)
  },

  'forgets that a run was claimed ahead when it is claimed again': async (scene) => {
    await start(scene, ['ahead'])
    const { runs } = await claim(scene, scene.node, { begins: 0 })
    await scene.node.commit({ releases: runs.map(({ held }) => held) })
    await claim(scene, scene.node, {})
    await die(scene, scene.node)
    assert.equal(await deliveriesOf(scene, 'ahead'), 1)
  },

  'claims a run with a delivery alone, and tells what it left': async (scene) => {
    await deliver(scene, ['b'])
    await start(scene, ['c', 'd'])
    await start(scene, ['a'], 1)
    const node = await scene.addNode()
    same(await idsOf(claim(scene, node, { want: 9 })), [['a'], true])
    same(await idsOf(claim(scene, node, { want: 9 })), [['b'], true])
    same(await idsOf(claim(scene, node, { want: 9 })), [['c', 'd'], false])
  },

  'claims it alone also when there are several queues': async (scene) => {
    await deliver(scene, ['b'])
    const queueIds = [await scene.store.internQueue('urgent'), scene.queueId]
    await scene.start({ id: 'a', queueId: queueIds[0] as number })
    const node = await scene.addNode()
    same(await idsOf(claim(scene, node, { want: 9, queueIds })), [['a'], true])
    same(await idsOf(claim(scene, node, { want: 9, queueIds })), [['b'], false])
  },

  'leaves runs that were delivered more often than it is told': async (scene) => {
    await deliver(scene, ['twice'])
    await deliver(scene, [])
    await start(scene, ['never'])
    const node = await scene.addNode()
    same(await idsOf(claim(scene, node, { want: 9, mostDeliveries: 1 })), [['never'], false])
    same(await idsOf(claim(scene, node, { want: 9, mostDeliveries: 2 })), [['twice'], false])
  },

  'leaves them also where it is the turn of the oldest': async (scene) => {
    await deliver(scene, ['twice'])
    await deliver(scene, [])
    await start(scene, ['old'])
    await start(scene, ['urgent'], 1)
    const node = await scene.addNode()
    same(await idsOf(claim(scene, node, { taken: 7, mostDeliveries: 1 })), [['old'], false])
  },
}

async function start(scene: Scene, ids: readonly string[], priority = 0): Promise<void> {
  await scene.client.commit({ starts: ids.map((id) => scene.startRecord({ id, priority })) })
}

/** Starts runs, and lets a node die over all that are ready. */
async function deliver(scene: Scene, ids: readonly string[]): Promise<void> {
  await start(scene, ids)
  const node = await scene.addNode()
  await claim(scene, node, { want: 9 })
  await die(scene, node)
}

function die(scene: Scene, { nodeId }: Peer): Promise<Rescued> {
  return scene.store.rescueNodes([{ nodeId, isProved: true }], fate)
}

async function claim(
  scene: Scene,
  node: Peer,
  values: Partial<ClaimRequest>,
): Promise<{ runs: readonly Claimed[]; heldBack: boolean | undefined; node: Peer }> {
  const { claimed, heldBack } = await node.commit({ claims: [scene.claimRequest(values)] })
  return { runs: claimed[0] ?? [], heldBack: heldBack[0], node }
}

/** What a claim brought and whether it left a run behind; ends the runs. */
async function idsOf(claiming: ReturnType<typeof claim>): Promise<unknown> {
  const { runs, heldBack, node } = await claiming
  await node.commit({ settles: runs.map(({ held }) => settle(held)) })
  return [runs.map(({ id }) => id), heldBack]
}

async function deliveriesOf(scene: Scene, id: string): Promise<number | undefined> {
  return (await scene.store.findRun(id))?.deliveries
}
