// A real Postgres for tests: one server of each version for all of them, and a database for each test.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'

export { postgresVersions, startPostgres } from './postgres-server.ts'

export interface TestDatabase {
  readonly url: string
  /** Also while others are connected. */
  drop(): Promise<void>
}

/** The URL of an empty database, which is dropped when the test ends. Its server does not wait for the disk: see `startPostgres`. */
export async function freshDatabase(version?: string): Promise<string> {
  const { url, drop } = await openDatabase(version)
  onTestFinished(drop)
  return url
}

/** An empty database for more than one test. The first of a version takes a second. */
export async function openDatabase(version = '18'): Promise<TestDatabase> {
  const answer = await fetch(`${inject('postgresHub')}/${version}`)
  const server = await answer.text()
  if (!answer.ok) throw new Error(server)
  const name = `test_${randomUUID().replaceAll('-', '_')}`
  await administer(server, `create database ${name} template template0`)
  return { url: `${server}/${name}`, drop: () => administer(server, `drop database ${name} with (force)`) }
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${server}/postgres` })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
