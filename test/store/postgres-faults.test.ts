// What becomes of a commit on Postgres whose connection is cut: all of it happens once, and who asked for it is told so.
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import type { Store } from '../../src/store/store.ts'
import { Scene, startMs } from '../../src/testing/conformance/scene.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { freshDatabase } from '../postgres.ts'
import { Proxy, type Cut } from './proxy.ts'

// As the protocol has it: a text ends with a zero.
const commit = 'commit\0'
const begin = 'troupe_begin\0'

async function throughProxy(): Promise<{ proxy: Proxy; scene: Scene; beside: Store; url: string }> {
  const url = await freshDatabase()
  const proxy = await Proxy.before(url)
  const scene = await Scene.open({
    // What is tried again waits for real time.
    connect: () => openPostgres({ url: proxy.url, clock: systemClock }),
    remove: async () => undefined,
  })
  const beside = await openPostgres({ url, clock: new ManualClock(startMs) })
  onTestFinished(async () => {
    await scene.close()
    await beside.close()
    await proxy.close()
  })
  return { proxy, scene, beside, url }
}

describe.each<{ word: string; cut: Cut }>([
  { word: begin, cut: 'before' },
  { word: begin, cut: 'after' },
  { word: commit, cut: 'before' },
  { word: commit, cut: 'after' },
])('a connection that is cut $cut $word is passed on', ({ word, cut }) => {
  it('loses nothing and writes nothing twice', async () => {
    const { proxy, scene, beside } = await throughProxy()
    void proxy.arm(word, cut)
    const { started, isNodeLost } = await scene.node.commit({ starts: [scene.startRecord({ id: 'one' })] })
    expect(proxy.cuts).toBe(1)
    expect({ isNodeLost, ids: started.map(({ id, isNew }) => [id, isNew]) }).toEqual({
      isNodeLost: false,
      ids: [['one', true]],
    })
    const runs = await beside.listRuns({ limit: 9 })
    expect(runs.map(({ id, state }) => [id, state])).toEqual([['one', 'ready']])
  })

  it('starts a run once for somebody whose batches have no number', async () => {
    const { proxy, scene, beside } = await throughProxy()
    void proxy.arm(word, cut)
    const { started } = await scene.client.commit({ starts: [scene.startRecord({ id: 'one' })] })
    expect(proxy.cuts).toBe(1)
    expect(started.map(({ id, isNew }) => [id, isNew])).toEqual([['one', true]])
    expect((await beside.listRuns({ limit: 9 })).map(({ id }) => id)).toEqual(['one'])
  })

  it('keeps what is told once, whose answers are all lost', async () => {
    const { proxy, scene, url } = await throughProxy()
    await scene.start({ id: 'one' })
    void proxy.arm(word, cut)
    const { tells } = await scene.client.commit({ tells: [{ id: 'one', name: 'go', value: 'j1' }] })
    expect(proxy.cuts).toBe(1)
    expect(tells).toEqual(['told'])
    const admin = new pg.Client({ connectionString: url })
    await admin.connect()
    const { rows } = await admin.query('select name, value from troupe.message')
    await admin.end()
    expect(rows).toEqual([{ name: 'go', value: 'j1' }])
  })
})

it('says that a newer version has changed the schema, also where what failed for that is answered in one piece with it', async () => {
  const { proxy, scene, url } = await throughProxy()
  await scene.client.commit({ starts: [scene.startRecord()] })
  const newer = new pg.Client({ connectionString: url })
  await newer.connect()
  onTestFinished(() => newer.end())
  await newer.query('insert into troupe.migration (step) values (99); drop table troupe.writer')
  proxy.silence('down')
  const refused = expect(scene.client.commit({ starts: [scene.startRecord()] })).rejects.toMatchObject({
    code: 'store_newer',
  })
  const failed = `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction (aborted)'`
  await expect.poll(async () => (await newer.query(failed)).rowCount).toBe(1)
  proxy.speak()
  await refused
})
