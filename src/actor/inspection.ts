// What `system.inspect` tells of a system: one event for each thing that happens.

import type { DeadLetter } from './dead-letters.ts'
import type { Operation } from './envelope.ts'
import type { EndReason, FailurePhase } from './handle.ts'

/** One thing that happened to one actor. */
export type Happening = Occurrence & {
  /** As its ref prints: `Counter(#7)`. */
  readonly actor: string
}

export type Occurrence =
  | { readonly type: 'spawned'; readonly name: string | undefined; readonly parent: string | undefined }
  | { readonly type: 'started' }
  | {
      /** A handler has ended, with its `error` when it threw. One that stashes its message ends too, and is called again later. */
      readonly type: 'handled'
      readonly message: string
      readonly operation: Operation
      /** From being sent to its handler's beginning, waiting for room included. */
      readonly waitedMs: number
      readonly tookMs: number
      readonly error?: Error
    }
  | { readonly type: 'failed'; readonly phase: FailurePhase; readonly error: Error }
  | { readonly type: 'restarted'; readonly restarts: number }
  | { readonly type: 'ended'; readonly kind: EndReason; readonly error?: Error }

/** What `system.inspect` shows, with when it was (`at`, milliseconds since 1970). An actor whose constructor throws ends without being spawned. */
export type InspectionEvent = (Happening & { readonly at: number }) | (DeadLetter & { readonly type: 'dead-letter' })

export type InspectionListener = (event: InspectionEvent) => void
