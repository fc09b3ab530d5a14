// Transactions on Postgres: one that writes is alone on its store, as it is on a file; what is lost on the way is found out or done again.
import type { Clock } from '../../lib/clock.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { createIds } from '../../lib/ids.ts'
import { engineStopped } from '../../model/errors.ts'
import type { Query } from '../query.ts'
import { Asking } from './asking.ts'
import { inOnePiece, settingsOf, Statements, type Pool, type PoolClient } from './client.ts'
import { remedyOf, toStoreError } from './errors.ts'
import { lend } from './lending.ts'
import { checkStep } from './migrations/migrations.ts'
import { lockOf, type Place } from './place.ts'
import type { Heard } from './server-clock.ts'
import { Writer } from './writer.ts'

/** What is told when a transaction begins. */
interface Begun {
  /** The time of the server, in ms since 1970. */
  readonly now: number
  /** The schema of the store. */
  readonly step: number
}

export interface TransactionOptions {
  readonly place: Place
  readonly clock: Clock
  /** How long what can be tried again is. */
  readonly busyTimeoutMs: number
  /** Told the time of the server as soon as it is heard. */
  readonly told: (heard: Heard) => void
}

interface Pools {
  /** Of one connection: see `Writer`. */
  readonly writers: Pool
  readonly readers: Pool
}

export class Transactions {
  readonly #pools: Pools
  readonly #options: TransactionOptions
  readonly #statements: Statements
  readonly #begin: string
  readonly #look: string
  readonly #writer: Writer
  #isClosed = false

  constructor(pools: Pools, options: TransactionOptions) {
    this.#pools = pools
    this.#options = options
    this.#statements = new Statements(options.place)
    this.#begin = beginOf(options.place)
    this.#look = `begin isolation level repeatable read read only; ${settingsOf(options.place)}`
    this.#writer = new Writer(createIds(options.clock).uuid())
  }

  /** Performs `work` as one transaction that is alone on the store. It may be performed more than once: it counts once. */
  write<T>(work: () => Query<T>): Promise<T> {
    return this.#untilDone(this.#pools.writers, (client) => this.#transact(client, work))
  }

  /** Performs reads so that they see one state of the store. */
  read<T>(work: () => Query<T>): Promise<T> {
    const looked = this.#untilDone(this.#pools.readers, (client) => this.#lookWith(client, work))
    return looked.catch(async (error: unknown) => {
      if (!isTroupeError(error)) await this.#checkSchema()
      throw error
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([this.#pools.writers.end(), this.#pools.readers.end()])
  }

  /** begin → perform → commit, of which as much is sent at a time as needs no answer. */
  async #transact<T>(client: PoolClient, work: () => Query<T>): Promise<T> {
    const asking = this.#askingOn(client)
    inOnePiece(client)
    const begun = asking.sent(this.#begunAsKnown(client))
    const n = this.#writer.next()
    const result = await asking
      .perform(() => this.#writer.numbered(n, work))
      .catch(async (error: unknown) => {
        // Race: a newer version may have changed the schema, and what this one asks is not understood there.
        await begun
        throw error
      })
    await begun
    let command: string
    try {
      ;({ command } = await client.query('commit'))
    } catch (error) {
      // Race: the answer is lost, and the commit may not be; then nothing before it had failed, though those answers are lost too.
      if (remedyOf(error) !== 'reconnect' || !(await this.#hasCommitted(n))) throw error
      return result
    }
    // Invariant: I2. A transaction in which a statement failed is rolled back by its commit, which does not fail.
    if (command !== 'COMMIT') throw await asking.whatFailed()
    return result
  }

  /** Throws `store_newer` where a newer version has brought the schema on: nothing of what follows is committed then. */
  async #begunAsKnown(client: PoolClient): Promise<void> {
    const { step } = await this.#beginOn(client)
    checkStep(this.#options.place.shown, step)
  }

  async #beginOn(client: PoolClient): Promise<Begun> {
    const { clock, told } = this.#options
    const askedAt = clock.now()
    const answers = (await client.query(this.#begin)) as unknown as readonly { rows: readonly Begun[] }[]
    const begun = answers.at(-1)?.rows[0]
    if (begun === undefined) throw new Error('Postgres began no transaction')
    // At once: what is told of the time is true when it is told.
    told({ serverNow: begun.now, askedAt, answeredAt: clock.now() })
    return begun
  }

  /** Throws `store_newer` where that is why something was not understood. */
  #checkSchema(): Promise<void> {
    const { place } = this.#options
    return this.#untilDone(this.#pools.readers, async (client) => {
      const { rows } = await client.query<{ step: number }>(`select max(step) as step from ${place.schema}.migration`)
      checkStep(place.shown, rows[0]?.step ?? 0)
    })
  }

  /** One statement sees one state by itself; when there are more, all of them are asked anew in a transaction. */
  async #lookWith<T>(client: PoolClient, work: () => Query<T>): Promise<T> {
    const asking = this.#askingOn(client)
    const alone = this.#options.place.isPooled ? undefined : await asking.performOnce(work)
    if (alone !== undefined) return alone.value
    await asking.sent(client.query(this.#look))
    const result = await asking.perform(work)
    await client.query('commit')
    return result
  }

  #askingOn(client: PoolClient): Asking {
    return new Asking(client, { statements: this.#statements, isInLine: !this.#options.place.isPooled })
  }

  /** Looks what became of a transaction whose commit was sent: it is over once another has the lock. */
  #hasCommitted(n: number): Promise<boolean> {
    return this.#untilDone(this.#pools.readers, async (client) => {
      await this.#beginOn(client)
      const hasCommitted = await this.#askingOn(client).perform(() => this.#writer.hasCommitted(n))
      await client.query('commit')
      return hasCommitted
    })
  }

  async #untilDone<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const { clock, busyTimeoutMs, place } = this.#options
    const startedAt = clock.monotonic()
    for (let delayMs = 5; ; delayMs = Math.min(delayMs * 2, 250)) {
      if (this.#isClosed) throw engineStopped()
      try {
        return await lend(pool, work)
      } catch (error) {
        if (remedyOf(error) === 'none' || clock.monotonic() - startedAt > busyTimeoutMs)
          throw toStoreError(error, place.shown)
      }
      await new Promise<void>((resolve) => clock.after(delayMs, resolve))
    }
  }
}

/** The lock of the store is that of the transaction: it is given back with it, whatever becomes of the process. */
function beginOf(place: Place): string {
  return `begin; ${settingsOf(place)} select pg_advisory_xact_lock(${lockOf(place)});
    select (extract(epoch from clock_timestamp()) * 1000)::bigint as now, (select max(step) from migration) as step`
}
