// Transactions of callers: what is written together with what they write of their own.
import type { IntakeStore } from './intake.ts'
import type { Started, StartRecord } from './start.ts'
import type { StepRecord } from './store.ts'

/** A step of one generation of a run. */
export interface StepOfGeneration {
  readonly runId: number
  readonly generation: number
  readonly path: string
}

/** A transaction of a program on Postgres: a client of `pg`, or what passes the same on to another driver. */
export interface PostgresTransaction {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
}

export interface CallersStore {
  /** What starts in transactions of callers are left in; undefined where they are runs with the commit. */
  readonly intake: IntakeStore | undefined
  /**
   * Starts runs of one queue in a transaction of the caller, on whose commit they exist, or not: at once, or as soon as they are taken in.
   * Throws `option_invalid` when `tx` is no such transaction of this store.
   */
  start(tx: object, queue: string, starts: readonly StartRecord[]): Promise<Started[]>
  /** Whether a handle has the file of this store open. */
  hasFile(db: object): boolean
  /** Records a step in a transaction of the caller on the file of this store; false when its run is not held any more. */
  recordStep(tx: object, step: StepRecord): boolean
  /** Whether a step is remembered as done by an earlier generation, and not as failed, or the run began anew after that one. */
  isPast(step: StepOfGeneration): Promise<boolean>
}
