// What people do to one run and its journal: it goes on as another one, with a result that they record by hand, or at once although it was set aside.
import type { LimitUse } from '../model/limiter.ts'
import type { RunOutcome, RunState } from '../model/run.ts'
import type { AuditRecord } from './operating.ts'
import type { WaitKind } from './waits.ts'

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
}

export interface ForkInput {
  /** Encoded. */
  readonly value: string
  readonly limits: readonly LimitUse[] | null
  /** As in a start. */
  readonly isUnchecked: boolean
}

/** When the step is not known, those that are. */
export type Forked = 'forked' | 'not_found' | { readonly known: readonly string[] }

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

/** `resumed`, or the state of a run that was not set aside. */
export type Resumed = 'resumed' | 'not_found' | RunState

export interface InterventionStore {
  /**
   * Makes a run that is ready, and remembers what another one did before a step as if it had done that itself, but that it undoes nothing of it.
   * What the other one undid, or is about to, is forgotten, and so are runs it started that have not succeeded and whose results are not kept; those under way are shared.
   */
  fork(fork: ForkRecord, audit: AuditRecord | undefined): Promise<Forked>
  /**
   * Records the result of a step that has none, and makes its run ready: one that failed or was cancelled in its next generation. Whoever executes the step
   * meanwhile writes nothing any more, and is told so.
   */
  resolve(result: ResolveRecord, audit: AuditRecord): Promise<Resolved>
  /** Makes ready runs that were set aside as their code did not fit their journal, and keeps who did it when there was one; tells of each what became of it. */
  resume(ids: readonly string[], audit: AuditRecord | undefined): Promise<Resumed[]>
  /** Those of some runs that are set aside. */
  listSetAside(ids: readonly string[]): Promise<string[]>
}
