// The clock of rehearsals: what waits for code to go on waits no longer once nothing in this process could bring it on.
import type { Clock, Timer } from '../../lib/clock.ts'

/**
 * Code may do work of its own between two things it asks for, which nobody here can see; so it is given time. Only when the event loop of the process
 * has run empty is it sure that nothing more comes: then all that waits is due at once. Elsewhere, as in a server, time has to pass.
 */
export class RehearsalClock implements Clock {
  readonly #clock: Clock
  readonly #waiting = new Set<RehearsalTimer>()

  constructor(clock: Clock) {
    this.#clock = clock
    process.on('beforeExit', this.#fireFirst)
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  soon(fn: () => void): void {
    this.#clock.soon(fn)
  }

  after(delayMs: number, fn: () => void): Timer {
    const timer = new RehearsalTimer({ clock: this.#clock, delayMs, fn, waiting: this.#waiting })
    this.#waiting.add(timer)
    return timer
  }

  close(): void {
    process.off('beforeExit', this.#fireFirst)
    for (const timer of this.#waiting) timer.cancel()
  }

  /** Those that were given the least time: what they do may be what the others wait for. */
  readonly #fireFirst = (): void => {
    const waiting = [...this.#waiting]
    if (waiting.length === 0) return
    // The process ends after this turn unless something is left to do.
    this.#clock.soon(() => undefined)
    const least = waiting.reduce((before, { delayMs }) => Math.min(before, delayMs), Infinity)
    for (const timer of waiting) if (timer.delayMs === least) timer.fire()
  }
}

interface RehearsalTimerOptions {
  readonly clock: Clock
  readonly delayMs: number
  readonly fn: () => void
  readonly waiting: Set<RehearsalTimer>
}

class RehearsalTimer implements Timer {
  readonly delayMs: number
  readonly #fn: () => void
  readonly #waiting: Set<RehearsalTimer>
  readonly #timer: Timer

  constructor({ clock, delayMs, fn, waiting }: RehearsalTimerOptions) {
    this.delayMs = delayMs
    this.#fn = fn
    this.#waiting = waiting
    // It must not keep the event loop from running empty.
    this.#timer = clock.after(delayMs, () => this.fire(), { background: true })
  }

  fire(): void {
    this.cancel()
    this.#fn()
  }

  cancel(): void {
    this.#waiting.delete(this)
    this.#timer.cancel()
  }
}
