// A run and its steps as people and programs see them.
import { decode } from '../lib/codec.ts'
import { fromErrorRecord, type ErrorRecord } from '../lib/error-record.ts'
import { reviveError } from '../model/errors.ts'
import type { RunState } from '../model/run.ts'
import type { RunView, StepKind, StepView } from '../store/store.ts'

/** Times are milliseconds since 1970. */
export interface RunStatus {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly queue: string
  readonly state: RunState
  readonly attempt: number
  /** How often a process died while it ran this and had not finished a step. */
  readonly deliveries: number
  readonly createdAt: number
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  /** When it goes on by itself. */
  readonly dueAt: number | undefined
  readonly node: string | undefined
  readonly tags: readonly string[]
  readonly input: unknown
  readonly output: unknown
  readonly error: Error | undefined
  readonly progress: { readonly done: number; readonly total: number } | undefined
}

export interface StepStatus {
  readonly path: string
  readonly kind: StepKind
  readonly attempt: number
  readonly value: unknown
  readonly error: Error | undefined
  readonly startedAt: number
  readonly finishedAt: number
}

export function runStatus(row: RunView): RunStatus {
  const { id, name, version, queue, state, attempt, deliveries, createdAt } = row
  const hasOutput = row.value !== null && state === 'succeeded'
  return {
    id,
    name,
    version,
    queue,
    state,
    attempt,
    deliveries,
    createdAt,
    startedAt: row.startedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    dueAt: row.dueAt ?? undefined,
    node: row.node ?? undefined,
    tags: row.tags === null ? [] : (JSON.parse(row.tags) as string[]),
    input: decode(row.input),
    output: hasOutput ? decode(row.value) : undefined,
    error: row.value === null || hasOutput ? undefined : errorOf(row.value),
    progress: row.done === null || row.total === null ? undefined : { done: row.done, total: row.total },
  }
}

export function stepStatus(row: StepView): StepStatus {
  const { path, kind, attempt, startedAt, finishedAt } = row
  return {
    path,
    kind,
    attempt,
    startedAt,
    finishedAt,
    value: row.isError ? undefined : decode(row.value),
    error: row.isError ? errorOf(row.value) : undefined,
  }
}

function errorOf(text: string): Error {
  return fromErrorRecord(JSON.parse(text) as ErrorRecord, reviveError)
}
