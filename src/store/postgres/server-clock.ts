// The time of the server, as this process knows it: its own clock, put forward or back by what the server said last.
import { systemClock, type Clock } from '../../lib/clock.ts'

export class ServerClock {
  readonly #clock: Clock
  #aheadMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now() + this.#aheadMs
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  /** The server said what time it is. In a time that a test makes there is no other. */
  heard(serverNow: number): void {
    if (this.#clock === systemClock) this.#aheadMs = serverNow - this.#clock.now()
  }
}
