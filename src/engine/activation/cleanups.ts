// What an attempt leaves to be cleaned up at its end, whichever end it is.
import type { Clock, Timer } from '../../lib/clock.ts'
import { toError } from '../../lib/errors.ts'
import { optionInvalid } from '../../model/errors.ts'
import { cleanupTooLong } from '../../model/time-errors.ts'

export type Cleanup = () => unknown

// Invariant: I15. What one attempt may defer, or a clean-up that defers itself would never end.
export const mostCleanups = 10_000

/** Run in reverse order, one after the other; one that fails or hangs keeps none of the others from its turn. */
export class Cleanups {
  readonly #clock: Clock
  readonly #pending: Cleanup[] = []
  #added = 0
  #areOver = false
  #withinMs = Infinity
  #overBy = Infinity
  #timer: Timer | undefined
  #timeUp: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** All that were there have been run: what is added now needs a `run` of its own. */
  get areOver(): boolean {
    return this.#areOver
  }

  /** Runs before all that are there. Throws `option_invalid` for one too many. */
  add(cleanup: Cleanup): void {
    this.#added += 1
    if (this.#added > mostCleanups)
      throw optionInvalid('The number of clean-ups of an attempt', this.#added, `at most ${mostCleanups}`)
    this.#pending.push(cleanup)
  }

  /** From now on there are `withinMs` left, or what was left already if that is less. */
  hurry(withinMs: number): void {
    const overBy = this.#clock.monotonic() + withinMs
    if (overBy >= this.#overBy) return
    this.#withinMs = withinMs
    this.#overBy = overBy
    this.#armTimer()
  }

  /**
   * Runs all of them, each for what is left of `withinMs`, and returns what went wrong. Never rejects.
   *
   * What they defer themselves is run as long as there is time.
   */
  async run(withinMs: number): Promise<Error[]> {
    const errors: Error[] = []
    this.#areOver = false
    this.hurry(withinMs)
    let known = this.#pending.length
    for (let cleanup = this.#pending.pop(); cleanup !== undefined; cleanup = this.#pending.pop()) {
      const isNew = this.#pending.length >= known
      known = Math.min(known, this.#pending.length)
      // Nothing else would have its turn between clean-ups that defer each other, time included.
      if (isNew) await new Promise<void>((resolve) => this.#clock.soon(resolve))
      if (isNew && this.#leftMs <= 0) {
        this.#pending.length = known
        errors.push(cleanupTooLong(this.#withinMs))
        continue
      }
      const error = await this.#runOne(cleanup)
      if (error !== undefined) errors.push(error)
    }
    // Race: said in the same turn in which nothing was left, or what is deferred before the caller sees it would be nobody's.
    this.#areOver = true
    this.#overBy = Infinity
    return errors
  }

  get #leftMs(): number {
    return this.#overBy - this.#clock.monotonic()
  }

  async #runOne(cleanup: Cleanup): Promise<Error | undefined> {
    try {
      const isInTime = await this.#isInTime(Promise.resolve(cleanup()))
      return isInTime ? undefined : cleanupTooLong(this.#withinMs)
    } catch (error) {
      return toError(error)
    } finally {
      this.#timeUp = undefined
      this.#timer?.cancel()
    }
  }

  #isInTime(work: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      work.then(() => resolve(true), reject)
      this.#timeUp = () => resolve(false)
      this.#armTimer()
    })
  }

  #armTimer(): void {
    const timeUp = this.#timeUp
    this.#timer?.cancel()
    if (timeUp === undefined) return
    if (this.#leftMs > 0) this.#timer = this.#clock.after(this.#leftMs, timeUp)
    else this.#clock.soon(timeUp)
  }
}
