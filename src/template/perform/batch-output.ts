// What a batchable step gives: the cursors of its batches, or that there is nothing to do.
import { batchInvalid } from '../errors.ts'

// Invariant: I15. Each is a step.
const mostBatches = 10_000

export interface Batches {
  /** In their order. */
  readonly cursors: readonly unknown[]
  /** The step they are for; that of all that need it where it is not said. */
  readonly worker: string | undefined
}

/** What makes them. */
export interface BatchMaker {
  readonly step: string
  /** The steps that may do them. */
  readonly workers: readonly string[]
  /** The one that does where the output names none. */
  readonly worker: string | undefined
}

/** Throws `batch_invalid`, which is final. */
export function batchesIn({ step, workers, worker: told }: BatchMaker, output: unknown): Batches {
  const { cursors, worker = told, count } = said(step, output)
  if (worker !== undefined && !workers.includes(worker))
    throw batchInvalid(step, `it made batches for step '${worker}', which is no batch_worker that needs it`)
  if (count !== undefined && count !== cursors.length)
    throw batchInvalid(step, `it said ${count} workers and gave ${cursors.length} cursors`)
  if (cursors.length > mostBatches)
    throw batchInvalid(
      step,
      `it made ${cursors.length} batches, and at most ${mostBatches} may be made: make them larger`,
    )
  return { cursors, worker }
}

interface Said {
  readonly cursors: readonly unknown[]
  readonly worker?: string | undefined
  readonly count?: number | undefined
}

interface TaskerOutcome {
  readonly type?: unknown
  readonly worker_template_name?: string
  readonly worker_count?: number
  readonly cursor_configs?: unknown
}

/** A list of cursors, `{ batches }`, or what Tasker's handlers give. */
function said(step: string, output: unknown): Said {
  if (Array.isArray(output)) return { cursors: output }
  const { batches, batch_processing_outcome: outcome } = (output ?? {}) as {
    readonly batches?: unknown
    readonly batch_processing_outcome?: TaskerOutcome
  }
  if (Array.isArray(batches)) return { cursors: batches }
  if (outcome?.type === 'no_batches') return { cursors: [] }
  const { cursor_configs: cursors, worker_template_name: worker, worker_count: count } = outcome ?? {}
  if (Array.isArray(cursors)) return { cursors, worker, count }
  throw batchInvalid(step, 'its output says no batches: give a list of cursors, [] for none, or { batches: […] }')
}
