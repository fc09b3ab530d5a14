// The store's time: the wall clock of this machine, except that it never goes back and never stands still.
import type { Clock } from '../../../lib/clock.ts'

// How fast it goes on while the wall clock is behind: what waits for it waits as long as it should, and the two meet again.
const pace = 0.99

/** What tells it the time. */
export type WallClock = Pick<Clock, 'now' | 'monotonic'>

export class StoreClock {
  readonly #clock: WallClock
  #latest: number
  #ahead: { readonly from: number; readonly sinceMs: number } | undefined

  /** `latest` is what it was at least when somebody else last read it. */
  constructor(clock: WallClock, latest: number) {
    this.#clock = clock
    this.#latest = latest
  }

  now(): number {
    const wall = this.#clock.now()
    if (wall < this.#latest) return this.#goOn()
    this.moveTo(wall)
    return wall
  }

  /** Follows another that is ahead. */
  moveTo(at: number): void {
    if (at < this.#latest) return
    this.#latest = at
    this.#ahead = undefined
  }

  #goOn(): number {
    const atMs = this.#clock.monotonic()
    this.#ahead ??= { from: this.#latest, sinceMs: atMs }
    const { from, sinceMs } = this.#ahead
    this.#latest = from + Math.floor((atMs - sinceMs) * pace)
    return this.#latest
  }
}
