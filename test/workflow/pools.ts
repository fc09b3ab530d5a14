// Connections to a Postgres as programs open them, by `pg`.
import pg from 'pg'
import type { PostgresClient, PostgresPool } from '../../src/workflow/tx/tx-postgres.ts'

export type TestPool = PostgresPool & { end(): Promise<void> }

export type TestClient = PostgresClient & { end(): Promise<void> }

export function openPool(url: string): TestPool {
  const pool = new pg.Pool({ connectionString: url })
  // A connection that the server ends while nobody uses it is no fault of a test.
  pool.on('error', () => {})
  return pool
}

export async function openClient(url: string): Promise<TestClient> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}
