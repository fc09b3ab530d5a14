// Transactions on Postgres: one that writes is alone on its store, as it is on a file; what is lost on the way is found out or done again.
import type { Clock } from '../../lib/clock.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { createIds } from '../../lib/ids.ts'
import { engineStopped } from '../../model/errors.ts'
import type { Answer, Query } from '../query.ts'
import { Asking } from './asking.ts'
import { settingsOf, type Pool, type PoolClient } from './client.ts'
import { remedyOf, toStoreError } from './errors.ts'
import { lend } from './lending.ts'
import { checkStep } from './migrations/migrations.ts'
import { lockOf, type Place } from './place.ts'
import type { Statement } from './piece.ts'
import type { Heard } from './server-clock.ts'
import { Statements } from './statements.ts'
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

const serverNow = '(extract(epoch from clock_timestamp()) * 1000)::bigint'

export class Transactions {
  readonly #pools: Pools
  readonly #options: TransactionOptions
  readonly #statements: Statements
  readonly #begin: readonly Statement[]
  readonly #look: readonly Statement[]
  readonly #writer: Writer
  #isClosed = false

  constructor(pools: Pools, options: TransactionOptions) {
    this.#pools = pools
    this.#options = options
    this.#statements = new Statements(options.place)
    this.#begin = beginOf(this.#statements, options.place)
    this.#look = lookOf(this.#statements, options.place)
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
    const asking = this.#writingOn(client)
    const n = this.#writer.next()
    const result = await asking.perform(() => this.#writer.numbered(n, work))
    try {
      await asking.commit()
    } catch (error) {
      // Race: the answer is lost, and the commit may not be.
      if (remedyOf(error) !== 'reconnect' || !(await this.#hasCommitted(n))) throw error
    }
    return result
  }

  /** Throws `store_newer` where a newer version has brought the schema on: nothing of what follows is committed then. */
  #writingOn(client: PoolClient): Asking {
    const { clock, told, place } = this.#options
    const askedAt = clock.now()
    const answered = (answers: readonly Answer[]): void => {
      const begun = answers.at(-1)?.rows[0] as Begun | undefined
      if (begun === undefined) throw new Error('Postgres began no transaction')
      told({ serverNow: begun.now, askedAt, answeredAt: clock.now() })
      checkStep(place.shown, begun.step)
    }
    return new Asking(client, { statements: this.#statements, opening: { statements: this.#begin, answered } })
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
    const statements = this.#statements
    const alone = this.#options.place.isPooled ? undefined : await new Asking(client, { statements }).performOnce(work)
    if (alone !== undefined) return alone.value
    const asking = new Asking(client, { statements, opening: { statements: this.#look } })
    const result = await asking.perform(work)
    await asking.commit()
    return result
  }

  /** Looks what became of a transaction whose commit was sent: it is over once another has the lock. */
  #hasCommitted(n: number): Promise<boolean> {
    return this.#untilDone(this.#pools.readers, async (client) => {
      const asking = this.#writingOn(client)
      const hasCommitted = await asking.perform(() => this.#writer.hasCommitted(n))
      await asking.commit()
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
function beginOf(statements: Statements, place: Place): readonly Statement[] {
  return [
    statements.plain('begin', 'begin'),
    ...localSettings(statements, place),
    statements.plain('lock', `select pg_advisory_xact_lock(${lockOf(place)})`),
    // Behind the lock: what a statement sees is what was there when it began.
    statements.plain('begun', `select ${serverNow} as now, (select max(step) from migration) as step`),
  ]
}

function lookOf(statements: Statements, place: Place): readonly Statement[] {
  return [
    statements.plain('look', 'begin isolation level repeatable read read only'),
    ...localSettings(statements, place),
  ]
}

function localSettings(statements: Statements, place: Place): readonly Statement[] {
  return settingsOf(place).map((text, at) => statements.plain(`set_${at}`, text))
}
