// What stays in a store when runs end, seen from beside: the code of the error, and nothing of what only unfinished runs need.
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { openDriver, type SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
import { migrations } from '../../src/store/sqlite/migrations/migrations.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Rescued } from '../../src/store/repairs.ts'
import type { Claimed } from '../../src/store/store.ts'
import { cancel, errorValue, park, Scene, settle, startMs } from '../../src/testing/conformance/scene.ts'
import { sceneOnFile } from './scene-on-file.ts'

let folder: string
let scene: Scene
let beside: SqlDriver

beforeEach(async () => {
  ;({ folder, scene, beside } = await sceneOnFile())
})

/** Each way to end, and the code it leaves. */
const ways: readonly (readonly [string, (run: Claimed) => Promise<unknown>, string | null])[] = [
  ['succeeded', ({ held }) => scene.node.commit({ settles: [settle(held)] }), null],
  [
    'failed',
    ({ held }) => scene.node.commit({ settles: [{ ...settle(held, 'failed'), code: 'permanent' }] }),
    'permanent',
  ],
  [
    'was cancelled while parked',
    ({ id, held }) => scene.node.commit({ parks: [park(held, startMs)], cancels: [cancel(id)] }),
    'run_cancelled',
  ],
  ['ran out of time', ({ held }) => expire(held), 'timed_out'],
  ['lost its process too often', () => rescue(errorValue('run_lost')), 'run_lost'],
  ['lost its process to an error without a code', () => rescue('{"name":"Error","message":"gone"}'), null],
]

it.each(ways)(
  'keeps the code of a run that %s, and its state only if it may be tried again',
  async (how, end, code) => {
    const other = await scene.startAndClaim()
    const run = await scene.startAndClaim({ deadlineAt: startMs + 60_000 })
    const states = [run, other].map(({ held }) => ({ held, key: 'cursor', value: 'j1' }))
    await scene.node.commit({ states, parks: [run, other].map(({ held }) => park(held, startMs)) })
    await scene.store.wakeRuns(2)
    const [second, first] = (await scene.node.claim(2)).toSorted((a, b) => b.held.runId - a.held.runId)
    expect([first?.id, second?.id]).toEqual([other.id, run.id])
    await scene.node.commit({ parks: [park(first!.held, startMs + 90_000)] })
    await end({ ...second! })
    expect(beside.prepare('select code from finished').all()).toEqual([{ code }])
    expect(beside.prepare('select code from runs where finished_at is not null').all()).toEqual([{ code }])
    expect(beside.prepare('select run_id from state').all()).toEqual(
      (how === 'succeeded' ? [other] : [other, run]).map(({ held }) => ({ run_id: held.runId })),
    )
    expect(beside.prepare('select run_id from wait').all()).toEqual([{ run_id: other.held.runId }])
  },
)

it('shows a run once that finished in two generations, with its newest end', async () => {
  const { id, held } = await scene.startAndClaim()
  await scene.node.commit({ settles: [{ ...settle(held, 'failed'), code: 'permanent' }] })
  beside.exec(`insert into finished (run_id, generation, outcome, value, attempt, epoch, started_at, finished_at)
    values (${held.runId}, 2, 'succeeded', 'j2', 3, ${held.epoch + 1}, ${startMs + 5}, ${startMs + 9})`)
  const rows = await scene.store.listRuns({ limit: 9 })
  expect(rows).toEqual([await scene.store.findRun(id)])
  expect(rows[0]).toMatchObject({ state: 'succeeded', value: 'j2', attempt: 3, finishedAt: startMs + 9 })
  expect(await scene.store.listRuns({ limit: 9, state: 'failed' })).toEqual([])
})

it('shows a run that goes on in its next generation as unfinished', async () => {
  const { id, held } = await scene.startAndClaim()
  await scene.node.commit({ settles: [settle(held, 'failed')] })
  beside.exec(`insert into live (run_id, generation, state, queue, definition, priority, epoch, attempt, deliveries)
    values (${held.runId}, 2, 'ready', ${scene.queueId}, ${scene.definitionId}, 0, ${held.epoch}, 1, 0)`)
  expect(await scene.store.findRun(id)).toMatchObject({ state: 'ready', value: null, finishedAt: null })
  expect(await scene.store.listRuns({ limit: 9 })).toHaveLength(1)
})

it('brings a store of the first schema up to date, with what it holds', async () => {
  const path = join(folder, 'old.db')
  const old = await openDriver(path)
  old.exec(`${migrations[0]}
    pragma application_id = ${0x54726f75};
    pragma user_version = 1;
    insert into definition values (1, 'resize', '1');
    insert into queue values (1, 'default');
    update counter set value = 6 where name = 'run';
    insert into run (id, public_id, definition, queue, input, created_at) values
      (1, 'done', 1, 1, 'j1', ${startMs}), (2, 'waiting', 1, 1, 'j2', ${startMs}), (3, 'late', 1, 1, 'j3', ${startMs}),
      (4, 'failed', 1, 1, 'j4', ${startMs}), (5, 'never', 1, 1, 'j5', ${startMs}), (6, 'before', 1, 1, 'j6', ${startMs});
    insert into finished values
      (1, 1, 'succeeded', 'j"old"', 1, 1, ${startMs}, ${startMs + 4}),
      (3, 1, 'failed', '{"code":"timed_out"}', 1, 1, ${startMs}, ${startMs + 5}),
      (4, 1, 'failed', '{"name":"Error"}', 1, 1, ${startMs}, ${startMs + 6}),
      (5, 1, 'failed', '{"code":"run_lost"}', 1, 1, null, ${startMs + 7}),
      (6, 1, 'succeeded', 'j"older"', 1, 1, ${startMs}, ${startMs + 3});
    insert into live values (2, 1, 'ready', 1, 1, 0, null, null, 0, 1, 0, null)`)
  old.close()
  const now = await Scene.open({
    connect: (clock) => openSqlite({ path, synchronous: 'normal', clock }),
    remove: async () => undefined,
  })
  const ended = { isTimeout: false, totalMs: 6, lastMs: 0, lastAt: startMs + 7 }
  expect(await now.store.countEnded('resize')).toEqual([
    { ...ended, outcome: 'failed', runs: 2 },
    { ...ended, outcome: 'failed', isTimeout: true, runs: 1, totalMs: 5, lastMs: 5, lastAt: startMs + 5 },
    { ...ended, outcome: 'succeeded', runs: 2, totalMs: 7, lastMs: 4, lastAt: startMs + 4 },
  ])
  const { id, held, states } = await now.node.claimOne()
  expect([id, states]).toEqual(['waiting', []])
  await now.node.commit({ settles: [settle(held)] })
  const rows = await now.store.listRuns({ limit: 9, state: 'succeeded' })
  expect(rows.map((row) => [row.id, row.value])).toEqual([
    ['before', 'j"older"'],
    ['waiting', 'j"succeeded by its node"'],
    ['done', 'j"old"'],
  ])
  expect((await now.store.countEnded('resize')).map(({ runs }) => runs)).toEqual([2, 1, 3])
  await now.close()
})

async function expire(held: Claimed['held']): Promise<void> {
  await scene.node.commit({ releases: [held] })
  await scene.clock.advance(60_000)
  await scene.store.expireRuns(9, () => errorValue('timed_out'))
}

function rescue(value: string): Promise<Rescued> {
  return scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 1, value })
}

it('I15: keeps no request of a run that obeyed it, and none for long of one that ended otherwise', async () => {
  const requests = (): unknown => beside.prepare('select run_id as runId from cancel_request').all()
  const askedToEnd = async (id: string): Promise<Claimed> => {
    const { held } = await scene.startAndClaim()
    const start = scene.startRecord({ id })
    const child = { held, path: 'go', seq: 1, startedAt: startMs, start, isDetached: false }
    await scene.node.commit({ children: [child] })
    const claimed = await scene.node.claimOne()
    await scene.node.commit({ settles: [settle(held)] })
    expect(requests()).toContainEqual({ runId: claimed.held.runId })
    return claimed
  }
  const obeys = await askedToEnd('obeys')
  await scene.node.commit({ settles: [settle(obeys.held, 'cancelled')] })
  expect(requests()).toEqual([])
  const first = await askedToEnd('is done before it hears of it')
  await scene.node.commit({ settles: [settle(first.held)] })
  const second = await askedToEnd('is asked next')
  expect(requests()).toEqual([{ runId: second.held.runId }])
})

it('I15: keeps no request to end of a run that ended by itself', async () => {
  const { id, held } = await scene.startAndClaim()
  await scene.client.commit({ cancels: [cancel(id)] })
  expect(beside.prepare('select run_id from cancel_request').all()).toHaveLength(1)
  await scene.node.commit({ settles: [settle(held)] })
  expect(beside.prepare('select run_id from cancel_request').all()).toEqual([])
})
