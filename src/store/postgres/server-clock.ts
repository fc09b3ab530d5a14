// The time of the server, as this process knows it: its own clock, put forward or back by what the server said.
import { systemClock, type Clock } from '../../lib/clock.ts'

/** What the server said, and when it was asked and had answered by the clock of this process. */
export interface Heard {
  readonly serverNow: number
  readonly askedAt: number
  readonly answeredAt: number
}

export class ServerClock {
  readonly #clock: Clock
  #knownMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** By how much the server is ahead of this process. */
  get aheadMs(): number {
    return this.#knownMs ?? 0
  }

  now(): number {
    return this.#clock.now() + this.aheadMs
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  /**
   * It was that time at some moment between the two. In a time that a test makes there is no other.
   *
   * Invariant: I9. Of all times that this proves possible the earliest is taken, so no lease is over here before it is: an answer that came late says little, and changes nothing.
   */
  heard({ serverNow, askedAt, answeredAt }: Heard): void {
    // Race: the clock of this machine may have been put back meanwhile.
    if (this.#clock !== systemClock || answeredAt < askedAt) return
    const leastMs = serverNow - answeredAt
    const known = this.#knownMs ?? -Infinity
    if (known < leastMs || known > serverNow - askedAt) this.#knownMs = leastMs
  }
}
