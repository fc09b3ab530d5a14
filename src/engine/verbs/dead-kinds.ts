// What failed for good and why, in kinds that have one reason each.
import type { DeadGroup } from '../../store/views.ts'
import type { RunStatus } from './run-status.ts'

/** The runs that failed for good for one reason, and have not been tried again since. Times are milliseconds since 1970. */
export interface DeadKind {
  /** The same for errors of one code and name whose messages differ in data alone and which come from one place of the program. */
  readonly fingerprint: string
  /** Of the error, as in `timed_out`; undefined for an error without one. */
  readonly code: string | undefined
  /** How many runs. */
  readonly runs: number
  readonly firstAt: number
  readonly lastAt: number
  /** The one that failed last. All of them: `troupe.runs({ fingerprint })`. */
  readonly newest: RunStatus
}

export function deadKind({ fingerprint, runs, firstAt, lastAt }: DeadGroup, newest: RunStatus): DeadKind {
  return { fingerprint, code: newest.code, runs, firstAt, lastAt, newest }
}
