// Runs that somebody has to look at, and what is said of them.
import { optionInvalid, runNotFound } from '../../model/errors.ts'
import { investigationRefused } from '../../model/intervention-errors.ts'
import {
  investigationStates,
  reasonOfCode,
  type InvestigationReason,
  type InvestigationState,
} from '../../model/investigation.ts'
import type { RunState } from '../../model/run.ts'
import type { InvestigationRow } from '../../store/investigations.ts'
import { checkChoice, checkOptions, checkText, checkWhole } from '../checks.ts'
import { auditRecord, type ByOption } from './audit.ts'
import type { Face } from './face.ts'
import { checkRunId } from './filters.ts'
import { runStatus, type RunStatus } from './run-status.ts'

/** A run that somebody has to look at, or had to. Times are milliseconds since 1970. */
export interface Investigation {
  readonly runId: string
  readonly name: string
  /** Of the run, when it came to this. */
  readonly generation: number
  /**
   * `max_retries_exceeded`: it failed for good; `staleness_timeout`: it is, or was, stale; `worker_unavailable`: nobody could perform it to its end;
   * `dependency_cycle_detected`: runs wait for one another; `manual_dlq`: a person said so.
   */
  readonly reason: InvestigationReason
  /** `pending` while it is open. */
  readonly state: InvestigationState
  /** The state of the run when it came to this. */
  readonly originalState: RunState
  readonly at: number
  readonly notes: string | undefined
  readonly resolvedBy: string | undefined
  readonly resolvedAt: number | undefined
  /** As it is now. What it did: `troupe.steps(runId)`, `attempts`, `waits`. */
  readonly run: RunStatus
}

export interface InvestigationsFilter {
  readonly runId?: string
  readonly name?: string
  readonly state?: InvestigationState
  /** The latest so many; 50 unless told. */
  readonly limit?: number
}

export interface InvestigateOptions extends ByOption {
  /** `pending` opens, all others close. Without it what is there stays as it is, and what is not is opened. */
  readonly state?: InvestigationState
  /** Take the place of what was said before. At most 10,000 characters. */
  readonly notes?: string
}

export interface InvestigatingVerbs {
  /**
   * The runs that somebody has to look at, or had to, the latest first: each that failed for good and was not tried again, each that was declared stale where its template
   * says `dlq`, and those of which a person said so. `dead` tells of the first by reason.
   *
   * Throws: `option_invalid`.
   */
  investigations(filter?: InvestigationsFilter): Promise<Investigation[]>
  /**
   * Says of a run, in whatever state it is, that somebody has to look at it, or what came of that. It changes nothing of the run: `retry` and `resolve` do, and close what is open.
   *
   * Saves: what is said, who did it. Throws: `investigation_refused` where nothing is open that could be closed; `run_not_found`; `option_invalid`.
   *
   * ```ts
   * import { PermanentError, Troupe, worker } from 'troupe'
   * const charge = worker('charge', {}, () => {
   *   throw new PermanentError('the card is blocked')
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [charge], logLevel: 'silent' })
   * await troupe.start()
   * const { id } = await troupe.call(charge)
   * await (await troupe.handle(id)).result().catch(() => {})
   * await troupe.investigate(id, { state: 'permanently_failed', notes: 'the customer has left', by: 'ann' })
   * const [found] = await troupe.investigations({ runId: id })
   * console.log(found?.reason, found?.state, found?.resolvedBy) // max_retries_exceeded permanently_failed ann
   * ```
   */
  investigate(runId: string, options?: InvestigateOptions): Promise<void>
}

// Invariant: I15.
const mostInNotes = 10_000

export class Investigating implements InvestigatingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async investigations(filter: InvestigationsFilter = {}): Promise<Investigation[]> {
    this.#face.checkOpen()
    checkOptions('troupe.investigations', filter, ['runId', 'name', 'state', 'limit'])
    const { runId, name, state, limit = 50 } = filter
    if (runId !== undefined) checkRunId(runId)
    if (name !== undefined) checkText('name', name)
    if (state !== undefined) checkChoice('state', state, investigationStates)
    checkWhole('limit', limit, 1)
    const { store } = this.#face.deps
    const rows = await store.investigations.list({ id: runId, name, state, limit })
    const found = rows.map(async (row) => {
      const run = await store.findRun(row.id)
      // Race: it may have been deleted meanwhile.
      return run === undefined ? [] : [investigationOf(row, runStatus(run))]
    })
    return (await Promise.all(found)).flat()
  }

  async investigate(runId: string, options: InvestigateOptions = {}): Promise<void> {
    this.#face.checkOpen()
    checkRunId(runId)
    checkOptions('investigate', options, ['state', 'notes', 'by'])
    const { state, notes, by } = options
    if (state !== undefined) checkChoice('state', state, investigationStates)
    if (notes !== undefined) checkNotes(notes)
    const details = { ...(state !== undefined && { state }), ...(notes !== undefined && { reason: notes }) }
    const audit = auditRecord('investigate', { by }, { action: 'investigate', target: runId, details })
    const record = { id: runId, state: state ?? null, notes: notes ?? null }
    const told = await this.#face.deps.store.investigations.keep(record, audit)
    if (told === 'not_found') throw runNotFound(runId)
    if (told !== 'kept') throw investigationRefused(runId, told)
  }
}

function checkNotes(notes: unknown): void {
  if (typeof notes !== 'string' || notes.length > mostInNotes)
    throw optionInvalid('notes', notes, `a text of at most ${mostInNotes} characters`)
}

function investigationOf(row: InvestigationRow, run: RunStatus): Investigation {
  const { id, name, generation, reason, code, state, at, originalState, notes, resolvedBy, resolvedAt } = row
  return {
    runId: id,
    name,
    generation,
    reason: reason ?? reasonOfCode(code),
    state,
    originalState,
    at,
    notes: notes ?? undefined,
    resolvedBy: resolvedBy ?? undefined,
    resolvedAt: resolvedAt ?? undefined,
    run,
  }
}
