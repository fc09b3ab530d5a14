// What people do to runs that are there, many at a time, and who did what.
import type { Retention, RetentionBeside } from '../model/retention.ts'
import type { LiveState, RunState } from '../model/run.ts'
import type { RunsWhere } from './views.ts'

/** `reopened`, or the state that forbids it. */
export type Reopened = 'reopened' | 'not_found' | RunState

/** `deleted`, or the state that forbids it. */
export type DeletedRun = 'deleted' | 'not_found' | LiveState

export interface PickPage {
  /** The number of a run; null for the first page. */
  readonly before: number | null
  readonly limit: number
}

/** Enough of a run to do something to it. */
export interface PickedRun {
  readonly runId: number
  readonly id: string
  readonly name: string
}

/** Something a person does. */
export interface AuditRecord {
  /** Who they said they are. */
  readonly actor: string | null
  readonly action: string
  /** What it was done to: the id of a run, the name of a queue; empty where `details` say it. */
  readonly target: string
  /** JSON. */
  readonly details: string
}

export interface AuditView extends AuditRecord {
  readonly id: number
  readonly at: number
}

export interface AuditPage {
  /** The `id` of the last one of the page before; null for the first page. */
  readonly before: number | null
  readonly limit: number
}

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

export interface OperatingStore {
  /** Whether something may have been kept long enough. */
  isRetentionDue(): Promise<boolean>
  /** Deletes a slice of the runs that were kept long enough, each with all that belongs to it; goes on where the last slice ended, whichever node took it. */
  deleteExpired(rules: DeletionRules): Promise<Deleted>
  /** Makes ready again what failed or was cancelled, each in its next generation, and keeps who did it when there was one; tells of each what became of it. */
  reopenRuns(ids: readonly string[], audit: AuditRecord | undefined): Promise<Reopened[]>
  /** Deletes runs that have ended, each with all that belongs to it, and keeps who did it when there was one; tells of each what became of it. */
  deleteRuns(ids: readonly string[], audit: AuditRecord | undefined): Promise<DeletedRun[]>
  recordAudit(audit: AuditRecord): Promise<void>
  /** The newest first. */
  listAudit(page: AuditPage): Promise<AuditView[]>
  /** Of the runs that match, those started before the one of number `before`, the newest first. */
  pickRuns(filter: RunsWhere, page: PickPage): Promise<PickedRun[]>
  countRuns(filter: RunsWhere): Promise<number>
}
