// What a real database says of itself: who holds it up, what is switched off, what may not be seen.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock, type Clock } from '../../src/lib/clock.ts'
import type { Finding, FindingCode } from '../../src/store/health.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { identity } from '../../src/testing/conformance/scene.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'

async function opened(url: string, clock: Clock = systemClock): Promise<Store> {
  const store = await openPostgres({ url, clock })
  onTestFinished(() => store.close())
  return store
}

async function session(url: string, application = 'beside'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: application })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

async function found(store: Store, code: FindingCode): Promise<Finding[]> {
  return (await store.listFindings()).filter((finding) => finding.code === code)
}

/** Asks until it is so. */
async function until(store: Store, isSo: (findings: readonly Finding[]) => boolean): Promise<void> {
  while (!isSo(await store.listFindings()));
}

describe.each(postgresVersions)('Postgres %s', (version) => {
  it('names who holds a transaction that keeps dead rows', async () => {
    const url = await freshDatabase(version)
    const store = await opened(url)
    expect(await found(store, 'transaction')).toMatchObject([{ severity: 'ok', details: {} }])
    const holder = await session(url, 'report')
    await holder.query('begin isolation level repeatable read')
    await holder.query('select 1 as held')
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
    const [finding] = await found(store, 'transaction')
    expect(finding?.details).toMatchObject({
      pid: rows[0]?.pid,
      application: 'report',
      state: 'idle in transaction',
      query: 'select pg_backend_pid() as pid',
    })
    expect(finding?.text).toContain(`process ${rows[0]?.pid} (role`)
    await holder.query('commit')
    expect(await found(store, 'transaction')).toMatchObject([{ severity: 'ok', details: {} }])
  })

  it('counts the starts that nobody takes in, and the nodes that could', async () => {
    const url = await freshDatabase(version)
    const store = await opened(url)
    expect(await found(store, 'intake')).toMatchObject([{ severity: 'ok', details: { starts: 0 } }])
    const client = await session(url)
    await client.query(`
      insert into troupe.intake (run, name, at)
      select n, 'ship', (extract(epoch from clock_timestamp()) - 120) * 1000 from generate_series(1, 2) as n`)
    await client.query(`select troupe.start_run('mail')`)
    await store.insertNode(identity('gone'), -1)
    const [alone] = await found(store, 'intake')
    expect([alone?.severity, alone?.details]).toEqual([
      'warning',
      { starts: 3, ageMs: expect.any(Number) as number, name: 'ship', nodes: 0 },
    ])
    expect(Number(alone?.details['ageMs'])).toBeGreaterThanOrEqual(120_000)
    await store.insertNode(identity('rack'), 60_000)
    expect(await found(store, 'intake')).toMatchObject([{ details: { nodes: 1 } }])
    const { rows } = await client.query(
      'select name, starts, oldest_at > 0 as is_old from troupe.waiting_starts order by 1',
    )
    expect(rows).toEqual([
      { name: 'mail', starts: '1', is_old: true },
      { name: 'ship', starts: '2', is_old: true },
    ])
  })

  it('finds a table that is not vacuumed, and knows its version', async () => {
    const url = await freshDatabase(version)
    const store = await opened(url)
    expect(await found(store, 'autovacuum')).toMatchObject([{ severity: 'ok' }])
    await (await session(url)).query('alter table troupe.live set (autovacuum_enabled = off)')
    expect(await found(store, 'autovacuum')).toMatchObject([{ severity: 'error', details: { table: 'live' } }])
    expect(await found(store, 'version')).toMatchObject([
      { severity: 'ok', text: expect.stringContaining(`Postgres ${version.replace('debian-', '')}.`) },
    ])
    expect(await found(store, 'primary')).toMatchObject([{ severity: 'ok', details: { isInRecovery: 0 } }])
    const [connections] = await found(store, 'connections')
    expect(Number(connections?.details['connections'])).toBeGreaterThanOrEqual(3)
  })

  it('says that others are not heard while that connection is lost, and then that they are', async () => {
    const url = await freshDatabase(version)
    const clock = new ManualClock(Date.now())
    const store = await opened(url, clock)
    expect(await found(store, 'hints')).toMatchObject([{ details: { hearing: 'listening' } }])
    const ended = await (
      await session(url)
    ).query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query = 'listen troupe_troupe'`)
    expect(ended.rowCount).toBe(1)
    await until(store, (findings) => findings.some(({ code, severity }) => code === 'hints' && severity === 'warning'))
    await clock.advance(50)
    await until(store, (findings) => findings.some(({ code, severity }) => code === 'hints' && severity === 'ok'))
  })

  it('says what a role without pg_monitor may not see', async () => {
    const url = await freshDatabase(version)
    const admin = await session(url)
    const role = `watched_${new URL(url).pathname.slice(6)}`
    await admin.query(`create role ${role} login`)
    const limited = new URL(url)
    limited.username = role
    await admin.query(`grant create on database ${limited.pathname.slice(1)} to ${role}`)
    const store = await openPostgres({ url: limited.href, clock: systemClock })
    expect(await found(store, 'visibility')).toMatchObject([
      { severity: 'warning', remedy: `grant pg_monitor to ${role}`, details: { role } },
    ])
    await admin.query(`grant pg_monitor to ${role}`)
    expect(await found(store, 'visibility')).toMatchObject([{ severity: 'ok' }])
    await store.close()
    await admin.query(`drop owned by ${role} cascade`)
    await admin.query(`drop role ${role}`)
  })
})

it('says that through a pooler nobody is heard', async () => {
  const store = await opened(`${await freshDatabase()}?pgbouncer=true`)
  expect(await found(store, 'hints')).toMatchObject([{ severity: 'ok', details: { hearing: 'pooled' } }])
  expect(await found(store, 'dead_rows')).toMatchObject([{ severity: 'ok' }])
})

it('says how a file is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-health-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const store = await openSqlite({ path: join(folder, 'jobs.db'), synchronous: 'full', clock: systemClock })
  const seen = async (isThorough: boolean): Promise<unknown[]> =>
    (await store.listFindings({ isThorough })).map(({ code, severity }) => [code, severity])
  const quick = [
    ['file', 'ok'],
    ['journal', 'ok'],
    ['wal', 'ok'],
    ['free_pages', 'ok'],
  ]
  expect(await seen(false)).toEqual(quick)
  expect(await seen(true)).toEqual([...quick, ['integrity', 'ok']])
  expect(Number((await found(store, 'file'))[0]?.details['bytes'])).toBeGreaterThan(100_000)
  await store.close()
})
