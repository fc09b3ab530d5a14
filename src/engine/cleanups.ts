// What an attempt leaves to be cleaned up at its end, whichever end it is.
import type { Clock } from '../lib/clock.ts'
import { toError } from '../lib/errors.ts'
import { cleanupTooLong } from '../model/errors.ts'
import { isDoneWithin } from './in-time.ts'

export type Cleanup = () => unknown

/** Run in reverse order, one after the other; one that fails or hangs keeps none of the others from its turn. */
export class Cleanups {
  readonly #clock: Clock
  readonly #pending: Cleanup[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs before all that are there. */
  add(cleanup: Cleanup): void {
    this.#pending.push(cleanup)
  }

  /** Runs after all others. */
  addLast(cleanup: Cleanup): void {
    this.#pending.unshift(cleanup)
  }

  /** Runs all of them, each for what is left of `withinMs`, and returns what went wrong. Never rejects. */
  async run(withinMs: number): Promise<Error[]> {
    const errors: Error[] = []
    const overBy = this.#clock.monotonic() + withinMs
    for (let cleanup = this.#pending.pop(); cleanup !== undefined; cleanup = this.#pending.pop()) {
      try {
        const work = Promise.resolve(cleanup())
        const leftMs = Math.max(0, overBy - this.#clock.monotonic())
        if (!(await isDoneWithin(this.#clock, leftMs, work))) errors.push(cleanupTooLong(withinMs))
      } catch (error) {
        errors.push(toError(error))
      }
    }
    return errors
  }
}
