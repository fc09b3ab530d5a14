// Timers that belong to one actor: they fire as turns of its mailbox and die with it.

import type { Clock, Timer } from '../lib/clock.ts'
import { optionInvalid } from './errors.ts'

export interface Turns {
  /** Queues `fn` as a turn ahead of the mailbox. */
  enqueueTurn(fn: () => unknown): void
}

export class ActorTimers {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #live = new Set<Timer>()

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock
    this.#turns = turns
  }

  after(delayMs: number, fn: () => unknown): Timer {
    return this.#start(delayMs, fn, false)
  }

  /** Fires every `intervalMs`; a time that comes while the turn of an earlier one still waits is skipped. */
  every(intervalMs: number, fn: () => unknown): Timer {
    if (intervalMs <= 0) throw optionInvalid('interval', intervalMs, 'a duration above zero')
    return this.#start(intervalMs, fn, true)
  }

  cancelAll(): void {
    for (const timer of this.#live) timer.cancel()
  }

  #start(delayMs: number, fn: () => unknown, repeats: boolean): Timer {
    let isWaiting = false
    const turn = (): unknown => {
      isWaiting = false
      if (!this.#live.has(timer)) return undefined
      if (!repeats) this.#live.delete(timer)
      return fn()
    }
    const fire = (): void => {
      if (repeats) armed = this.#clock.after(delayMs, fire)
      if (isWaiting) return
      isWaiting = true
      this.#turns.enqueueTurn(turn)
    }
    const cancel = (): void => {
      armed.cancel()
      this.#live.delete(timer)
    }
    const timer = { cancel }
    let armed = this.#clock.after(delayMs, fire)
    this.#live.add(timer)
    return timer
  }
}
