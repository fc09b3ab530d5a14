// Runs that runs start: there once with the step that remembers them, awaited without a lost wake-up, ended with their parent.
import assert from 'node:assert/strict'
import type { ChildRecord } from '../../store/start.ts'
import type { Claimed, Held } from '../../store/store.ts'
import type { ParkRecord } from '../../store/waits.ts'
import { attach, cancel, errorValue, park, same, settle, startMs, step, type Cases, type Scene } from './scene.ts'

export const childCases: Cases = {
  'is there with the step that remembers it, and knows who started it': async (scene) => {
    const parent = await scene.startAndClaim()
    const { joined } = await scene.node.commit({ children: [childOf(scene, parent.held)] })
    same([...joined], [])
    const [first] = await scene.store.listSteps(parent.id)
    same([first?.path, first?.kind, first?.value], ['go', 'child', 'j"child"'])
    same((await scene.store.findRun('child'))?.parent, parent.id)
    const child = await scene.node.claimOne()
    same([child.id, child.depth, parent.depth], ['child', 1, 0])
  },

  'counts those above it, from the first that is not detached': async (scene) => {
    const first = await scene.startAndClaim()
    await scene.node.commit({ children: [childOf(scene, first.held)] })
    const second = await scene.node.claimOne()
    await scene.node.commit({ children: [childOf(scene, second.held, { id: 'third' })] })
    const third = await scene.node.claimOne()
    await scene.node.commit({ children: [childOf(scene, third.held, { id: 'apart', isDetached: true })] })
    const apart = await scene.node.claimOne()
    same([second.depth, third.depth, apart.depth], [1, 2, 0])
  },

  'is not started by who lost the run': async (scene) => {
    const parent = await scene.startAndClaim()
    const stale: Held = { ...parent.held, epoch: parent.held.epoch - 1 }
    const { lost } = await scene.node.commit({ children: [childOf(scene, stale)] })
    same([lost.has(stale), await scene.store.findRun('child')], [true, undefined])
    same(await scene.store.listSteps(parent.id), [])
  },

  'is there once when the batch is issued twice, with the same answer': async (scene) => {
    await scene.client.commit({ starts: [scene.startRecord({ id: 'known', key: attach('k') })] })
    const known = await scene.node.claimOne()
    const parent = await scene.startAndClaim()
    const children = [childOf(scene, parent.held), childOf(scene, parent.held, { id: 'joins', path: 'b', key: 'k' })]
    const batch = scene.node.batch({ children })
    const first = await scene.node.store.commit(batch)
    const again = await scene.node.store.commit(batch)
    const joined = [['joins', { isError: false, value: `j"${known.id}"` }]]
    same([[...first.joined], [...again.joined]], [joined, joined])
    same(
      (await scene.store.listSteps(parent.id)).map(({ value }) => value),
      [`j"${known.id}"`, 'j"child"'],
    )
    same(
      (await scene.store.listRuns({ limit: 9, parent: parent.id })).map(({ id }) => id),
      ['child'],
    )
  },

  'is no run that cannot end before the one that calls it, which remembers that and waits for nobody': async (
    scene,
  ) => {
    const top = await scene.startAndClaim({ key: attach('top') })
    await scene.node.commit({ children: [childOf(scene, top.held, { id: 'mid', key: 'mid' })] })
    const mid = await scene.node.claimOne()
    await scene.node.commit({ children: [childOf(scene, mid.held, { id: 'low' })] })
    const low = await scene.node.claimOne()
    for (const [key, awaitedId] of [
      ['top', top.id],
      ['mid', 'mid'],
    ] as const) {
      const child = childOf(scene, low.held, { id: `joins ${key}`, path: key, key })
      const { isError, value } = (await scene.node.commit({ children: [child] })).joined.get(child.start.id) ?? {}
      const told = JSON.parse(value ?? '{}') as { code: string; details: object }
      same([isError, told.code], [true, 'circular_wait'])
      same(told.details, { runId: 'low', name: 'resize', awaitedId, awaited: 'resize' })
    }
    const apart = childOf(scene, low.held, { id: 'joins apart', path: 'x', key: 'top', isDetached: true })
    same(
      [...(await scene.node.commit({ children: [apart] })).joined],
      [['joins apart', { isError: false, value: `j"${top.id}"` }]],
    )
    same(
      (await scene.store.listSteps('low')).map(({ path, isError }) => [path, isError]),
      [
        ['mid', true],
        ['top', true],
        ['x', false],
      ],
    )
    // It still ends with the one that started it.
    const { cancelRequests } = await scene.node.commit({ settles: [settle(top.held)] })
    same(
      cancelRequests.map(({ runId }) => runId),
      [mid.held.runId],
    )
  },

  'that waits for one that waits for it is told so when the last of them parks': async (scene) => {
    const [one, two, three] = [await scene.startAndClaim(), await scene.startAndClaim(), await scene.startAndClaim()]
    await scene.node.commit({ parks: [parkFor(one.held, two.id)] })
    await scene.node.commit({ parks: [parkFor(two.held, three.id)] })
    same([await scene.stateOf(one.id), await scene.stateOf(two.id)], ['parked', 'parked'])
    const sleep = { path: 'nap', kind: 'sleep', name: null, dueAt: startMs + 9 } as const
    const { waits } = parkFor(three.held, one.id)
    await scene.node.commit({ parks: [{ held: three.held, dueAt: sleep.dueAt, waits: [...waits, sleep] }] })
    same(await scene.stateOf(three.id), 'parked')
    await scene.clock.advance(10)
    await scene.store.wakeRuns(9)
    const again = await scene.node.claimOne()
    const { woken } = await scene.node.commit({ parks: [parkFor(again.held, one.id)] })
    same([woken, await scene.stateOf(three.id), await scene.stateOf(one.id)], [1, 'ready', 'parked'])
    const told = await scene.node.claimOne()
    same([told.id, told.waits], [three.id, []])
    const [result] = told.steps
    same([result?.path, result?.kind, result?.isError, result?.seq], ['go/result', 'result', true, 1])
    same((JSON.parse(result?.value ?? '{}') as { code: string }).code, 'circular_wait')
    for (const { held } of [told]) await scene.node.commit({ settles: [settle(held)] })
  },

  'wakes a run that waits for its end, whatever end': async (scene) => {
    for (const outcome of ['succeeded', 'failed', 'cancelled'] as const) {
      const { parent, child } = await family(scene)
      await scene.node.commit({ parks: [parkFor(parent.held, child.id)] })
      assert.equal(await scene.stateOf(parent.id), 'parked')
      same((await scene.store.findRun(parent.id))?.reason, { kind: 'result', runId: child.id, until: undefined })
      const { woken } = await scene.node.commit({ settles: [settle(child.held, outcome)] })
      same([woken, await scene.stateOf(parent.id)], [1, 'ready'])
      same((await scene.store.listEnds([child.id])).get(child.id), {
        outcome,
        value: settle(child.held, outcome).value,
      })
      await scene.node.commit({ settles: [settle((await scene.node.claimOne()).held)] })
    }
  },

  'makes a run ready that parks for what has ended, or is not there': async (scene) => {
    const { parent, child } = await family(scene)
    await scene.node.commit({ settles: [settle(child.held)] })
    await scene.node.commit({ parks: [parkFor(parent.held, child.id)] })
    assert.equal(await scene.stateOf(parent.id), 'ready')
    const again = await scene.node.claimOne()
    await scene.node.commit({ parks: [parkFor(again.held, 'gone')] })
    assert.equal(await scene.stateOf(parent.id), 'ready')
    same([...(await scene.store.listEnds(['gone', parent.id]))], [['gone', 'gone']])
  },

  'loses no wake-up between a park and an end on two nodes, in whichever order': async (scene) => {
    const other = await scene.addNode()
    for (let turn = 0; turn < 20; turn++) {
      const parent = await scene.startAndClaim()
      const id = `child-${turn}`
      await scene.node.commit({ children: [childOf(scene, parent.held, { id })] })
      const child = await other.claimOne()
      const park = () => scene.node.commit({ parks: [parkFor(parent.held, id)] })
      const end = () => other.commit({ settles: [settle(child.held)] })
      await Promise.all(turn % 2 === 0 ? [park(), end()] : [end(), park()])
      assert.equal(await scene.stateOf(parent.id), 'ready')
      await scene.node.commit({ settles: [settle((await scene.node.claimOne()).held)] })
    }
  },

  'ends with its parent when it waits, and is asked to when it runs; what is detached goes on': async (scene) => {
    const { parent, child } = await family(scene)
    const children = [
      childOf(scene, parent.held, { id: 'waits', path: 'b' }),
      childOf(scene, parent.held, { id: 'apart', path: 'c', isDetached: true }),
    ]
    await scene.node.commit({ children })
    const { cancelRequests } = await scene.node.commit({ settles: [settle(parent.held)] })
    same(
      cancelRequests.map(({ runId }) => runId),
      [child.held.runId],
    )
    same([await scene.stateOf('waits'), await scene.stateOf('apart')], ['cancelled', 'ready'])
  },

  'ends with a parent that another cancels while it is parked, and so do its own': async (scene) => {
    const { parent, child } = await family(scene)
    await scene.node.commit({ children: [childOf(scene, child.held, { id: 'deeper' })] })
    await scene.node.commit({ parks: [parkFor(child.held, 'deeper')] })
    await scene.node.commit({ parks: [parkFor(parent.held, child.id)] })
    same((await scene.client.commit({ cancels: [cancel(parent.id)] })).cancels, ['cancelled'])
    same([await scene.stateOf(child.id), await scene.stateOf('deeper')], ['cancelled', 'cancelled'])
  },

  'that is started in the commit that ends its parent ends with it, and is remembered when its parent is tried again':
    async (scene) => {
      const ending = await scene.startAndClaim()
      await scene.node.commit({ children: [childOf(scene, ending.held)], settles: [settle(ending.held, 'failed')] })
      assert.equal(await scene.stateOf('child'), 'cancelled')
      const parent = await scene.startAndClaim()
      const attempt = { held: parent.held, attempt: 2, dueAt: startMs }
      const steps = [step(parent.held, 'bad', { isError: true, value: '{}' })]
      await scene.node.commit({ children: [childOf(scene, parent.held, { id: 'kept' })], steps, retries: [attempt] })
      same(
        (await scene.store.listSteps(parent.id)).map(({ path, value }) => [path, value]),
        [['go', 'j"kept"']],
      )
    },

  'is started anew by the next generation of its parent unless it succeeded or goes on': async (scene) => {
    const parent = await scene.startAndClaim()
    const ids = ['good', 'bad', 'waits', 'apart']
    const children = ids.map((id) => childOf(scene, parent.held, { id, path: id, isDetached: id === 'apart' }))
    await scene.node.commit({ children })
    const [good, bad] = await scene.node.claim(2)
    if (good === undefined || bad === undefined) throw new Error('The children were not ready')
    await scene.node.commit({ settles: [settle(good.held), settle(bad.held, 'failed')] })
    await scene.node.commit({ settles: [settle(parent.held, 'failed')] })
    same(await scene.store.operating.reopenRuns([parent.id], undefined), ['reopened'])
    same(
      (await scene.store.listSteps(parent.id)).map(({ path }) => path),
      ['apart', 'good'],
    )
  },

  'that has no key goes on when its parent is tried again and asks for it as it was': async (scene) => {
    const parent = await scene.startAndClaim()
    const ids = ['failed', 'mended', 'other', 'cancelled']
    await scene.node.commit({ children: ids.map((id) => childOf(scene, parent.held, { id, path: id })) })
    const [failed, mended, other] = await scene.node.claim(3)
    if (failed === undefined || mended === undefined || other === undefined) throw new Error('They were not ready')
    const bad = [failed, mended, other].map(({ held }) => ({ ...settle(held, 'failed'), fingerprint: 'why' }))
    await scene.node.commit({ settles: bad })
    await scene.node.commit({ settles: [settle(parent.held, 'failed')] })
    same(await scene.store.operating.reopenRuns([parent.id], undefined), ['reopened'])
    // Somebody else mends one before its parent asks for it.
    same(await scene.store.operating.reopenRuns(['mended'], undefined), ['reopened'])
    const [again, mendedAgain] = await scene.node.claim(2)
    if (again?.id !== parent.id || mendedAgain === undefined) throw new Error('They were not ready again')
    await scene.node.commit({ settles: [settle(mendedAgain.held)] })
    const anew = ids.map((id) => childOf(scene, again.held, { id: `${id} anew`, path: id }))
    const changed = anew.map((child) =>
      child.path === 'other' ? { ...child, start: { ...child.start, input: 'j"another"' } } : child,
    )
    const { joined } = await scene.node.commit({ children: changed })
    same(
      [...joined].map(([id, { value }]) => [id, value]),
      [
        ['failed anew', 'j"failed"'],
        ['mended anew', 'j"mended"'],
        ['cancelled anew', 'j"cancelled"'],
      ],
    )
    const states = await Promise.all([...ids, 'other anew'].map((id) => scene.stateOf(id)))
    same(states, ['ready', 'succeeded', 'failed', 'ready', 'ready'])
    same(await scene.store.listDead({ limit: 9 }), [])
  },

  'that has a key is in its next life when its parent is tried again': async (scene) => {
    const parent = await scene.startAndClaim()
    const child = childOf(scene, parent.held, { key: 'k' })
    await scene.node.commit({ children: [child] })
    const first = await scene.node.claimOne()
    await scene.node.commit({ settles: [settle(first.held, 'failed')] })
    await scene.node.commit({ settles: [settle(parent.held, 'failed')] })
    same(await scene.store.operating.reopenRuns([parent.id], undefined), ['reopened'])
    const again = await scene.node.claimOne()
    const anew = { ...childOf(scene, again.held, { id: 'other', key: 'k' }) }
    const joined = ['other', { isError: false, value: 'j"child"' }]
    same([...(await scene.node.commit({ children: [anew] })).joined], [joined])
    same([await scene.stateOf('child'), (await scene.store.findRun('child'))?.generation], ['ready', 2])
    const second = await scene.node.claimOne()
    await scene.node.commit({ settles: [settle(second.held, 'failed')] })
    // Who meets it for the first time has what it ended with.
    const stranger = await scene.startAndClaim()
    await scene.node.commit({ children: [childOf(scene, stranger.held, { id: 'third', key: 'k' })] })
    same([await scene.stateOf('child'), await scene.stateOf('third')], ['failed', undefined])
    await scene.node.commit({ settles: [settle(stranger.held), settle(again.held)] })
  },

  'that ran out of time while it waited says whether its parent waits for it': async (scene) => {
    const parent = await scene.startAndClaim()
    const { start, ...child } = childOf(scene, parent.held)
    await scene.node.commit({ children: [{ ...child, start: { ...start, expiresAt: startMs + 5 } }] })
    await scene.node.commit({ parks: [parkFor(parent.held, 'child')] })
    await scene.clock.advance(5)
    same(await scene.store.expireRuns(9, () => errorValue('expired')), [{ id: 'child', isAwaited: true }])
    assert.equal(await scene.stateOf(parent.id), 'ready')
  },

  'ends with its parent in its turn where there are hundreds, each once and none forgotten': async (scene) => {
    const parent = await scene.startAndClaim()
    const ids = Array.from({ length: 450 }, (_, n) => `many-${n}`)
    const children = ids.map((id) => childOf(scene, parent.held, { id, path: id }))
    await scene.node.commit({ children })
    await scene.node.commit({ parks: [park(parent.held, startMs + 60_000)] })
    const ended = async (): Promise<number> =>
      (await scene.store.listRuns({ limit: 999, parent: parent.id, state: ['cancelled'] })).length
    const { cancels, isMoreToEnd } = await scene.client.commit({ cancels: [cancel(parent.id)] })
    same([cancels, isMoreToEnd, await ended()], [['cancelled'], true, 200])
    same([await scene.store.wakeRuns(9), await ended()], [{ woken: 200, nextDueAt: 0, nextScheduleAt: null }, 400])
    // Another process goes on after a crash.
    const there = await scene.connect()
    same([await there.wakeRuns(9), await ended()], [{ woken: 50, nextDueAt: null, nextScheduleAt: null }, 450])
    same((await there.findRun('many-449'))?.state, 'cancelled')
  },

  'that is yet to end with its parent ends before that goes on': async (scene) => {
    const parent = await scene.startAndClaim()
    const ids = Array.from({ length: 250 }, (_, n) => `many-${n}`)
    await scene.node.commit({ children: ids.map((id) => childOf(scene, parent.held, { id, path: id })) })
    same((await scene.node.commit({ settles: [settle(parent.held, 'failed')] })).isMoreToEnd, true)
    same(await scene.store.operating.reopenRuns([parent.id], undefined), ['reopened'])
    same(await scene.store.listSteps(parent.id), [])
    same((await scene.store.wakeRuns(9)).nextDueAt, null)
    same((await scene.store.listRuns({ limit: 999, parent: parent.id, state: ['cancelled'] })).length, 250)
  },

  'ends with its parent, and so do those below, where their number is more than ends at once': async (scene) => {
    const top = await scene.startAndClaim()
    const ids = Array.from({ length: 150 }, (_, n) => `mid-${n}`)
    await scene.node.commit({ children: ids.map((id) => childOf(scene, top.held, { id, path: id })) })
    const below = (await scene.node.claim(150)).map(({ held, id }) => childOf(scene, held, { id: `low-${id}` }))
    await scene.node.commit({ children: below })
    const mids = below.map(({ held, start }) => parkFor(held, start.id))
    await scene.node.commit({ parks: mids })
    await scene.node.commit({ settles: [settle(top.held)] })
    while ((await scene.store.wakeRuns(9)).nextDueAt === 0);
    same((await scene.store.listRuns({ limit: 999, state: ['cancelled'] })).length, 300)
  },

  'that was tried again before its parent ends with the next generation of that': async (scene) => {
    const { parent, child } = await family(scene)
    await scene.node.commit({ settles: [settle(child.held, 'failed')] })
    await scene.node.commit({ settles: [settle(parent.held, 'failed')] })
    same(await scene.store.operating.reopenRuns([child.id, parent.id], undefined), ['reopened', 'reopened'])
    same(
      (await scene.store.listSteps(parent.id)).map(({ value }) => value),
      [`j"${child.id}"`],
    )
    same((await scene.client.commit({ cancels: [cancel(parent.id)] })).cancels, ['cancelled'])
    assert.equal(await scene.stateOf(child.id), 'cancelled')
  },

  'that is not there any more is started anew only when all that is known of it is a failure': async (scene) => {
    const parent = await scene.startAndClaim()
    const ids = ['good', 'bad', 'late', 'apart']
    const children = ids.map((id) => childOf(scene, parent.held, { id, path: id }))
    await scene.node.commit({ children })
    const result = (path: string, isError: boolean) => step(parent.held, path, { kind: 'result', isError, value: '{}' })
    const steps = [
      result('good/result', false),
      result('bad/result', true),
      result('late/result', true),
      result('late/result#2', false),
    ]
    await scene.node.commit({ steps })
    for (const child of await scene.node.claim(4)) await scene.node.commit({ settles: [settle(child.held)] })
    await scene.clock.advance(100)
    const kept = { succeeded: 10, failed: null, cancelled: null, logs: null }
    const rules = { defaults: kept, beside: { audit: 10, events: 10 }, limit: 10, pauseMs: 1 }
    // Its parent may yet ask for its result.
    same((await scene.store.retention.deleteExpired(rules)).runs, 0)
    await scene.node.commit({ settles: [settle(parent.held, 'failed')] })
    await scene.clock.advance(1)
    same((await scene.store.retention.deleteExpired(rules)).runs, 4)
    same(await scene.store.operating.reopenRuns([parent.id], undefined), ['reopened'])
    same((await scene.store.listSteps(parent.id)).map(({ path }) => path).toSorted(), [
      'apart',
      'good',
      'good/result',
      'late',
      'late/result#2',
    ])
  },
}

interface ChildValues {
  readonly id?: string
  readonly path?: string
  readonly isDetached?: boolean
  readonly key?: string
}

function childOf(
  scene: Scene,
  held: Held,
  { id = 'child', path = 'go', isDetached = false, key }: ChildValues = {},
): ChildRecord {
  const start = scene.startRecord({ id, key: key === undefined ? null : attach(key) })
  return { held, path, seq: path.charCodeAt(0), startedAt: startMs, start, isDetached }
}

let families = 0

/** A run and one that it started, both held. */
async function family(scene: Scene): Promise<{ readonly parent: Claimed; readonly child: Claimed }> {
  const parent = await scene.startAndClaim()
  await scene.node.commit({ children: [childOf(scene, parent.held, { id: `child-${++families}` })] })
  return { parent, child: await scene.node.claimOne() }
}

function parkFor(held: Held, id: string): ParkRecord {
  return { held, dueAt: null, waits: [{ path: 'go/result', kind: 'run', name: id, dueAt: null }] }
}
