// Schedules: what is due, the runs of ticks, and what becomes of ticks while other runs are unfinished.
import assert from 'node:assert/strict'
import type { NextTick, Overlap, Rule } from '../../model/schedule.ts'
import type { Firing, ScheduleRecord, ScheduleView } from '../../store/schedules.ts'
import { errorValue, same, settle, startMs, type Cases, type Scene } from './scene.ts'

const minuteMs = 60_000
const laterMs = startMs + 10 * 60_000
const everyMinute: Rule = { every: minuteMs, from: 0, overlap: 'allow', catchUp: 86_400_000, jitter: 0, paused: false }

function tick(n: number): NextTick {
  return { tickAt: startMs + n * minuteMs, dueAt: startMs + n * minuteMs }
}

function record(scene: Scene, values: Partial<ScheduleRecord> = {}): ScheduleRecord {
  const { definitionId, queueId } = scene
  const rest = {
    priority: 3,
    tags: '["by-time"]',
    input: 'j"in"',
    limits: null,
    key: null,
    timeoutMs: null,
    next: tick(1),
  }
  return { name: 'nightly', rule: everyMinute, definitionId, queueId, ...rest, ...values }
}

/** Makes a schedule and gives it as it is. */
async function save(scene: Scene, values: Partial<ScheduleRecord> = {}): Promise<ScheduleView> {
  await scene.store.schedules.save([record(scene, values)], null)
  return view(scene, values.name)
}

async function view(scene: Scene, name = 'nightly'): Promise<ScheduleView> {
  const found = await scene.store.schedules.find(name)
  assert.ok(found)
  return found
}

/** Fires ticks by number, named after their number; without `advance` beside the rule. */
function firing(of: ScheduleView, ticks: readonly number[], values: Partial<Firing> = {}): Firing {
  return {
    scheduleId: of.scheduleId,
    ticks: ticks.map((n) => ({ at: startMs + n * minuteMs, runId: `tick-${n}` })),
    dropped: 0,
    overlap: 'allow',
    definitionId: of.definitionId,
    cancel: { value: errorValue('run_cancelled'), reason: 'the next came' },
    advance: undefined,
    ...values,
  }
}

/** What each overlap policy makes of three ticks while the run before them is running: the states of their runs. */
const policies: Readonly<Record<Overlap, readonly (string | undefined)[]>> = {
  skip: [undefined, undefined, undefined],
  'buffer-one': ['scheduled', undefined, undefined],
  'buffer-all': ['scheduled', 'scheduled', 'scheduled'],
  'cancel-other': ['cancelled', 'cancelled', 'scheduled'],
  allow: ['ready', 'ready', 'ready'],
}

export const scheduleCases: Cases = {
  'keeps a schedule, and says when it is due': async (scene) => {
    same(await scene.store.schedules.nextAt(), null)
    const made = await save(scene)
    assert.ok(made.scheduleId > 0)
    same(
      { ...made, scheduleId: 1 },
      {
        scheduleId: 1,
        name: 'nightly',
        rule: everyMinute,
        definitionId: scene.definitionId,
        definition: 'resize',
        queueId: scene.queueId,
        priority: 3,
        tags: '["by-time"]',
        input: 'j"in"',
        next: tick(1),
        isPaused: false,
        revision: 1,
        skipped: 0,
        lastTickAt: null,
        lastRunId: null,
        declaredBy: null,
      },
    )
    same(await scene.store.schedules.nextAt(), startMs + minuteMs)
    same((await scene.store.wakeRuns(10)).nextScheduleAt, startMs + minuteMs)
    same(await scene.store.schedules.listDue(10), [])
    await scene.clock.advance(minuteMs)
    same(await scene.store.schedules.listDue(10), [made])
  },

  'starts a run for a tick, and goes on to the next': async (scene) => {
    const made = await save(scene)
    const next = tick(2)
    same(await scene.store.schedules.fire(firing(made, [1], { advance: { revision: 1, next } })), {
      runIds: ['tick-1'],
      skipped: 0,
    })
    same((await view(scene)).next, next)
    const claimed = await scene.node.claimOne()
    same([claimed.id, claimed.input, claimed.scheduledAt], ['tick-1', 'j"in"', startMs + minuteMs])
    const row = await scene.store.findRun('tick-1')
    same([row?.schedule, row?.scheduledAt, row?.tags], ['nightly', startMs + minuteMs, '["by-time"]'])
    const { lastTickAt, lastRunId } = await view(scene)
    same([lastTickAt, lastRunId], [startMs + minuteMs, 'tick-1'])
  },

  'I14: lets one of two nodes fire that saw the same tick': async (scene) => {
    const made = await save(scene)
    const other = await scene.connect()
    const fire = firing(made, [1], { advance: { revision: made.revision, next: tick(2) } })
    const theirs = { ...fire, ticks: [{ at: startMs + minuteMs, runId: 'theirs' }] }
    const fired = await Promise.all([scene.store.schedules.fire(fire), other.schedules.fire(theirs)])
    assert.equal(fired.filter((one) => one !== undefined).length, 1)
    assert.equal((await scene.store.listRuns({ limit: 9 })).length, 1)
  },

  'I14: starts no second run for a tick, whoever asks for it': async (scene) => {
    const made = await save(scene)
    await scene.store.schedules.fire(firing(made, [1], { advance: { revision: 1, next: tick(2) } }))
    await scene.node.commit({ settles: [settle((await scene.node.claimOne()).held)] })
    const again = {
      ...firing(made, [1, 2]),
      ticks: [1, 2].map((n) => ({ at: startMs + n * minuteMs, runId: `again-${n}` })),
    }
    same(await scene.store.schedules.fire(again), { runIds: ['again-2'], skipped: 1 })
    same((await view(scene)).skipped, 1)
  },

  'fires nothing for a schedule that was changed or removed meanwhile': async (scene) => {
    const made = await save(scene)
    const fire = firing(made, [1], { advance: { revision: made.revision, next: tick(2) } })
    await save(scene, { priority: 9 })
    same(await scene.store.schedules.fire(fire), undefined)
    same(await scene.store.schedules.delete('nightly'), true)
    same(await scene.store.schedules.delete('nightly'), false)
    same(await scene.store.schedules.fire(firing(made, [1])), undefined)
    same(await scene.store.listRuns({ limit: 9 }), [])
  },

  'tells of its runs the one of the last tick, and without any the one that was started last': async (scene) => {
    const made = await save(scene)
    const byHand = (runId: string): Firing => ({ ...firing(made, []), ticks: [{ at: null, runId }] })
    const seen: (string | null)[] = []
    for (const fire of [byHand('one'), byHand('two'), firing(made, [1]), byHand('three'), firing(made, [2])]) {
      await scene.store.schedules.fire(fire)
      seen.push((await view(scene)).lastRunId)
    }
    same(seen, ['one', 'two', 'tick-1', 'tick-1', 'tick-2'])
  },

  'starts any number of runs by hand, each with the time it was asked for': async (scene) => {
    const made = await save(scene)
    const byHand = (runId: string): Firing => ({ ...firing(made, []), ticks: [{ at: null, runId }] })
    await scene.store.schedules.fire(byHand('one'))
    await scene.clock.advance(7)
    await scene.store.schedules.fire(byHand('two'))
    const rows = await scene.store.listRuns({ limit: 9 })
    same(
      rows.map(({ id, schedule, scheduledAt }) => [id, schedule, scheduledAt]),
      [
        ['two', 'nightly', startMs + 7],
        ['one', 'nightly', startMs],
      ],
    )
  },

  ...Object.fromEntries(
    Object.entries(policies).map(([overlap, states]) => [
      `${overlap}: has an answer to ticks that come while a run is running`,
      (scene: Scene) => comesOver(scene, overlap as Overlap, states),
    ]),
  ),

  'lets what waited go one after the other, in the order of the ticks': async (scene) => {
    const made = await save(scene)
    for (const n of [1, 2, 3]) await scene.store.schedules.fire(firing(made, [n], { overlap: 'buffer-all' }))
    for (const n of [1, 2, 3]) {
      const [claimed, ...others] = await scene.node.claim(9)
      same([claimed?.id, others.length], [`tick-${n}`, 0])
      assert.ok(claimed)
      const { woken } = await scene.node.commit({ settles: [settle(claimed.held, 'failed')] })
      same(woken, n < 3 ? 1 : 0)
    }
  },

  'lets what waited go when its schedule is gone, and when the one before was cancelled': async (scene) => {
    const made = await save(scene)
    for (const n of [1, 2]) await scene.store.schedules.fire(firing(made, [n], { overlap: 'buffer-all' }))
    same((await scene.store.findRun('tick-2'))?.reason, { kind: 'schedule', schedule: 'nightly' })
    await scene.store.schedules.delete('nightly')
    await scene.client.commit({ cancels: [{ id: 'tick-1', value: errorValue('run_cancelled'), reason: '' }] })
    same((await scene.store.findRun('tick-2'))?.state, 'ready')
  },

  'lets no more wait than a thousand': async (scene) => {
    const made = await save(scene)
    const ticks = Array.from({ length: 1_003 }, (_, n) => n + 1)
    const fired = await scene.store.schedules.fire(firing(made, ticks, { overlap: 'buffer-all', dropped: 5 }))
    same([fired?.runIds.length, fired?.skipped, (await view(scene)).skipped], [1_001, 7, 7])
  },

  'goes on where it was when only other things changed, and anew when the times did': async (scene) => {
    await save(scene)
    same((await save(scene, { input: 'j"new"', next: tick(8) })).next, tick(1))
    same((await save(scene, { rule: { ...everyMinute, every: 1_000 }, next: tick(9) })).next, tick(9))
  },

  'keeps a pause made by hand until the code says otherwise': async (scene) => {
    await save(scene)
    same(await scene.store.schedules.pause('nightly', null), true)
    same(await scene.store.schedules.nextAt(), null)
    same((await save(scene)).isPaused, true)
    same((await save(scene, { rule: { ...everyMinute, paused: true } })).isPaused, true)
    same(await scene.store.schedules.pause('nightly', { next: tick(5) }), true)
    const live = await save(scene, { rule: { ...everyMinute, paused: true } })
    same([live.isPaused, live.next], [false, tick(5)])
    same((await save(scene, { rule: everyMinute })).isPaused, false)
    same(await scene.store.schedules.pause('nothing', null), false)
  },

  'gives its runs a key and a time limit; a tick whose key has a run starts none, and one by hand is told that': async (
    scene,
  ) => {
    const made = await save(scene, { key: { rule: 'attach', key: 'k' }, timeoutMs: 5_000 })
    same(await scene.store.schedules.fire(firing(made, [1])), { runIds: ['tick-1'], skipped: 0 })
    const claimed = await scene.node.claimOne()
    same(claimed.deadlineAt, startMs + 5_000)
    await scene.node.commit({ settles: [settle(claimed.held)] })
    same(await scene.store.schedules.fire(firing(made, [2])), { runIds: [], skipped: 1 })
    const byHand = { ...firing(made, []), ticks: [{ at: null, runId: 'by-hand' }] }
    same(await scene.store.schedules.fire(byHand), { runIds: ['tick-1'], skipped: 0 })
    const row = await scene.store.findRun('tick-1')
    same([row?.schedule, row?.scheduledAt], ['nightly', startMs + minuteMs])
  },

  'counts a run that a person tried again among its unfinished ones': async (scene) => {
    const made = await save(scene)
    await scene.store.schedules.fire(firing(made, [1]))
    const { held } = await scene.node.claimOne()
    await scene.node.commit({ settles: [settle(held, 'failed')] })
    same(await scene.store.operating.reopenRuns(['tick-1'], undefined), ['reopened'])
    same(await scene.store.schedules.fire(firing(made, [2], { overlap: 'skip' })), { runIds: [], skipped: 1 })
    same((await scene.store.findRun('tick-1'))?.schedule, 'nightly')
  },

  'is not fired when it was paused meanwhile': async (scene) => {
    const made = await save(scene)
    await scene.store.schedules.pause('nightly', null)
    const { revision } = await view(scene)
    same(await scene.store.schedules.fire(firing(made, [1], { advance: { revision, next: tick(2) } })), undefined)
  },

  'keeps what code declares as long as a node that declares it is there': async (scene) => {
    const { store, node } = scene
    const second = await scene.addNode()
    await store.schedules.save([record(scene), record(scene, { name: 'weekly' })], node.nodeId)
    await second.store.schedules.save([record(scene)], second.nodeId)
    await save(scene, { name: 'by-verb' })
    same((await view(scene)).declaredBy, ['first', 'second'])
    same(await store.schedules.prune(laterMs), [])
    await store.deleteNode(node.nodeId)
    await scene.clock.advance(minuteMs)
    same(
      (await store.schedules.listDue(9)).map(({ name }) => name),
      ['nightly', 'by-verb'],
    )
    same(await store.schedules.find('weekly'), undefined)
    // It goes on where it was when its program comes back; what was due long ago is forgotten.
    same(await store.schedules.prune(startMs), [])
    const third = await scene.addNode('third')
    await third.store.schedules.save([record(scene, { name: 'weekly', next: tick(9) })], third.nodeId)
    same((await view(scene, 'weekly')).next, tick(1))
    await store.deleteNode(third.nodeId)
    same(await store.schedules.prune(laterMs), ['weekly'])
    await store.deleteNode(second.nodeId)
    same(
      (await store.schedules.list()).map(({ name }) => name),
      ['by-verb'],
    )
    await store.schedules.delete('by-verb')
    same(await store.schedules.nextAt(), null)
  },
}

async function comesOver(scene: Scene, overlap: Overlap, states: readonly (string | undefined)[]): Promise<void> {
  const made = await save(scene)
  await scene.store.schedules.fire(firing(made, [0], { overlap }))
  const first = await scene.node.claimOne()
  for (const n of [1, 2, 3]) await scene.store.schedules.fire(firing(made, [n], { overlap }))
  const rows = await Promise.all([1, 2, 3].map((n) => scene.store.findRun(`tick-${n}`)))
  same(
    rows.map((row) => row?.state),
    states,
  )
  const { cancelRequests } = await scene.node.commit({})
  const asked =
    overlap === 'cancel-other' ? [{ runId: first.held.runId, reason: 'the next came', skipsUndo: false }] : []
  same(cancelRequests, asked)
  const waits = states.lastIndexOf('scheduled')
  const next = waits === -1 ? undefined : `tick-${states.indexOf('scheduled') + 1}`
  await scene.node.commit({ settles: [settle(first.held, 'cancelled')] })
  if (next !== undefined) same(await scene.stateOf(next), 'ready')
}
