// The store on one SQLite file: one writer at a time, every batch one transaction, several processes welcome.
import { systemClock } from '../../lib/clock.ts'
import { engineStopped } from '../../model/errors.ts'
import type { CallersStore } from '../callers.ts'
import type { Finding, FindingOptions } from '../health.ts'
import type { LeaseKeeper, LeaseOrder } from '../lease.ts'
import { LeaseThread, threadUrl } from '../lease-thread.ts'
import { performNow, type Query } from '../query.ts'
import { clockValue } from '../sql/counters.ts'
import type { Access } from '../sql/database/transaction.ts'
import { leaseUntil } from '../sql/nodes/nodes.ts'
import { StoreClock } from '../sql/nodes/store-clock.ts'
import { SqlStore, type SqlHost } from '../sql/sql.ts'
import type { Store } from '../store.ts'
import { untilFree, type SqliteOptions } from './connection/busy.ts'
import { SqliteCallersStore } from './connection/callers.ts'
import { Connection } from './connection/connection.ts'
import { watchWal } from './connection/wal-watch.ts'
import { findingsOf, lookAtFile } from './health.ts'

// No count of changes: it differs from all that come before and after it.
const unreadable = -1
// To watch a file that is written all the time costs more than to look at its counter.
const quietBeforeWatchMs = 25

/** Opens the store in a SQLite file, made when missing. Throws `store_…` errors that name the file and the remedy. */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  return new SqlStore(new SqliteHost(await untilFree(options, () => Connection.open(options)), options))
}

class SqliteHost implements SqlHost {
  readonly db: Connection
  readonly location: string
  readonly time: StoreClock
  readonly #options: SqliteOptions
  #isClosed = false

  constructor(db: Connection, options: SqliteOptions) {
    this.db = db
    this.location = db.location
    this.time = new StoreClock(options.clock, performNow(clockValue(db)))
    this.#options = options
  }

  read<T>(work: () => Query<T>): Promise<T> {
    return this.#whenFree(() => this.db.read(work))
  }

  write<T>(work: () => Query<T>): Promise<T> {
    return this.#whenFree(() => this.db.write(work))
  }

  callersOf(access: Access): CallersStore {
    return new SqliteCallersStore(this.db, access)
  }

  keepLease(order: LeaseOrder): LeaseKeeper | undefined {
    // The thread tells the time by the clock of this machine.
    if (this.location === ':memory:' || this.#options.clock !== systemClock) return undefined
    const url = threadUrl('lease-thread', import.meta.url)
    return new LeaseThread({ ...order, url, data: { path: this.location } })
  }

  leaseLeftMs(nodeId: number): number {
    try {
      return Math.max(0, performNow(leaseUntil(this.db, nodeId)) - this.time.now())
    } catch {
      return 0
    }
  }

  clockAheadMs(): number {
    // All who use the file go by the clock of this machine.
    return 0
  }

  async listFindings({ isThorough = false }: FindingOptions): Promise<Finding[]> {
    return findingsOf(await this.read(() => lookAtFile(this.db, this.location, isThorough)))
  }

  changeCount(): number {
    try {
      const row = performNow(this.db.get<{ data_version: number }>('pragma data_version'))
      return row?.data_version ?? unreadable
    } catch {
      // Locked, or away: whoever looks because of it is told what is wrong.
      return unreadable
    }
  }

  whenWritten(written: () => void, quietMs: number): (() => void) | undefined {
    if (quietMs < quietBeforeWatchMs) return undefined
    return watchWal(this.location, this.#options.clock, written)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.db.close()
  }

  #whenFree<T>(work: () => T): Promise<T> {
    return untilFree(this.#options, () => {
      // Race: it may have been closed since the last try.
      if (this.#isClosed) throw engineStopped()
      return work()
    })
  }
}
