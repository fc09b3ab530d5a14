// Connections to Postgres: the driver, which is an optional peer, and how it is set.
import type { Client, CustomTypesConfig, Pool, PoolClient, PoolConfig } from 'pg'
import { postgresMissing } from './errors.ts'
import type { Place } from './place.ts'
import { parserOf } from './values.ts'

export type { Client, Pool, PoolClient }

interface Driver {
  readonly Pool: new (config: PoolConfig) => Pool
  readonly Client: new (config: PoolConfig) => Client
}

/** What a connection is set to; times in milliseconds. */
const settings = {
  // Longer than anything the store does takes.
  statement_timeout: 15_000,
  // How long a transaction waits for the lock of the store before it is tried anew.
  lock_timeout: 10_000,
  // A process that is stopped in the midst of a transaction holds up all others for so long.
  idle_in_transaction_session_timeout: 1_000,
  // What is known of a table that was empty a moment ago is wrong: each statement walks indexes, as its comment says.
  // Measured under load: plans made from such knowledge read all of live, 0.6 to 4 ms a statement in place of 0.1.
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
} as const

type Settings = { readonly [Name in keyof typeof settings]?: string | number }
// A server that does not answer, as behind a network that is gone.
const answerMs = 20_000
const connectMs = 10_000

const types = { getTypeParser: parserOf } as unknown as CustomTypesConfig

/** Loads the driver. Throws `package_missing`. */
export async function loadDriver(): Promise<Driver> {
  try {
    const { default: driver } = (await import('pg')) as unknown as { default: Driver }
    return driver
  } catch (cause) {
    throw postgresMissing(cause)
  }
}

/** How a connection is set, but for what is given. Through a pooler that hands it to others after each transaction, settings are those of a transaction. */
export function configOf(place: Place, max: number, given: Settings = {}): PoolConfig {
  const common = {
    connectionString: place.url,
    max,
    types,
    keepAlive: true,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
  }
  if (place.isPooled) return common
  const options = Object.entries({ search_path: place.schema, ...settings, ...given }).map(
    ([name, value]) => `-c ${name}=${value}`,
  )
  return { ...common, application_name: 'troupe', options: options.join(' ') }
}

/** The settings as a part of a transaction, where connections have none. */
export function settingsOf({ isPooled, schema }: Place): readonly string[] {
  if (!isPooled) return []
  return Object.entries({ search_path: schema, ...settings }).map(([name, value]) => `set local ${name} to ${value}`)
}
