// Connections to Postgres: the driver, which is an optional peer, how it is set, and what values become.
import type { Socket } from 'node:net'
import type { Client, CustomTypesConfig, Pool, PoolClient, PoolConfig } from 'pg'
import type { Answer, Request } from '../query.ts'
import { arrayOf, listOf, translate, type Translated } from './dialect.ts'
import { postgresMissing } from './errors.ts'
import type { Place } from './place.ts'

export type { Client, Pool, PoolClient }

interface Driver {
  readonly Pool: new (config: PoolConfig & { readonly pipeline?: boolean }) => Pool
  readonly Client: new (config: PoolConfig & { readonly pipeline?: boolean }) => Client
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

// Object ids of types (postgresql.org/docs/current/catalog-pg-type.html).
const boolType = 16
const bigintType = 20
const numericType = 1700
const floatType = 701
const integerType = 23
const smallintType = 21

/** A value as SQLite would give it: numbers for numbers and booleans, texts for all else. */
function parserOf(type: number): (text: string) => unknown {
  if (
    type === bigintType ||
    type === numericType ||
    type === floatType ||
    type === integerType ||
    type === smallintType
  )
    return Number
  if (type === boolType) return (text) => (text === 't' ? 1 : 0)
  return (text) => text
}

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
export function configOf(place: Place, max: number, given: Settings = {}): PoolConfig & { readonly pipeline: boolean } {
  const common = {
    connectionString: place.url,
    max,
    types,
    keepAlive: true,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    pipeline: !place.isPooled,
  }
  if (place.isPooled) return common
  const options = Object.entries({ search_path: place.schema, ...settings, ...given }).map(
    ([name, value]) => `-c ${name}=${value}`,
  )
  return { ...common, application_name: 'troupe', options: options.join(' ') }
}

/** The settings as a part of a transaction. */
export function settingsOf({ isPooled, schema }: Place): string {
  if (!isPooled) return ''
  const local = Object.entries({ search_path: schema, ...settings })
  return local.map(([name, value]) => `set local ${name} to ${value};`).join(' ')
}

/** A statement as it is prepared, once a connection. */
interface Prepared extends Translated {
  readonly name: string
}

/** Sends what is asked in this turn of the event loop in one piece: each statement would be one, and wake the server. */
export function inOnePiece(client: PoolClient): void {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection
  stream.cork()
  process.nextTick(() => stream.uncork())
}

/** Sends the statements of the store. */
export class Statements {
  readonly #known = new Map<string, Prepared>()
  readonly #isNamed: boolean

  constructor({ isPooled }: Place) {
    this.#isNamed = !isPooled
  }

  async ask(client: Pick<Client, 'query'>, { sql, values }: Request): Promise<Answer> {
    const { name, text, lists } = this.#prepared(sql)
    const given = values.map((value, at) => (Array.isArray(value) ? listOf(value) : listed(value, lists.get(at))))
    const named = this.#isNamed ? { name } : {}
    const { rows, rowCount } = await client.query({ ...named, text, values: given })
    return { rows, changes: rowCount ?? 0 }
  }

  #prepared(sql: string): Prepared {
    const known = this.#known.get(sql)
    if (known !== undefined) return known
    const prepared = { ...translate(sql), name: `troupe_${this.#known.size}` }
    this.#known.set(sql, prepared)
    return prepared
  }
}

function listed(value: unknown, kind: Parameters<typeof arrayOf>[1] | undefined): unknown {
  return kind === undefined || typeof value !== 'string' ? value : arrayOf(value, kind)
}
