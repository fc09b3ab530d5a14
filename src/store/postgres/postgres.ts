// The store on a Postgres: any number of processes on any number of machines.
import { systemClock, type Clock } from '../../lib/clock.ts'
import { encodedLists, type ListForm } from '../../model/append.ts'
import type { CallersStore } from '../callers.ts'
import type { NodeIdentity } from '../nodes.ts'
import type { Finding } from '../health.ts'
import type { LeaseKeeper, LeaseOrder } from '../lease.ts'
import type { Query } from '../query.ts'
import { clockValue } from '../sql/counters.ts'
import type { Access } from '../sql/database/transaction.ts'
import { StoreClock } from '../sql/nodes/store-clock.ts'
import { SqlStore, type SqlHost } from '../sql/sql.ts'
import type { Store } from '../store.ts'
import { PostgresCallersStore } from './callers.ts'
import { configOf, loadDriver, type Client, type Pool } from './client.ts'
import { PostgresDatabase } from './database.ts'
import { findingsOf } from './health.ts'
import { Hints } from './hints.ts'
import { Leases } from './leases.ts'
import { checkSchema, migrate, requireSchema } from './migrations/migrations.ts'
import { placeOf, type Place } from './place.ts'
import { ServerClock } from './server-clock.ts'
import { lookAtServer } from './server-look.ts'
import { Transactions } from './transactions.ts'

export interface PostgresOptions {
  /** `postgres://…` */
  readonly url: string
  readonly clock: Clock
  /** How inputs are kept that are lists; as they were encoded, unless told. */
  readonly lists?: ListForm | undefined
  /** How long a server that is away, or a store that is locked, is tried again. */
  readonly busyTimeoutMs?: number
  /** False refuses a store whose tables are not those of this version, in place of making them so. */
  readonly migrate?: boolean
}

// Reads beside each other; more than a few only take processes of the server.
const mostReaders = 4

/** Opens the store on a Postgres, whose tables are made or brought up to date. Throws `store_…` errors that name the server and the remedy. */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, clock, lists, busyTimeoutMs = 30_000 } = options
  const place = placeOf(url)
  const { Pool, Client } = await loadDriver()
  const connect = (config: ReturnType<typeof configOf>): Client => new Client(config)
  const server = new ServerClock(clock)
  const pools = { writers: new Pool(configOf(place, 1)), readers: new Pool(configOf(place, mostReaders)) }
  // A connection that is lost while nobody uses it is replaced when somebody does.
  for (const pool of Object.values(pools)) hearAll(pool)
  const transactions = new Transactions(pools, { place, clock, busyTimeoutMs, told: (heard) => server.heard(heard) })
  const hints = new Hints({ place, clock, connect })
  const db = new PostgresDatabase(lists ?? encodedLists)
  try {
    await (options.migrate === false ? checkSchema : migrate)(place, pools.writers)
    // The first write tells the time of the server, and which schema the store has.
    const latest = await transactions.write(() => clockValue(db))
    await hints.open()
    const leases = new Leases(clock)
    const time = new StoreClock(server, latest)
    const host = new PostgresHost({ place, clock, db, transactions, hints, leases, time, server })
    return new PostgresStore(host, { clock, leases })
  } catch (error) {
    await Promise.all([transactions.close(), hints.close()])
    throw error
  }
}

/** Knows how long its leases last without asking. */
class PostgresStore extends SqlStore {
  readonly #leases: Leases
  readonly #clock: Clock

  constructor(host: SqlHost, { clock, leases }: Pick<Parts, 'clock' | 'leases'>) {
    super(host)
    this.#clock = clock
    this.#leases = leases
  }

  override async insertNode(identity: NodeIdentity, leaseMs: number): Promise<number> {
    const askedAtMs = this.#clock.monotonic()
    const nodeId = await super.insertNode(identity, leaseMs)
    this.#leases.renewed({ nodeId, untilMs: askedAtMs + leaseMs })
    return nodeId
  }

  override async renewNode(nodeId: number, leaseMs: number): Promise<boolean> {
    const askedAtMs = this.#clock.monotonic()
    const isAlive = await super.renewNode(nodeId, leaseMs)
    if (isAlive) this.#leases.renewed({ nodeId, untilMs: askedAtMs + leaseMs })
    else this.#leases.forget(nodeId)
    return isAlive
  }
}

/** Throws `store_unavailable` when there is no store yet: who only looks must not make one. */
export async function requirePostgres(url: string): Promise<void> {
  const place = placeOf(url)
  const { Pool } = await loadDriver()
  const pool = new Pool(configOf(place, 1))
  hearAll(pool)
  try {
    await requireSchema(place, pool)
  } finally {
    await pool.end()
  }
}

/** Race: a connection may be ended at any time, before anybody has it and after it was given up; what nobody hears ends the process. Its next query tells. */
function hearAll(pool: Pool): void {
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
}

interface Parts {
  readonly place: Place
  readonly db: PostgresDatabase
  readonly transactions: Transactions
  readonly hints: Hints
  readonly leases: Leases
  readonly clock: Clock
  readonly time: StoreClock
  readonly server: ServerClock
}

class PostgresHost implements SqlHost {
  readonly db: PostgresDatabase
  readonly location: string
  readonly time: StoreClock
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
    this.db = parts.db
    this.location = parts.place.shown
    this.time = parts.time
  }

  read<T>(work: () => Query<T>): Promise<T> {
    return this.#parts.transactions.read(work)
  }

  async write<T>(work: () => Query<T>): Promise<T> {
    const result = await this.#parts.transactions.write(work)
    this.#parts.hints.send()
    return result
  }

  callersOf(access: Access): CallersStore {
    return new PostgresCallersStore(access, this.#parts.place)
  }

  keepLease(order: LeaseOrder): LeaseKeeper | undefined {
    const { place, clock, leases } = this.#parts
    // The thread tells the time by the clock of the server.
    return clock === systemClock ? leases.keep(place, order) : undefined
  }

  leaseLeftMs(nodeId: number): number {
    return this.#parts.leases.leftMs(nodeId)
  }

  clockAheadMs(): number {
    return -this.#parts.server.aheadMs
  }

  async listFindings(): Promise<Finding[]> {
    const { clock, hints } = this.#parts
    const askedAtMs = clock.monotonic()
    const seen = await this.read(() => lookAtServer(this.db))
    const answerMs = clock.monotonic() - askedAtMs
    return findingsOf(seen, { clockAheadMs: this.clockAheadMs(), hearing: hints.hearing, answerMs })
  }

  changeCount(): number {
    return this.#parts.hints.count
  }

  whenWritten(written: () => void): (() => void) | undefined {
    return this.#parts.hints.whenHeard(written)
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.transactions.close(), this.#parts.hints.close()])
  }
}
