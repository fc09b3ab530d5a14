// Deleting what was kept long enough: with all that belongs to it, never what has not ended, in slices that go on where the last one ended.
import assert from 'node:assert/strict'
import { defaultRetention, type Retention } from '../../model/retention.ts'
import type { Deleted } from '../../store/retention.ts'
import type { Store } from '../../store/store.ts'
import {
  attach,
  attempt,
  cancel,
  errorValue,
  park,
  same,
  settle,
  startMs,
  step,
  type Cases,
  type Scene,
} from './scene.ts'

const kept: Retention = { succeeded: 100, failed: 1_000, cancelled: 500, logs: 200 }
/** A sweep that found nothing. */
const nothing: Deleted = { runs: 0, audit: 0, events: 0, isPassOver: true }
const beside = { audit: 1_000, events: 500 }
const pauseMs = 60

export const retentionCases: Cases = {
  'deletes what was kept long enough, by how it ended': async (scene) => {
    const succeeded = await ends(scene, 'succeeded')
    const failed = await ends(scene, 'failed')
    const cancelled = await ends(scene, 'cancelled')
    const there = async () => (await scene.store.listRuns({ limit: 9 })).map(({ id }) => id)
    await scene.clock.advance(99)
    same([(await sweep(scene)).runs, await there()], [0, [cancelled, failed, succeeded]])
    await scene.clock.advance(pauseMs)
    same([(await sweep(scene)).runs, await there()], [1, [cancelled, failed]])
    await scene.clock.advance(400)
    same([(await sweep(scene)).runs, await there()], [1, [failed]])
    await scene.clock.advance(500)
    same([(await sweep(scene)).runs, await there()], [1, []])
    same(await scene.store.listDead({ limit: 9 }), [])
  },

  'deletes all that belongs to a run, and frees its key': async (scene) => {
    const { id, held } = await scene.startAndClaim({ key: attach('order-7') })
    await scene.node.commit({
      steps: [step(held, 'pay')],
      attempts: [attempt(held, 'pay', 1)],
      emits: [{ held, n: 1, value: 'j1' }],
      logs: [{ held, n: 1, level: 'info', text: 'hi', fields: null, at: startMs }],
      progress: [{ held, done: 1, total: 2 }],
      states: [{ held, key: 'cursor', value: 'j1' }],
    })
    await scene.node.commit({ settles: [{ ...settle(held, 'failed'), fingerprint: 'print' }] })
    await scene.clock.advance(1_000)
    same((await sweep(scene)).runs, 1)
    same(
      [await scene.store.findRun(id), await scene.store.listSteps(id), await scene.store.listAttempts(id)],
      [undefined, [], []],
    )
    await assert.rejects(scene.store.findFinished(id), { code: 'run_not_found' })
    const { started } = await scene.client.commit({ starts: [scene.startRecord({ key: attach('order-7') })] })
    same([started[0]?.isNew, started[0]?.id === id], [true, false])
  },

  'never deletes what has not ended, however old': async (scene) => {
    const waiting = [await scene.start({ dueAt: startMs + 10 ** 12 })]
    const parked = await scene.startAndClaim()
    await scene.node.commit({ parks: [park(parked.held, startMs + 10 ** 12)] })
    const running = await scene.startAndClaim()
    waiting.unshift(running.id, parked.id)
    await scene.clock.advance(10 ** 9)
    same((await sweep(scene)).runs, 0)
    same(
      (await scene.store.listRuns({ limit: 9 })).map(({ id }) => id),
      waiting,
    )
  },

  'never deletes what was taken up again, and keeps its end anew from then on': async (scene) => {
    const id = await ends(scene, 'failed')
    await scene.clock.advance(999)
    same(await scene.store.operating.reopenRuns([id], undefined), ['reopened'])
    await scene.clock.advance(10_000)
    same((await sweep(scene)).runs, 0)
    const { held } = await scene.node.claimOne()
    await scene.node.commit({ settles: [settle(held)] })
    await scene.clock.advance(99)
    same((await sweep(scene)).runs, 0)
    await scene.clock.advance(pauseMs)
    same((await sweep(scene)).runs, 1)
    same(await scene.store.listAttempts(id), [])
  },

  'asks of each definition how long its runs are kept': async (scene) => {
    await keepFor(scene, JSON.stringify({ succeeded: null, failed: 10 }))
    const forever = await ends(scene, 'succeeded')
    const short = await ends(scene, 'failed')
    await scene.clock.advance(10)
    same((await sweep(scene)).runs, 1)
    assert.equal(await scene.store.findRun(short), undefined)
    await scene.clock.advance(10 ** 9)
    same((await sweep(scene)).runs, 0)
    await keepFor(scene, null)
    await scene.clock.advance(pauseMs)
    same((await sweep(scene)).runs, 1)
    assert.equal(await scene.store.findRun(forever), undefined)
  },

  'goes on where the last slice ended, whichever node took it, and begins anew after a pause': async (scene) => {
    const ids = [await ends(scene, 'succeeded'), await ends(scene, 'failed'), await ends(scene, 'succeeded')]
    await scene.clock.advance(100)
    const other = await scene.connect()
    const slice = (on: Store): Promise<Deleted> =>
      on.retention.deleteExpired({ defaults: kept, beside, limit: 1, pauseMs })
    same(await slice(scene.store), { ...nothing, runs: 1, isPassOver: false })
    same(await slice(other), { ...nothing, isPassOver: false })
    same(await slice(scene.store), { ...nothing, runs: 1, isPassOver: false })
    same(await slice(other), nothing)
    same(
      (await scene.store.listRuns({ limit: 9 })).map(({ id }) => id),
      [ids[1]],
    )
    same([await scene.store.retention.isDue(), await other.retention.isDue()], [false, false])
    same(await slice(scene.store), nothing)
    await scene.clock.advance(pauseMs)
    assert.equal(await scene.store.retention.isDue(), true)
  },

  'looks at nothing that is too young': async (scene) => {
    for (let n = 0; n < 5; n++) await ends(scene, 'succeeded')
    same(await scene.store.retention.deleteExpired({ defaults: kept, beside, limit: 2, pauseMs }), nothing)
  },

  'keeps the counts of what it deletes': async (scene) => {
    await ends(scene, 'succeeded')
    const counted = await scene.store.countEnded('resize')
    await scene.clock.advance(10_000)
    same((await sweep(scene)).runs, 1)
    same(await scene.store.countEnded('resize'), counted)
  },

  'deletes what people did once it was kept long enough, a slice at a time': async (scene) => {
    const note = (target: string) =>
      scene.store.operating.recordAudit({ actor: 'ann', action: 'retry', target, details: '{}' })
    for (const target of ['one', 'two', 'three']) await note(target)
    await scene.clock.advance(900)
    await note('young')
    const slice = () => scene.store.retention.deleteExpired({ defaults: kept, beside, limit: 2, pauseMs })
    same(await slice(), nothing)
    await scene.clock.advance(200)
    same(await slice(), { ...nothing, audit: 2, isPassOver: false })
    same(await slice(), { ...nothing, audit: 1 })
    same(
      (await scene.store.operating.listAudit({ before: null, limit: 9 })).map(({ target }) => target),
      ['young'],
    )
  },

  'deletes events that reached nobody for long enough, given up or not, and what was kept for who is gone': async (
    scene,
  ) => {
    const subscribe = (group: string | null, until: number | null) =>
      scene.store.events.addSubscription({ pattern: 'order.*', group, takes: 'all', until })
    const shop = await subscribe('shop', null)
    const alone = await subscribe(null, startMs + 300)
    const publish = () => scene.store.events.publish({ name: 'order.paid', value: 'j1', mode: 'durable' })
    const due = async (subscription: number) =>
      (await scene.store.events.take({ subscriptions: [subscription], limit: 99, until: 0 })).length
    for (let n = 0; n < 3; n++) same(await publish(), 2)
    const [first] = await scene.store.events.take({ subscriptions: [shop], limit: 1, until: 0 })
    await scene.store.events.settle([{ id: first?.id ?? 0, end: 'dead' }])
    await scene.clock.advance(400)
    const slice = () => scene.store.retention.deleteExpired({ defaults: kept, beside, limit: 2, pauseMs })
    same(await slice(), { ...nothing, events: 2, isPassOver: false })
    same(await slice(), { ...nothing, events: 1 })
    same([await due(shop), await due(alone)], [2, 0])
    same(await publish(), 1)
    await scene.clock.advance(200)
    same(await slice(), { ...nothing, events: 2, isPassOver: false })
    same(await slice(), { ...nothing, events: 1 })
    same(await due(shop), 1)
  },

  'keeps who paused and resumed, changed a limit and paused a schedule, where that changed something': async (
    scene,
  ) => {
    const { store, queueId } = scene
    const by = (action: string) => ({ actor: 'ann', action, target: 'default', details: '{}' })
    await store.pauseQueue(queueId, by('pause'))
    await store.pauseQueue(queueId, by('pause again'))
    await store.unpauseQueue(queueId, by('resume'))
    await store.unpauseQueue(queueId, by('resume again'))
    await store.setLiveBounds('stripe', { concurrency: 1 }, by('limit'))
    await store.schedules.pause('none', null, by('pause nothing'))
    await store.schedules.delete('none', by('end nothing'))
    const entries = await store.operating.listAudit({ before: null, limit: 9 })
    same(
      entries.map(({ action, actor }) => `${actor} ${action}`),
      ['ann limit', 'ann resume', 'ann pause'],
    )
  },

  'deletes runs by hand once they have ended, tells why it does not, and keeps who did it': async (scene) => {
    const ended = await ends(scene, 'failed')
    const { id, held } = await scene.startAndClaim({ key: attach('mine') })
    const waiting = await scene.start()
    const audit = { actor: 'ann', action: 'delete', target: '', details: '{}' }
    same(await scene.store.operating.deleteRuns([id, waiting, 'none'], audit), ['running', 'ready', 'not_found'])
    same(await scene.store.operating.listAudit({ before: null, limit: 9 }), [])
    same(await scene.store.operating.deleteRuns([ended, id], audit), ['deleted', 'running'])
    same((await scene.store.operating.listAudit({ before: null, limit: 9 })).length, 1)
    same([await scene.store.findRun(ended), await scene.stateOf(id)], [undefined, 'running'])
    await scene.node.commit({ settles: [settle(held)] })
    same(await scene.store.operating.deleteRuns([id], undefined), ['deleted'])
    const { started } = await scene.client.commit({ starts: [scene.startRecord({ key: attach('mine') })] })
    same(started[0]?.isNew, true)
  },

  'keeps everything that is kept for ever': async (scene) => {
    await ends(scene, 'succeeded')
    await scene.clock.advance(10 ** 12)
    const defaults = { succeeded: null, failed: null, cancelled: null, logs: null }
    same(await scene.store.retention.deleteExpired({ defaults, beside, limit: 9, pauseMs }), nothing)
  },
}

async function ends(scene: Scene, outcome: 'succeeded' | 'failed' | 'cancelled'): Promise<string> {
  const { id, held } = await scene.startAndClaim()
  if (outcome === 'cancelled') {
    await scene.node.commit({ releases: [held] })
    await scene.client.commit({ cancels: [cancel(id)] })
    return id
  }
  const error = { code: 'declined', fingerprint: 'print', value: errorValue('declined') }
  await scene.node.commit({ settles: [{ ...settle(held, outcome), ...(outcome === 'failed' && error) }] })
  return id
}

function sweep(scene: Scene): Promise<Deleted> {
  return scene.store.retention.deleteExpired({
    defaults: { ...defaultRetention, ...kept },
    beside,
    limit: 100,
    pauseMs,
  })
}

function keepFor(scene: Scene, retention: string | null): Promise<void> {
  return scene.store.definitions.keep(scene.definitionId, { retention, isTold: false, starts: null })
}
