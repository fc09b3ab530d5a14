// What callers want started and the store has yet to take: bounded, so that who comes too fast is told so before memory grows.
import { intakeFull } from '../model/start-errors.ts'

/** How full this process is with what callers want started. */
export interface IntakeView {
  readonly waiting: number
  /** So many may wait; more are refused. */
  readonly capacity: number
  /** What their inputs take, in characters. */
  readonly chars: number
  readonly capacityChars: number
}

// Invariant: I15.
const mostWaiting = 100_000
const mostChars = 268_435_456
// Enough for a store that works to take some ten thousand.
const retryAfterMs = 1_000

export class Intake {
  #waiting = 0
  #chars = 0

  /** One more waits. Throws `intake_full`. */
  enter(chars: number): void {
    // Alone it may be as large as it likes.
    const isFull = this.#waiting >= mostWaiting || (this.#waiting > 0 && this.#chars + chars > mostChars)
    if (isFull) throw intakeFull(this.#waiting, retryAfterMs)
    this.#waiting += 1
    this.#chars += chars
  }

  leave(chars: number): void {
    this.#waiting -= 1
    this.#chars -= chars
  }

  view(): IntakeView {
    return { waiting: this.#waiting, capacity: mostWaiting, chars: this.#chars, capacityChars: mostChars }
  }
}
