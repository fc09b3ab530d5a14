// Several connections and processes on one SQLite file.
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { openDriver, type SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Claimed } from '../../src/store/store.ts'
import { cancel, park, Scene, settle } from '../../src/testing/conformance/scene.ts'
import { limiterOf } from '../../src/testing/conformance/limits.ts'
import { runChild } from './children.ts'

let folder = ''
let path = ''
let scene: Scene
let other: SqlDriver

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-connections-'))
  path = join(folder, 'troupe.db')
  const connect = () => openSqlite({ path, synchronous: 'normal', clock: systemClock })
  scene = await Scene.open({ connect, remove: async () => undefined })
  other = await openDriver(path)
})

afterEach(async () => {
  other.close()
  await scene.close()
  await rm(folder, { recursive: true })
})

it('waits for a long transaction of another connection while the event loop goes on', async () => {
  other.exec('begin immediate')
  let isCommitted = false
  const commit = scene.client
    .commit({ starts: [scene.startRecord({ id: 'late' })] })
    .finally(() => (isCommitted = true))
  await turns(50)
  expect(isCommitted).toBe(false)
  other.exec('rollback')
  expect((await commit).started).toMatchObject([{ id: 'late', isNew: true }])
  expect(await scene.stateOf('late')).toBe('ready')
})

it('writes everything that was asked for meanwhile, each once', async () => {
  other.exec('begin immediate')
  const ids = Array.from({ length: 20 }, (_, n) => `run-${n}`)
  const commits = ids.map((id) => scene.client.commit({ starts: [scene.startRecord({ id })] }))
  const queue = scene.store.internQueue('later')
  await turns(20)
  other.exec('commit')
  await Promise.all(commits)
  expect(await queue).toBeGreaterThan(scene.queueId)
  expect((await scene.store.listRuns({ limit: 99 })).map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
})

it('asks by reading alone whether a limiter lets somebody pass, also while all of its slots are taken', async () => {
  const { limiterId } = await limiterOf(scene, { total: 1 })
  const enters = ['a', 'b'].map((key) => ({ uses: [{ limiterId, key }], step: null }))
  const nothing = { enters: [], holds: 1, leaves: [], yields: false }
  const { nodeId } = scene.node
  const { passed, tickets } = await scene.store.passLimiters(nodeId, { ...nothing, enters })
  const waiting = tickets.filter((ticket) => !passed.includes(ticket))
  other.exec('begin immediate')
  expect(await scene.store.passLimiters(nodeId, nothing)).toMatchObject({ passed: [] })
  other.exec('rollback')
  expect(await scene.store.passLimiters(nodeId, { ...nothing, leaves: passed })).toMatchObject({
    passed: waiting,
  })
})

it('reads while another connection writes, and sees nothing of what is not committed', async () => {
  await scene.start({ id: 'there' })
  other.exec('begin immediate')
  other.exec('delete from live')
  expect(await scene.stateOf('there')).toBe('ready')
  other.exec('rollback')
})

it('gives up with store_busy, naming the file, when the lock outlasts its patience', async () => {
  const store = await openSqlite({ path, synchronous: 'normal', clock: systemClock, busyTimeoutMs: 10 })
  other.exec('begin immediate')
  const refused = store.commit(scene.client.batch({ starts: [scene.startRecord({ id: 'refused' })] }))
  await expect(refused).rejects.toMatchObject({
    code: 'store_busy',
    retryable: true,
    message: expect.stringContaining(path),
  })
  other.exec('rollback')
  expect(await store.findRun('refused')).toBeUndefined()
  await store.close()
})

it('tells by its count of changes that another has written, and that it cannot tell', async () => {
  const before = scene.store.changeCount()
  expect(scene.store.changeCount()).toBe(before)
  other.exec(`insert into queue (name) values ('of another')`)
  const after = scene.store.changeCount()
  expect(after).toBeGreaterThan(before)
  const store = await openSqlite({ path, synchronous: 'normal', clock: systemClock })
  await store.close()
  expect(store.changeCount()).toBe(-1)
})

it.runIf(process.platform === 'linux')('tells when another writes, until it need not', async () => {
  const store = await openSqlite({ path, synchronous: 'normal', clock: systemClock })
  let times = 0
  const stop = await new Promise<(() => void) | undefined>((resolve) => {
    const end = store.whenWritten(() => (times++, resolve(end)), 25)
    other.exec(`insert into queue (name) values ('of another')`)
  })
  stop?.()
  const before = times
  other.exec(`insert into queue (name) values ('of another again')`)
  await new Promise((resolve) => setImmediate(resolve))
  expect(times).toBe(before)
  await store.close()
})

it('does not tell when another writes where a test owns the time', async () => {
  const store = await openSqlite({ path, synchronous: 'normal', clock: new ManualClock() })
  expect(store.whenWritten(() => undefined, 25)).toBe(undefined)
  await store.close()
})

it('fails what waits for a lock with engine_stopped once it is closed, and what is asked later', async () => {
  const store = await openSqlite({ path, synchronous: 'normal', clock: systemClock })
  other.exec('begin immediate')
  const waiting = expect(store.internQueue('late')).rejects.toMatchObject({ code: 'engine_stopped' })
  await store.close()
  await waiting
  other.exec('rollback')
  await expect(store.findRun('any')).rejects.toMatchObject({ code: 'engine_stopped' })
})

it('shows in the view dead what failed for good', async () => {
  const { held } = await scene.startAndClaim()
  await scene.node.commit({ settles: [settle(held)] })
  const value = '{"name":"TroupeError","code":"run_lost","message":""}'
  const lost = await scene.startAndClaim()
  await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], { maxDeliveries: 1, value })
  const rows = other.prepare('select id, name, code, error, run_id from dead').all()
  expect(rows).toEqual([{ id: lost.id, name: 'resize', code: 'run_lost', error: value, run_id: lost.held.runId }])
})

it('leaves no wait behind when a run ends, in whatever way', async () => {
  const kill = { maxDeliveries: 1, value: '{}' }
  await end(({ held }) => scene.node.commit({ settles: [settle(held)] }))
  await end(({ id, held }) => scene.node.commit({ parks: [park(held, 0)], cancels: [cancel(id)] }))
  await end(() => scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], kill))
})

it('holds everything in the one file once it is closed', async () => {
  const closed = join(folder, 'closed.db')
  const store = await openSqlite({ path: closed, synchronous: 'full', clock: systemClock })
  const queueId = await store.internQueue('kept')
  await store.close()
  await copyFile(closed, join(folder, 'copy.db'))
  const copy = await openSqlite({ path: join(folder, 'copy.db'), synchronous: 'full', clock: systemClock })
  const second = await copy.internQueue('second')
  expect([await copy.internQueue('kept'), second]).toEqual([queueId, queueId + 1])
  await copy.close()
})

it('waits for a connection that keeps a file from becoming a store', async () => {
  const fresh = join(folder, 'fresh.db')
  const reader = await openDriver(fresh)
  reader.exec('begin')
  reader.prepare('select * from sqlite_schema').all()
  let isOpen = false
  const opening = openSqlite({ path: fresh, synchronous: 'full', clock: systemClock }).finally(() => (isOpen = true))
  await turns(20)
  expect(isOpen).toBe(false)
  reader.exec('rollback')
  const store = await opening
  expect(await store.internQueue('default')).toBe(1)
  await store.close()
  reader.close()
})

// Several processes load TypeScript at the same time, on a machine that may be busy.
it('lets several processes make the same new files at the same time', { timeout: 90_000 }, async () => {
  const paths = Array.from({ length: 15 }, (_, n) => join(folder, `made-${n}`, 'troupe.db'))
  const children = Array.from({ length: 4 }, () => runChild('./opener.ts', { paths, uid: null }))
  const answers = (await Promise.all(children)).flat()
  expect(answers).toEqual(answers.map(() => ({ code: 'none', message: '' })))
})

// Several processes load TypeScript at the same time, on a machine that may be busy.
it(
  'lets several processes make, fill and empty one file: every run is performed once',
  { timeout: 90_000 },
  async () => {
    const runs = 20
    const names = ['a', 'b', 'c', 'd']
    const fresh = join(folder, 'fresh', 'troupe.db')
    const children = names.map((name) => runChild('./rival.ts', { path: fresh, name, runs }))
    const done = (await Promise.all(children)) as { performed: string[]; isNewOnce: number }[]
    const performed = done.flatMap((child) => child.performed)
    expect(new Set(performed).size).toBe(performed.length)
    expect(performed.filter((id) => id.includes('own'))).toHaveLength(names.length * runs)
    expect(performed.filter((id) => id.includes('shared'))).toHaveLength(runs)
    expect(done.reduce((sum, { isNewOnce }) => sum + isNewOnce, 0)).toBe(runs)
  },
)

/** Brings a run that has waited before to its end, and looks for what is left of its waits. */
async function end(how: (run: Claimed) => Promise<unknown>): Promise<void> {
  const first = await scene.startAndClaim()
  await scene.node.commit({ parks: [park(first.held, 0)] })
  await scene.store.wakeRuns(1)
  const woken = await scene.node.claimOne()
  expect(woken.waits).toEqual([{ path: 'nap', kind: 'sleep', name: null, dueAt: 0 }])
  await how(woken)
  expect(other.prepare('select * from wait').all()).toEqual([])
}

/** Lets the event loop turn, as only it can. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => systemClock.after(1, resolve))
}
