// ctx.tx on a Postgres of the user's own: a row of a small table of ours is a part of the transaction.
import { toError } from '../lib/errors.ts'
import type { TxWork } from './tx.ts'

/** A client of `pg`. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>
}

/** A client that a pool of `pg` lends. */
export interface PooledClient extends PostgresClient {
  on(event: 'error', hear: () => void): unknown
  off(event: 'error', hear: () => void): unknown
  release(error?: Error | boolean): void
}

/** A pool of `pg`. */
export interface PostgresPool extends PostgresClient {
  readonly totalCount: number
  connect(): Promise<PooledClient>
}

const findTable = `select to_regclass('troupe_step') as name`

const createTable = `
create table if not exists troupe_step (
  run text not null, path text not null, generation integer not null, value text not null, at bigint not null,
  primary key (run, path)
)`

const findRow = `select generation, value from troupe_step where run = $1 and path = $2`

// Race: another attempt of the same step waits here until this transaction ends, and then finds that it is done.
const takeRow = `
insert into troupe_step (run, path, generation, value, at) values ($1, $2, $3, '', $4)
on conflict (run, path) do update set generation = excluded.generation, value = excluded.value, at = excluded.at
where troupe_step.generation < excluded.generation
returning 1`

const keepValue = `update troupe_step set value = $3 where run = $1 and path = $2`

interface Row {
  readonly generation: number
  readonly value: string
}

// The databases whose table is there, as far as this process knows.
const prepared = new WeakSet<object>()

export function isPostgres(db: object): db is PostgresPool | PostgresClient {
  return typeof (db as Partial<PostgresClient>).query === 'function'
}

export async function postgresTx(db: PostgresPool | PostgresClient, work: TxWork): Promise<string> {
  if (!isPool(db)) return onClient(db, db, work)
  const client = await db.connect()
  let broken: Error | undefined
  // Race: a connection that is lost says so as an event too, and one that nobody hears ends the process; its next query tells.
  client.on('error', hear)
  try {
    return await onClient(client, db, work)
  } catch (error) {
    broken = await brokenBy(client)
    throw error
  } finally {
    client.off('error', hear)
    client.release(broken)
  }
}

const hear = (): void => {}

/** prepare → look → take the row → work → keep the value → commit */
async function onClient(client: PostgresClient, db: object, work: TxWork): Promise<string> {
  const { run, path, generation, at } = work.checkpoint
  if (!prepared.has(db)) await prepare(client)
  prepared.add(db)
  const find = async (): Promise<Row | undefined> =>
    (await client.query(findRow, [run, path])).rows[0] as Row | undefined
  const earlier = await find()
  if (earlier !== undefined && earlier.generation < generation && !(await work.isPast(earlier.generation)))
    return earlier.value
  await client.query('begin')
  try {
    const taken = await client.query(takeRow, [run, path, generation, at])
    if (taken.rows.length === 0) {
      const done = await find()
      await client.query('rollback')
      if (done?.generation === generation) return done.value
      throw new Error(`The step '${path}' goes on elsewhere in a newer attempt`)
    }
    const text = await work.perform(client)
    await client.query(keepValue, [run, path, text])
    work.checkGoingOn()
    await client.query('commit')
    return text
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

async function prepare(client: PostgresClient): Promise<void> {
  const known = (await client.query(findTable)).rows[0] as { readonly name: unknown } | undefined
  if ((known?.name ?? null) !== null) return
  try {
    await client.query(createTable)
  } catch (error) {
    // Race: another process makes it too.
    const made = (await client.query(findTable)).rows[0] as { readonly name: unknown } | undefined
    if ((made?.name ?? null) === null) throw error
  }
}

/** Set when nothing can be asked of a client any more. */
async function brokenBy(client: PostgresClient): Promise<Error | undefined> {
  try {
    await client.query('select 1')
    return undefined
  } catch (error) {
    return toError(error)
  }
}

function isPool(db: PostgresPool | PostgresClient): db is PostgresPool {
  return 'totalCount' in db
}
