// What people do to one run and its journal: how it goes on as another one.
import type { LimitUse } from '../model/limiter.ts'
import type { AuditRecord } from './operating.ts'

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

export interface InterventionStore {
  /**
   * Makes a run that is ready, and remembers what another one did before a step as if it had done that itself, but that it undoes nothing of it.
   * What the other one undid, or is about to, is forgotten, and so are runs it started that have not succeeded and whose results are not kept; those under way are shared.
   */
  fork(fork: ForkRecord, audit: AuditRecord): Promise<Forked>
}
