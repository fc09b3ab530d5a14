// What an actor may have besides its mailbox, made when first used: children, timers, an abort signal, a deadline to stop by.

import type { Clock, Timer } from '../lib/clock.ts'
import { Siblings } from './core.ts'
import { ActorTimers } from './timers.ts'
import type { Turns } from './timers.ts'

export class Belongings {
  readonly children = new Siblings()
  readonly #clock: Clock
  readonly #turns: Turns
  #timers: ActorTimers | undefined
  #abort: AbortController | undefined
  #deadlines: Timer[] | undefined

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock
    this.#turns = turns
  }

  get timers(): ActorTimers {
    return (this.#timers ??= new ActorTimers(this.#clock, this.#turns))
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal
  }

  setDeadline(delayMs: number, fn: () => void): void {
    this.#deadlines ??= []
    this.#deadlines.push(this.#clock.after(delayMs, fn))
  }

  killChildren(): void {
    while (this.children.last !== undefined) this.children.last.kill()
  }

  /** Cancels the timers and aborts the signal, which tells `why`. */
  release(why: Error): void {
    this.#timers?.cancelAll()
    this.#abort?.abort(why)
  }

  cancelDeadlines(): void {
    for (const deadline of this.#deadlines ?? []) deadline.cancel()
  }
}
