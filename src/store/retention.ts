// What is deleted by itself, once it was kept long enough.
import type { Retention, RetentionBeside } from '../model/retention.ts'

/** What is deleted, and how much at a time. */
export interface DeletionRules {
  /** For definitions that say nothing, and for what they leave open. */
  readonly defaults: Retention
  readonly beside: RetentionBeside
  /** So many runs are looked at, and at most so much of the rest is deleted. */
  readonly limit: number
  /** How long after the end of a pass the next one begins. */
  readonly pauseMs: number
}

export interface Deleted {
  readonly runs: number
  readonly audit: number
  readonly events: number
  /** All that may have been kept long enough was looked at. */
  readonly isPassOver: boolean
}

export interface RetentionStore {
  /** Whether something may have been kept long enough. */
  isDue(): Promise<boolean>
  /** Deletes a slice of the runs that were kept long enough, each with all that belongs to it; goes on where the last slice ended, whichever node took it. */
  deleteExpired(rules: DeletionRules): Promise<Deleted>
}
