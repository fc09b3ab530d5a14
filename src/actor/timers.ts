// Timers that belong to one actor: they fire as turns of its mailbox and die with it.

import type { Clock, Timer } from '../lib/clock.ts'
import { intervalInvalid } from './errors.ts'

export interface Turns {
  /** Queues `fn` as a turn ahead of the mailbox. */
  enqueueTurn(fn: () => unknown): void
}

export class ActorTimers {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #live = new Set<ActorTimer>()

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock
    this.#turns = turns
  }

  after(delayMs: number, fn: () => unknown): Timer {
    const timer = new ActorTimer(this.#live)
    timer.arm(this.#clock, delayMs, () => this.#turns.enqueueTurn(() => timer.finish() && fn()))
    return timer
  }

  /** Fires every `intervalMs`; a time that comes while the turn of an earlier one still waits is skipped. */
  every(intervalMs: number, fn: () => unknown): Timer {
    if (intervalMs <= 0) throw intervalInvalid(intervalMs)
    const timer = new ActorTimer(this.#live)
    let isWaiting = false
    const turn = (): unknown => {
      isWaiting = false
      return timer.isLive && fn()
    }
    const fire = (): void => {
      timer.arm(this.#clock, intervalMs, fire)
      if (isWaiting) return
      isWaiting = true
      this.#turns.enqueueTurn(turn)
    }
    timer.arm(this.#clock, intervalMs, fire)
    return timer
  }

  cancelAll(): void {
    for (const timer of this.#live) timer.cancel()
  }
}

class ActorTimer implements Timer {
  readonly #live: Set<ActorTimer>
  #armed: Timer | undefined

  constructor(live: Set<ActorTimer>) {
    this.#live = live
    live.add(this)
  }

  get isLive(): boolean {
    return this.#live.has(this)
  }

  arm(clock: Clock, delayMs: number, fn: () => void): void {
    this.#armed = clock.after(delayMs, fn)
  }

  /** Ends a timer that fired; false when it was cancelled before. */
  finish(): boolean {
    return this.#live.delete(this)
  }

  cancel(): void {
    this.#armed?.cancel()
    this.#live.delete(this)
  }
}
