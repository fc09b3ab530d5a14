// What people say of runs that failed for good or are to be looked at, and runs that grow stale.
import type { InvestigationReason, InvestigationState } from '../model/investigation.ts'
import type { LiveState, RunState } from '../model/run.ts'
import type { AuditRecord } from './operating.ts'

/** One run that somebody has to look at, or had to. */
export interface InvestigationRow {
  /** Of the run. */
  readonly id: string
  readonly name: string
  readonly generation: number
  /** Null for one that failed: the code of its error says why. */
  readonly reason: InvestigationReason | null
  readonly code: string | null
  readonly state: InvestigationState
  readonly at: number
  readonly originalState: RunState
  readonly notes: string | null
  readonly resolvedBy: string | null
  readonly resolvedAt: number | null
}

/** The latest first. */
export interface InvestigationPage {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly state?: InvestigationState | undefined
  readonly limit: number
}

/** What somebody says of a run: that it is to be looked at, or what came of that. */
export interface InvestigationRecord {
  /** Of the run. */
  readonly id: string
  /** Null leaves it as it is, or opens what is none yet. */
  readonly state: InvestigationState | null
  /** Null leaves what was said before. */
  readonly notes: string | null
}

/** `missing`: nobody has to look at it; a state: it was closed like this before. */
export type Investigated = 'kept' | 'not_found' | 'missing' | InvestigationState

/** Which unfinished runs are looked at: of these definitions, the next so many after one. */
export interface AgeingSlice {
  readonly definitionIds: readonly number[]
  /** The number of the run after which it begins; 0 for the first. */
  readonly after: number
  readonly limit: number
}

/** An unfinished run as far as it tells whether it is stale. Times are milliseconds since 1970. */
export interface AgeingRun {
  readonly runId: number
  readonly id: string
  readonly definitionId: number
  readonly name: string
  readonly generation: number
  readonly state: LiveState
  /** When it was started, or was last tried again by a person. */
  readonly openedAt: number
  /** It waits for the next attempt of something. */
  readonly isRetrying: boolean
  /** It waits for the end of a run that it started. */
  readonly isWorking: boolean
  /** Somebody has begun it. */
  readonly hasBegun: boolean
}

/** Those of a slice, and how far that went; 0 when it was the last. */
export interface Ageing {
  readonly runs: readonly AgeingRun[]
  readonly through: number
}

/** A run that has been in one state for too long. */
export interface StaleRecord {
  readonly runId: number
  readonly generation: number
  readonly state: LiveState
  /** Since when. It is declared once for each such time. */
  readonly since: number
  /** As it is told in the event. */
  readonly limit: string
  /** Somebody has to look at it. */
  readonly isInvestigated: boolean
  /** The error it fails with, as a record in JSON; null lets it go on. */
  readonly value: string | null
}

export interface InvestigationStore {
  list(page: InvestigationPage): Promise<InvestigationRow[]>
  keep(record: InvestigationRecord, audit: AuditRecord): Promise<Investigated>
  listAgeing(slice: AgeingSlice): Promise<Ageing>
  /** When anything of these runs was last recorded: a step, a failed attempt, their begin; by their numbers. */
  listSigns(runIds: readonly number[]): Promise<ReadonlyMap<number, number>>
  /** Tells of each whether that is new. One that goes on meanwhile, or undoes what it did, is left. */
  declareStale(records: readonly StaleRecord[]): Promise<boolean[]>
}
