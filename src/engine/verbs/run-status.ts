// A run and its steps as people and programs see them.
import { decode, decodeError } from '../../lib/codec.ts'
import { isTroupeError, TroupeError } from '../../lib/errors.ts'
import { reviveError } from '../../model/error-classes.ts'
import type { WaitReason } from '../../model/reason.ts'
import type { RunState } from '../../model/run.ts'
import type { StepKind } from '../../store/store.ts'
import type { AttemptView, RunView, StepView } from '../../store/views.ts'

/** Times are milliseconds since 1970. */
export interface RunStatus {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly queue: string
  readonly state: RunState
  /**
   * Of the error it ended with, as in `timed_out`, `run_lost` (its process died too often), `run_cancelled`;
   * undefined while it is unfinished, when it succeeded, and for an error without a code.
   */
  readonly code: string | undefined
  /** The same for all runs that failed for good for the same reason; undefined for all others. */
  readonly fingerprint: string | undefined
  /** Rises when the run is taken up again although it, or a step of it, had failed for good. */
  readonly generation: number
  readonly attempt: number
  /** How often a process died while it ran this and had not finished a step. */
  readonly deliveries: number
  readonly createdAt: number
  readonly startedAt: number | undefined
  /** How long it waited for its first attempt, from its start on; undefined before that. */
  readonly waitMs: number | undefined
  readonly finishedAt: number | undefined
  /** Set while the run undoes what it did, before it ends like this: it is ready, running or parked meanwhile, and nothing changes its end any more. */
  readonly undoing: { readonly outcome: 'failed' | 'cancelled'; readonly error: Error | undefined } | undefined
  /** When it goes on by itself. */
  readonly dueAt: number | undefined
  /** Why it is not running, though its process may be gone, or which limiter a step of it, or which answer its end waits for; undefined when it runs, and when it has ended. */
  readonly reason: WaitReason | undefined
  readonly node: string | undefined
  readonly tags: readonly string[]
  readonly correlationId: string | undefined
  /** The id of the run that started it. */
  readonly parent: string | undefined
  /** The id of the run that it was forked from. */
  readonly forkedFrom: string | undefined
  /** The schedule that started it. */
  readonly schedule: string | undefined
  /** The tick it was started for; with `trigger` the time of that. */
  readonly scheduledAt: number | undefined
  readonly input: unknown
  readonly output: unknown
  /** What it failed with; `store_corrupt` when a part of it is damaged, `value_unreadable` when its codec cannot read it: that then reads as undefined. */
  readonly error: Error | undefined
  readonly progress: { readonly done: number; readonly total: number } | undefined
}

export interface StepStatus {
  readonly path: string
  readonly kind: StepKind
  /** 0 when somebody recorded its result by hand. */
  readonly attempt: number
  readonly value: unknown
  /** What it failed with; `store_corrupt` when its value is damaged. */
  readonly error: Error | undefined
  readonly startedAt: number
  readonly finishedAt: number
}

/** One failed attempt of a step, or of the run itself when the path is empty. */
export interface AttemptStatus {
  readonly path: string
  /** Of the run, when it was made. */
  readonly generation: number
  readonly attempt: number
  /** What it failed with; `store_corrupt` when the record is damaged. */
  readonly error: Error
  readonly startedAt: number
  readonly finishedAt: number
}

/** Never throws: one damaged row leaves the others of a list to be seen. */
export function runStatus(row: RunView): RunStatus {
  const { id, name, version, queue, state, attempt, deliveries, createdAt, value } = row
  const hasOutput = value !== null && state === 'succeeded'
  const input = read(() => decode(row.input))
  const tags = read(() => (row.tags === null ? [] : (JSON.parse(row.tags) as string[])))
  const output = read(() => (hasOutput ? decode(value) : undefined))
  const error = read(() => (value === null || hasOutput ? undefined : decodeError(value, reviveError)))
  const decided = read(() => (row.undoingValue === null ? undefined : decodeError(row.undoingValue, reviveError)))
  const damage = input.damage ?? tags.damage ?? output.damage ?? error.damage ?? decided.damage
  return {
    id,
    name,
    version,
    queue,
    state,
    code: row.code ?? undefined,
    fingerprint: row.fingerprint ?? undefined,
    generation: row.generation,
    attempt,
    deliveries,
    createdAt,
    startedAt: row.startedAt ?? undefined,
    waitMs: row.startedAt === null ? undefined : row.startedAt - createdAt,
    finishedAt: row.finishedAt ?? undefined,
    undoing: row.undoingOutcome === null ? undefined : { outcome: row.undoingOutcome, error: decided.value },
    dueAt: row.dueAt ?? undefined,
    reason: row.reason ?? undefined,
    node: row.node ?? undefined,
    tags: tags.value ?? [],
    correlationId: row.correlationId ?? undefined,
    parent: row.parent ?? undefined,
    forkedFrom: row.forkedFrom ?? undefined,
    schedule: row.schedule ?? undefined,
    scheduledAt: row.scheduledAt ?? undefined,
    input: input.value,
    output: output.value,
    error: damage === undefined ? error.value : damaged(`Run ${id}`, damage),
    progress: row.done === null || row.total === null ? undefined : { done: row.done, total: row.total },
  }
}

export function stepStatus(row: StepView): StepStatus {
  const { path, kind, attempt, startedAt, finishedAt } = row
  const value = read(() => (row.isError ? undefined : decode(row.value)))
  const error = read(() => (row.isError ? decodeError(row.value, reviveError) : undefined))
  const damage = value.damage ?? error.damage
  return {
    path,
    kind,
    attempt,
    startedAt,
    finishedAt,
    value: value.value,
    error: damage === undefined ? error.value : damaged(`Step '${path}'`, damage),
  }
}

export function attemptStatus({ path, generation, attempt, error, startedAt, finishedAt }: AttemptView): AttemptStatus {
  const { value, damage } = read(() => decodeError(error, reviveError))
  return {
    path,
    generation,
    attempt,
    error: value ?? damaged(`The error of attempt ${attempt} of step '${path}'`, damage),
    startedAt,
    finishedAt,
  }
}

function read<T>(decoded: () => T): { readonly value?: T; readonly damage?: unknown } {
  try {
    return { value: decoded() }
  } catch (damage) {
    return { damage }
  }
}

function damaged(what: string, cause: unknown): TroupeError {
  // It says itself what is missing.
  if (isTroupeError(cause, 'value_unreadable')) return cause
  return new TroupeError(
    'store_corrupt',
    `${what} is damaged in the store, so a part of it cannot be shown: restore the store from a backup.`,
    { cause },
  )
}
