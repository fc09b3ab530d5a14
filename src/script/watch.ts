// Runs in a thread: tells when a script has to stop.
import { sharedAt } from '../engine/pool/threads.ts'
import { systemClock } from '../lib/clock.ts'

export class Watch {
  /** Why it has to; undefined while it may go on. */
  why: 'out_of_time' | 'stopped' | undefined
  readonly #deadline: number
  readonly #shared: Int32Array
  readonly #id: number

  constructor({ id, timeoutMs }: { readonly id: number; readonly timeoutMs: number }, shared: Int32Array) {
    this.#deadline = systemClock.monotonic() + timeoutMs
    this.#shared = shared
    this.#id = id
  }

  /** Asked between any few thousand operations of a script. */
  isOver(): boolean {
    if (this.why !== undefined) return true
    if (Atomics.load(this.#shared, sharedAt.cut) === this.#id) this.why = 'stopped'
    else if (systemClock.monotonic() >= this.#deadline) this.why = 'out_of_time'
    return this.why !== undefined
  }
}
