// What people do to runs that are there, one or many at a time, and who did what.
import type { LimitUse } from '../model/limiter.ts'
import type { LiveState, RunOutcome, RunState } from '../model/run.ts'
import type { RunsWhere } from './views.ts'
import type { WaitKind } from './waits.ts'

/** `reopened`, or the state that forbids it. */
export type Reopened = 'reopened' | 'not_found' | RunState

/** `woken`, or the state of a run that was not set aside. */
export type WokenAside = 'woken' | 'not_found' | RunState

/** `deleted`, or the state that forbids it. */
export type DeletedRun = 'deleted' | 'not_found' | LiveState

/** A run to be made of what another one did. */
export interface ForkRecord {
  /** Of the run it comes from. */
  readonly from: string
  /** Of the new one. */
  readonly id: string
  /** The step that it does anew, with all that was recorded after it; null to keep all that did not fail. */
  readonly step: string | null
  /** Another input than that of the other; null for the same. */
  readonly input: ForkInput | null
  /** There is one fork of a run for each key. */
  readonly key?: ForkKey | undefined
}

export interface ForkKey {
  readonly text: string
  /** A run is left alone that was itself forked under this key. */
  readonly leavesOwn: boolean
}

export interface ForkInput {
  /** Encoded. */
  readonly value: string
  readonly limits: readonly LimitUse[] | null
  /** As in a start. */
  readonly isUnchecked: boolean
}

/** `known`: when the step is not known, those that are. `joined`: the run that was forked under the key before. */
export type Forked = 'forked' | 'not_found' | { readonly known: readonly string[] } | { readonly joined: string }

/** The result of a step, recorded by hand. */
export interface ResolveRecord {
  /** Of the run. */
  readonly id: string
  readonly path: string
  readonly isError: boolean
  /** Encoded value, or an error record as JSON. */
  readonly value: string
  /** Also when nothing is known of the step: one that is executed for the first time leaves nothing in the store. */
  readonly isForced: boolean
}

/**
 * `recorded`: the step has its result. `completed`: what came for its token is its result, and has yet to be taken in. `undoing`: only what undoes has open steps.
 * `waits`: it waits for something that comes in another way. `open`: nothing is known of it; these have no result. An outcome: the run has ended so.
 */
export type Resolved =
  | 'resolved'
  | 'not_found'
  | 'recorded'
  | 'completed'
  | 'undoing'
  | RunOutcome
  | { readonly waits: WaitKind }
  | { readonly open: readonly string[] }

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

/** A key that values are stored under. */
export interface CodecKey {
  readonly codec: string
  readonly key: string
  /** How many values, which only whoever has the key can read. */
  readonly values: number
}

export interface OperatingStore {
  /** Makes ready again what failed or was cancelled, each in its next generation, and keeps who did it when there was one; tells of each what became of it. */
  reopenRuns(ids: readonly string[], audit: AuditRecord | undefined): Promise<Reopened[]>
  /** Deletes runs that have ended, each with all that belongs to it, and keeps who did it when there was one; tells of each what became of it. */
  deleteRuns(ids: readonly string[], audit: AuditRecord | undefined): Promise<DeletedRun[]>
  /** Makes ready runs that were set aside as their code did not fit their journal, and keeps who did it when there was one; tells of each what became of it. */
  wakeRunsSetAside(ids: readonly string[], audit: AuditRecord | undefined): Promise<WokenAside[]>
  /** Those of some runs that are set aside. */
  listSetAside(ids: readonly string[]): Promise<string[]>
  /**
   * Makes a run that is ready, and remembers what another one did before a step as if it had done that itself, but that it undoes nothing of it.
   * What the other one undid, or is about to, is forgotten, and so are runs it started that have not succeeded and whose results are not kept; those under way are shared.
   */
  forkRun(fork: ForkRecord, audit: AuditRecord | undefined): Promise<Forked>
  /** Those of some runs that can be forked from a step. */
  listForkable(ids: readonly string[], step: string): Promise<string[]>
  /**
   * Records the result of a step that has none, and makes its run ready: one that failed or was cancelled in its next generation. Whoever executes the step
   * meanwhile writes nothing any more, and is told so.
   */
  resolveStep(result: ResolveRecord, audit: AuditRecord): Promise<Resolved>
  recordAudit(audit: AuditRecord): Promise<void>
  /** The newest first. */
  listAudit(page: AuditPage): Promise<AuditView[]>
  /** Of the runs that match, those started before the one of number `before`, the newest first. */
  pickRuns(filter: RunsWhere, page: PickPage): Promise<PickedRun[]>
  countRuns(filter: RunsWhere): Promise<number>
  /** By codec and key, in their order. Reads everything there is. */
  countCodecKeys(): Promise<CodecKey[]>
}
