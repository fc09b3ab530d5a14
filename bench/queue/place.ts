// Where the sides of the queue bench keep their runs: a file, or a database on a server.
import { join } from 'node:path'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { withFolder } from '../measure.ts'
import { RawQueue } from './raw.ts'

export interface Place {
  /** Calls `use` with the URL of a store that is not there yet, and is gone afterwards. */
  fresh<T>(use: (store: string) => Promise<T>): Promise<T>
  /** Of a store that nobody has open. */
  count(store: string): Promise<Counts>
  /** Opens the yardstick in a store that is not there yet. */
  openRaw(store: string): Promise<Raw>
}

export interface Counts {
  readonly runs: number
  /** How many of them have ended. */
  readonly finished: number
}

/** The rows of Troupe, bare. */
export interface Raw {
  /** Makes one run durable, together with others. */
  start(input: unknown): Promise<void>
  startMany(inputs: readonly unknown[]): unknown
  /** Starts one run here, performs it once that is durable, and resolves once its end is. */
  run<Input>(input: Input, perform: (input: Input) => Promise<unknown>): Promise<void>
  /** Performs all that is ready. */
  processAll(perform: (input: unknown) => Promise<unknown>): Promise<void>
  close(): unknown
}

const scheme = 'sqlite:'

export const onFile: Place = {
  fresh: (use) => withFolder((folder) => use(`${scheme}${join(folder, 'troupe.db')}`)),
  async count(store) {
    const db = await openDriver(store.slice(scheme.length))
    const rowsOf = (table: string): number =>
      (db.prepare(`select count(*) as n from ${table}`).get() as { n: number }).n
    const counts = { runs: rowsOf('run'), finished: rowsOf('finished') }
    db.close()
    return counts
  },
  openRaw: (store) => RawQueue.open(store.slice(scheme.length)),
}
