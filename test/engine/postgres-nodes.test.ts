// Nodes on one Postgres: one is drained from elsewhere, has a wrong clock, or is older than the schema.
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Troupe, worker, workflow, type TroupeOptions } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { newestStep } from '../../src/store/postgres/migrations/migrations.ts'
import { RecordedLog } from '../../src/testing/recorded-log.ts'
import type { World } from '../../src/troupe.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'
import { rejection } from './stage.ts'

interface Opened {
  readonly troupe: Troupe
  readonly log: RecordedLog
}

async function engine(store: string, options: TroupeOptions = {}, world: World = {}): Promise<Opened> {
  const log = new RecordedLog()
  const troupe = await Troupe.openIn({ store, logLevel: 'debug', global: false, ...options }, { log, ...world })
  onTestFinished(() => troupe.stop({ within: 0 }))
  return { troupe, log }
}

async function administer(store: string): Promise<pg.Client> {
  const admin = new pg.Client({ connectionString: store })
  await admin.connect()
  onTestFinished(() => admin.end())
  await admin.query('set search_path to troupe')
  return admin
}

describe('draining', () => {
  it.each(postgresVersions)('stops a node from elsewhere once its run has ended, on Postgres %s', async (version) => {
    const store = await freshDatabase(version)
    const [begun, gate] = [deferred<void>(), deferred<string>()]
    const job = worker('job', {}, () => (begun.resolve(), gate.promise))
    const node = await engine(store, { definitions: [job], node: 'rack-7' })
    await node.troupe.start()
    const client = await engine(store, { definitions: [job] })
    const handle = await client.troupe.call(job)
    await begun.promise
    const states = async () => (await client.troupe.nodes()).map(({ name, state }) => [name, state])
    expect(await states()).toEqual([['rack-7', 'serving']])
    expect(await client.troupe.drain('rack-7')).toBe(true)
    expect(await states()).toEqual([['rack-7', 'draining']])
    gate.resolve('ended')
    await node.troupe.drained
    expect(await handle.result()).toBe('ended')
    expect(await states()).toEqual([])
  })
})

describe('the clock of a machine', () => {
  it('is not far from that of a server on the same one', async () => {
    const { troupe, log } = await engine(await freshDatabase())
    await troupe.start()
    const [node] = await troupe.nodes()
    expect(Math.abs(node?.clockAheadMs ?? Infinity)).toBeLessThan(1_000)
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([])
  })

  it('that is wrong is told of, and changes no time that is stored', async () => {
    const store = await freshDatabase()
    const wrongMs = 7_000
    const rightNow = Date.now
    Date.now = () => rightNow() + wrongMs
    onTestFinished(() => void (Date.now = rightNow))
    const double = worker('double', {}, (_ctx, n: number) => n * 2)
    const { troupe, log } = await engine(store, { definitions: [double] })
    await troupe.start()
    const before = rightNow()
    const handle = await troupe.call(double, 2)
    expect(await handle.result()).toBe(4)
    const { createdAt } = await handle.status()
    // As exact as an answer of the server is quick.
    expect(createdAt - before).toBeLessThan(wrongMs / 2)
    const [node] = await troupe.nodes()
    expect(Math.abs((node?.clockAheadMs ?? 0) - wrongMs)).toBeLessThan(wrongMs / 2)
    const { status, reasons } = await troupe.health()
    expect(status).toBe('degraded')
    expect(reasons).toEqual([expect.stringMatching(/^The clock of this machine is .* ahead of/)])
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })
})

describe('a node that is older than the schema', () => {
  it.each(postgresVersions)('writes nothing more and gives up its runs, on Postgres %s', async (version) => {
    const store = await freshDatabase(version)
    const admin = await administer(store)
    const [begun, gate] = [deferred<void>(), deferred<string>()]
    const flow = workflow('flow', {}, async (ctx) => {
      const first = await ctx.step('first', () => 'first')
      return `${first} and ${await ctx.step('second', () => (begun.resolve(), gate.promise))}`
    })
    const world = { leaseMs: 600 }
    const old = await engine(store, { definitions: [flow], node: 'old' }, world)
    await old.troupe.start()
    const handle = await old.troupe.call(flow)
    await begun.promise
    const result = rejection(handle.result())

    // As a newer version would: alone on the store, all of it or nothing.
    await admin.query(`begin; select pg_advisory_xact_lock(hashtextextended('troupe troupe', 0));
      insert into migration (step) values (${newestStep + 1});
      alter table step rename to journal; alter view steps rename to recorded; alter table finished rename to outcome; commit`)
    gate.resolve('second')
    const newer = { code: 'store_newer', details: { found: newestStep + 1, known: newestStep } }
    expect(await result).toMatchObject(newer)
    expect(await rejection(old.troupe.call(flow))).toMatchObject(newer)
    expect(await rejection(old.troupe.steps(handle.id))).toMatchObject(newer)
    expect(await old.troupe.health()).toMatchObject({ status: 'failing', isServing: false })
    const ends = old.log.lines.filter(({ message }) => message === 'this node takes no more work')
    expect(ends.map(({ level }) => level)).toEqual(['error'])
    const { rows } = await admin.query<{ runs: string; steps: string; ends: string }>(
      'select (select count(*) from run) as runs, (select count(*) from journal) as steps, (select count(*) from outcome) as ends',
    )
    expect(rows).toEqual([{ runs: '1', steps: '1', ends: '0' }])

    await admin.query(`begin; alter table journal rename to step; alter view recorded rename to steps; alter table outcome rename to finished;
      delete from migration where step = ${newestStep + 1}; commit`)
    const recent = await engine(store, { definitions: [flow], node: 'recent' }, world)
    await recent.troupe.start()
    expect(await (await recent.troupe.handle(handle.id)).result()).toBe('first and second')
  })

  it('cannot open the store, and says what to do', async () => {
    const store = await freshDatabase()
    const first = await engine(store)
    await first.troupe.stop()
    const admin = await administer(store)
    await admin.query(`insert into migration (step) values (${newestStep + 1})`)
    expect(await rejection(Troupe.open({ store }))).toMatchObject({
      code: 'store_newer',
      message: expect.stringContaining('update the troupe package'),
    })
  })
})
