// What happens in a system, told to listeners one event at a time; nothing is made while nobody listens.

import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { DeadLetter, DeadLetters } from './dead-letters.ts'
import type { Operation } from './envelope.ts'
import type { EndReason, FailurePhase } from './handle.ts'

/** One thing that happened to one actor. */
export type Happening = {
  /** As its ref prints: `Counter(#7)`. */
  readonly actor: string
} & (
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
)

/** What `system.inspect` shows, with when it was (`at`, milliseconds since 1970). An actor whose constructor throws ends without being spawned. */
export type InspectionEvent = (Happening & { readonly at: number }) | (DeadLetter & { readonly type: 'dead-letter' })

export type InspectionListener = (event: InspectionEvent) => void

interface InspectionDeps {
  readonly clock: Clock
  readonly log: Log
  readonly deadLetters: DeadLetters
}

export class Inspection {
  readonly #deps: InspectionDeps
  readonly #listeners = new Set<{ readonly hear: InspectionListener }>()
  #leaveDeadLetters: (() => void) | undefined

  constructor(deps: InspectionDeps) {
    this.#deps = deps
  }

  get isHeard(): boolean {
    return this.#listeners.size > 0
  }

  add(hear: InspectionListener): () => void {
    const listener = { hear }
    this.#listeners.add(listener)
    this.#leaveDeadLetters ??= this.#deps.deadLetters.onDeadLetter((letter) =>
      this.#show({ type: 'dead-letter', ...letter }),
    )
    return () => {
      this.#listeners.delete(listener)
      if (this.isHeard) return
      this.#leaveDeadLetters?.()
      this.#leaveDeadLetters = undefined
    }
  }

  tell(happening: Happening): void {
    this.#show({ ...happening, at: this.#deps.clock.now() })
  }

  #show(event: InspectionEvent): void {
    for (const { hear } of this.#listeners) {
      try {
        hear(event)
      } catch (error) {
        this.#deps.log.error({ error }, 'A listener of system.inspect threw; it was ignored')
      }
    }
  }
}
