// The schema on Postgres, as steps that are only ever added to, and how a store comes to have them.
import type { Pool, PoolClient } from '../client.ts'
import { storeOlder } from '../../older.ts'
import { noStore, storeNewer, storeUnfinished, toStoreError } from '../errors.ts'
import { lend } from '../lending.ts'
import { lockOf, type Place } from '../place.ts'
import { step1 } from './migration-1.ts'

/** Step n brings a store from schema n to schema n + 1. A step that was released never changes. */
const steps: readonly string[] = [step1]

/** The schema that this version knows. */
export const newestStep = steps.length

/** Stands among the steps while a store is being moved here: of no version, so that none opens it or writes to it. */
export const unfinishedStep = 1_000_000

const findSchema = `select to_regclass($1 || '.migration') as name`

const findNamespace = `select to_regnamespace($1) as name`

const createMigration = `
create table if not exists migration (
  step bigint primary key,
  at timestamptz not null default now()
)`

/** Makes the tables of a store, or brings them up to date: all of it or nothing. Throws `store_newer`, `store_…`. */
export function migrate(place: Place, pool: Pool): Promise<void> {
  return onOne(place, pool, async (client) => {
    if ((await stepOf(client, place)) < newestStep) await migrateWith(client, place)
  })
}

/** Throws `store_unavailable` where there is no store yet, `store_…`. */
export function requireSchema(place: Place, pool: Pool): Promise<void> {
  return onOne(place, pool, async (client) => {
    if ((await stepOf(client, place)) === 0) throw noStore(place)
  })
}

/** Throws `store_older` for a store that has not the tables of this version, `store_…`. */
export function checkSchema(place: Place, pool: Pool): Promise<void> {
  return onOne(place, pool, async (client) => {
    const found = await stepOf(client, place)
    if (found < newestStep) throw storeOlder(place.shown, found, newestStep)
  })
}

/** Throws for a store that is not for this version to write to. */
export function checkStep(shown: string, step: number): void {
  if (step === unfinishedStep) throw storeUnfinished(shown)
  if (step > newestStep) throw storeNewer(shown, step, newestStep)
}

async function onOne(place: Place, pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  try {
    await lend(pool, work)
  } catch (error) {
    throw toStoreError(error, place.shown)
  }
}

/** The schema of a store; 0 when there is none yet. */
async function stepOf(client: PoolClient, { schema, shown }: Place): Promise<number> {
  const { rows } = await client.query<{ name: string | null }>(findSchema, [schema])
  if ((rows[0]?.name ?? null) === null) return 0
  const found = await client.query<{ step: number }>(`select coalesce(max(step), 0) as step from ${schema}.migration`)
  const step = found.rows[0]?.step ?? 0
  checkStep(shown, step)
  return step
}

async function migrateWith(client: PoolClient, place: Place): Promise<void> {
  const { schema } = place
  await client.query('begin')
  // Race: another process may be at it; who comes second finds nothing left to do.
  await client.query(
    `set local lock_timeout to 0; set local statement_timeout to 0; select pg_advisory_xact_lock(${lockOf(place)})`,
  )
  // Who may not make schemas may use one that was made for it.
  const { rows } = await client.query<{ name: string | null }>(findNamespace, [schema])
  if ((rows[0]?.name ?? null) === null) await client.query(`create schema ${schema}`)
  await client.query(`set local search_path to ${schema}; ${createMigration}`)
  const known = await stepOf(client, place)
  for (const [at, step] of steps.entries()) {
    if (at < known) continue
    await client.query(step)
    await client.query(`insert into migration (step) values (${at + 1})`)
  }
  await client.query('commit')
}
