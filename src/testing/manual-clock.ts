// Time that stands still until a test moves it.

import { systemClock } from '../lib/clock.ts'
import type { Clock, Timer } from '../lib/clock.ts'

interface Waiting {
  readonly dueMs: number
  readonly fn: () => void
}

/** Rounds of the event loop that let work started by a timer settle before time goes on. */
const settleRounds = 3

/**
 * A clock that starts at 1970, or at `startMs`, and moves only when told to.
 *
 * ```ts
 * import { ManualClock } from 'troupe/testing'
 * const clock = new ManualClock()
 * clock.after(1000, () => console.log('fired'))
 * await clock.advance(999)
 * await clock.advance(1) // fired
 * ```
 */
export class ManualClock implements Clock {
  readonly #startMs: number
  readonly #timers: Waiting[] = []
  #elapsedMs = 0

  constructor(startMs = 0) {
    this.#startMs = startMs
  }

  /** How many timers wait to fire. */
  get armedTimers(): number {
    return this.#timers.length
  }

  /** In how many milliseconds the next timer fires; undefined when none waits. */
  get nextTimerMs(): number | undefined {
    const next = this.#timers[0]
    return next === undefined ? undefined : next.dueMs - this.#elapsedMs
  }

  now(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, fn: () => void): Timer {
    const timer: Waiting = { dueMs: this.#elapsedMs + Math.max(0, delayMs), fn }
    const later = this.#timers.findIndex(({ dueMs }) => dueMs > timer.dueMs)
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer)
    return { cancel: () => this.#remove(timer) }
  }

  /** Runs with the real event loop: what is due soon needs no time to pass. */
  soon(fn: () => void): void {
    systemClock.soon(fn)
  }

  /**
   * Moves time on by `ms`, firing every timer on the way at its own time, also those set meanwhile.
   *
   * Before, between and after them it lets promises and `soon` settle; it does not wait for files or sockets.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new Error(`Time cannot be moved by ${ms}ms: give zero or more.`)
    const targetMs = this.#elapsedMs + ms
    await settle()
    for (let next = this.#timers[0]; next !== undefined && next.dueMs <= targetMs; next = this.#timers[0]) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs)
      this.#timers.shift()
      next.fn()
      await settle()
    }
    // Another one may have moved on further meanwhile.
    this.#elapsedMs = Math.max(this.#elapsedMs, targetMs)
  }

  #remove(timer: Waiting): void {
    const index = this.#timers.indexOf(timer)
    if (index !== -1) this.#timers.splice(index, 1)
  }
}

async function settle(): Promise<void> {
  for (let round = 0; round < settleRounds; round++) await new Promise<void>((resolve) => systemClock.soon(resolve))
}
