// What starts a run, and what became of it.
import type { LimitUse } from '../model/limiter.ts'
import type { StartKey } from '../model/start-key.ts'
import type { Held } from './store.ts'

/** A run to be started. */
export interface StartRecord {
  /** The id users see. */
  readonly id: string
  readonly definitionId: number
  readonly queueId: number
  readonly priority: number
  /** Encoded. */
  readonly input: string
  /** Encoded list of strings; null without tags. */
  readonly tags: string | null
  /** When it becomes ready; null for now. */
  readonly dueAt: number | null
  /** When the whole run fails with `timed_out`; null for never. */
  readonly deadlineAt: number | null
  /** When it fails with `expired`, should nobody have begun it; null for never. */
  readonly expiresAt: number | null
  /** When its caller asked: its times count from when it is written, so that they are as long as they were given. */
  readonly askedAt?: number
  readonly correlationId: string | null
  /** Retry options as JSON, in the place of those of the definition; null for those. */
  readonly retry: string | null
  /** Nobody has checked its input, for want of its schema: whoever performs it does. */
  readonly isUnchecked?: boolean
  readonly key: StartKey | null
  /** The number of the run that starts it; none for a start from outside. */
  readonly parent?: number
  /** What it has to pass whenever it is performed, each limiter and key once; null for nothing. */
  readonly limits: readonly LimitUse[] | null
  /** An actor of this node is reserved for it: it starts as running here, without a claim. */
  readonly directly: boolean
}

/** What a start says of which nobody says anything. */
export const bareStart = {
  priority: 0,
  tags: null,
  dueAt: null,
  deadlineAt: null,
  expiresAt: null,
  correlationId: null,
  retry: null,
  key: null,
  limits: null,
  directly: false,
} as const satisfies Partial<StartRecord>

/** A run that another one starts, with the step by which it remembers that. */
export interface ChildRecord {
  readonly held: Held
  readonly path: string
  readonly seq: number
  readonly startedAt: number
  readonly start: StartRecord
  /** It goes on when the one that started it has ended. */
  readonly isDetached: boolean
  /** It can be undone when it has succeeded. */
  readonly hasUndo?: boolean | undefined
}

/** What is remembered of a child whose key another run had: the id of that, encoded, or why it cannot be had, as an error record in JSON. */
export interface JoinedChild {
  readonly isError: boolean
  readonly value: string
}

/** What became of a start. */
export interface Started {
  /** The id of the run that now exists: the given one, or that of the run with the same key. */
  readonly id: string
  readonly runId: number
  readonly isNew: boolean
  /** It is one that waited, and was changed by this start. */
  readonly isAmended: boolean
  /** The run whose place it took, which was cancelled or is asked to end. */
  readonly replacedId: string | undefined
  /** Set when it runs here now. */
  readonly held: Held | undefined
  readonly createdAt: number
}
