// Lends connections, and keeps none that may be broken.
import type { Pool, PoolClient } from './client.ts'
import { remedyOf } from './errors.ts'

/** Gives a connection of the pool to `work`; should that throw, what it wrote is undone. */
export async function lend<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let isBroken = false
  try {
    return await work(client)
  } catch (error) {
    isBroken = remedyOf(error) === 'reconnect' || !(await isRolledBack(client))
    throw error
  } finally {
    client.release(isBroken)
  }
}

async function isRolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('rollback')
    return true
  } catch {
    return false
  }
}
