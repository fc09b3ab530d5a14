// What people call the state of a run: how a failed one failed is part of it.
import type { RunsWhere } from '../store/views.ts'
import type { RunStatus } from '../engine/verbs/run-status.ts'
import type { ErrorCode } from '../lib/errors.ts'
import type { RunState } from '../model/run.ts'

/** What `--state` takes beside the states. */
export const failures = { 'timed-out': 'timed_out', crashed: 'run_lost' } as const satisfies Readonly<
  Record<string, ErrorCode>
>

export type TypedState = RunState | keyof typeof failures

/** `failed`, unless it is known better: `timed out`, `crashed`. */
export function stateWord({ state, code }: Pick<RunStatus, 'state' | 'code'>): string {
  if (state !== 'failed') return state
  const failure = Object.entries(failures).find(([, failureCode]) => failureCode === code)
  return failure?.[0].replace('-', ' ') ?? state
}

/** The flags that say which runs. */
export interface WhereFlags {
  readonly state?: TypedState
  readonly name?: string
  readonly code?: string
  readonly tag?: readonly string[]
  readonly fingerprint?: string
  readonly parent?: string
}

export function whereRuns({ state, name, code, tag, fingerprint, parent }: WhereFlags): RunsWhere {
  return {
    ...(state !== undefined && whereState(state)),
    ...(name !== undefined && { name }),
    ...(code !== undefined && { code }),
    ...(tag !== undefined && { tags: tag }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(parent !== undefined && { parent }),
  }
}

/** The filter that a typed state means. */
export function whereState(typed: TypedState): { readonly state: RunState; readonly code?: string } {
  return typed in failures
    ? { state: 'failed', code: failures[typed as keyof typeof failures] }
    : { state: typed as RunState }
}
