// The Postgres that tests run on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../src/lib/clock.ts'
import { freshDatabase, openDatabase, postgresVersions, startPostgres } from './postgres.ts'

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

const setting = async (url: string, name: string): Promise<string> => {
  const { rows } = await (await connect(url)).query<{ value: string }>('select current_setting($1) as value', [name])
  return rows[0]?.value ?? ''
}

describe.each(postgresVersions)('Postgres %s', (version) => {
  it('is of that version, and sorts as people do', async () => {
    const url = await freshDatabase(version)
    expect((await setting(url, 'server_version')).split('.')[0]).toBe(version.replace('debian-', ''))
    const { rows } = await (await connect(url)).query(`select x from unnest(array['a', 'B', 'c', 'é']) x order by x`)
    expect(rows).toEqual([{ x: 'a' }, { x: 'B' }, { x: 'c' }, { x: 'é' }])
  })

  it('has a database for each test, on one server, which drops it at once', async () => {
    const [one, other] = [await openDatabase(version), await openDatabase(version)]
    await (await connect(one.url)).query('create table seen (x int)')
    const { rows } = await (await connect(other.url)).query(`select to_regclass('seen') as seen`)
    expect(rows).toEqual([{ seen: null }])
    expect(await setting(one.url, 'port')).toBe(await setting(other.url, 'port'))
    await Promise.all([one.drop(), other.drop()])
    await expect(new pg.Client({ connectionString: one.url }).connect()).rejects.toMatchObject({ code: '3D000' })
  })
})

describe('a server of its own', () => {
  it('writes to the disk when that is asked for', async () => {
    const { url, stop } = await startPostgres({ version: '18', isDurable: true })
    onTestFinished(stop)
    expect(await setting(`${url}/postgres`, 'fsync')).toBe('on')
    expect(await setting(await freshDatabase(), 'fsync')).toBe('off')
  })

  it('ends with the process that started it, and its folder with it, also when that is killed', async () => {
    const child = childWithServer()
    const [url] = (await once(child.stdout, 'data')) as [Buffer]
    const client = await connect(`${String(url).trim()}/postgres`)
    const { rows } = await client.query<{ folder: string }>(`select current_setting('data_directory') as folder`)
    const folder = rows[0]?.folder ?? ''
    expect(existsSync(folder)).toBe(true)
    const ended = new Promise((resolve) => client.once('end', resolve))
    child.kill('SIGKILL')
    await ended
    while (existsSync(folder)) await new Promise<void>((resolve) => systemClock.after(10, resolve))
  })

  it('is ended at once and started anew, with what was committed and nothing else', async () => {
    const server = await startPostgres({ version: '18', isDurable: true })
    onTestFinished(server.stop)
    const client = await connect(`${server.url}/postgres`)
    await client.query('create table seen (x int); insert into seen values (1)')
    await client.query('begin; insert into seen values (2)')
    await server.restart()
    const { rows } = await (await connect(`${server.url}/postgres`)).query('select x from seen')
    expect(rows).toEqual([{ x: 1 }])
  })

  it('says why it does not start', async () => {
    await expect(startPostgres({ version: 'debian-1' })).rejects.toThrow('initdb')
  })
})

function childWithServer(): ReturnType<typeof spawn> & { stdout: NodeJS.ReadableStream } {
  const [jiti, file] = ['../node_modules/jiti/lib/jiti-cli.mjs', './postgres-child.ts'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  const env = { ...process.env, JITI_FS_CACHE: 'false', NODE_OPTIONS: '' }
  return spawn(process.execPath, [jiti ?? '', file ?? ''], { env, stdio: ['ignore', 'pipe', 'inherit'] })
}
