// ctx.tx on a Postgres of the user's own: a row of a small table of ours is a part of the transaction.
import { toError } from '../../lib/errors.ts'
import { mostDeleted, oldRows } from './tx-rows.ts'
import { leaseLost } from '../../model/errors.ts'
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

// Race: another attempt of the same step waits here until this transaction ends, and then finds that it is done.
const takeRow = `
insert into troupe_step (run, path, generation, value, at) values ($1, $2, $3, '', $4)
on conflict (run, path) do nothing returning 1`

const lockRow = `select generation, value from troupe_step where run = $1 and path = $2 for update`

const overtakeRow = `update troupe_step set generation = $3, at = $4 where run = $1 and path = $2`

const keepValue = `update troupe_step set value = $3 where run = $1 and path = $2`

// Ids of runs are in the order of time, so by the first column of the primary key: no more than old runs are looked at.
const deleteOld = `
delete from troupe_step where (run, path) in (select run, path from troupe_step where run < $1 and at < $2 limit ${mostDeleted})`

interface Row {
  readonly generation: number
  readonly value: string
}

// The databases whose table is there, as far as this process knows.
const prepared = new WeakSet<object>()

// The clients that are in a transaction, each with the end of the last that waits for it.
const lastOf = new WeakMap<object, Promise<unknown>>()

export function isPostgres(db: object): db is PostgresPool | PostgresClient {
  return typeof (db as Partial<PostgresClient>).query === 'function'
}

export async function postgresTx(db: PostgresPool | PostgresClient, work: TxWork): Promise<string> {
  if (!isPool(db)) return inTurn(db, () => onClient(db, db, work))
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

/** A client has one transaction at a time. */
function inTurn(client: PostgresClient, transaction: () => Promise<string>): Promise<string> {
  const before = lastOf.get(client) ?? Promise.resolve()
  const own = before.then(transaction)
  lastOf.set(
    client,
    own.catch(() => undefined),
  )
  return own
}

/** prepare → take the row → work → keep the value → commit */
async function onClient(client: PostgresClient, db: object, work: TxWork): Promise<string> {
  if (!prepared.has(db)) await prepare(client)
  prepared.add(db)
  const old = oldRows(db, work.row.at)
  // A role that may not delete leaves them.
  if (old !== undefined) await client.query(deleteOld, [old.run, old.at]).catch(() => undefined)
  await client.query('begin')
  try {
    const done = await doneBefore(client, work)
    if (done !== undefined) {
      await client.query('rollback')
      return done
    }
    const { run, path } = work.row
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

/** Takes the row; the value of a step that was done. */
async function doneBefore(client: PostgresClient, { row, isPast }: TxWork): Promise<string | undefined> {
  const { run, path, generation, at } = row
  const taken = await client.query(takeRow, [run, path, generation, at])
  if (taken.rows.length > 0) return undefined
  // Race: only a row that is locked tells what an earlier generation did, which may have committed while this one waited.
  const done = (await client.query(lockRow, [run, path])).rows[0] as Row | undefined
  if (done === undefined || done.generation > generation) throw leaseLost(run)
  if (done.generation === generation || !(await isPast(done.generation))) return done.value
  await client.query(overtakeRow, [run, path, generation, at])
  return undefined
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
