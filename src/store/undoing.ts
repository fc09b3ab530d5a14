// A run that undoes what it did: how it ends when that is done.
import type { RunOutcome } from '../model/run.ts'
import type { Held } from './store.ts'
import type { TokenUse } from './waits.ts'

/** How a run ends once it has undone what it did. */
export interface DecidedEnd {
  readonly outcome: Exclude<RunOutcome, 'succeeded'>
  /** An error record as JSON. */
  readonly value: string
  /** When that was decided. */
  readonly at: number
}

/** A run ends, and undoes first what it did; its attempt as before. */
export interface UndoRecord extends Omit<DecidedEnd, 'at'> {
  readonly held: Held
  readonly token?: TokenUse | undefined
}
