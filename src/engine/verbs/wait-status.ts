// What a run waits for, as people and programs see it.
import type { WaitKind, WaitRecord } from '../../store/waits.ts'

/** Something a run waits for. */
export interface WaitStatus {
  /** As it will stand in the journal; empty for the run itself. */
  readonly path: string
  /**
   * A time: `sleep`, or `backoff` between two attempts of a step. Else a thing: `message`, an `ask` it can answer, an `answer` it is giving,
   * the end of a `run`, a `completion` with a token, or a `limiter`.
   */
  readonly kind: Exclude<WaitKind, 'diverged' | 'end'>
  /** Of the message, of what it answers, or of the limiters; the id of the run. */
  readonly name: string | undefined
  /** Of the message; any where it is undefined. */
  readonly key: string | undefined
  /** When it goes on without: milliseconds since 1970; undefined without a time limit. */
  readonly dueAt: number | undefined
}

export function waitStatuses(waits: readonly WaitRecord[]): WaitStatus[] {
  return waits.flatMap(({ path, kind, name, key, dueAt }) =>
    kind === 'diverged' || kind === 'end'
      ? []
      : [{ path, kind, name: name ?? undefined, key, dueAt: dueAt ?? undefined }],
  )
}
