// A clock whose timers do not see that the process was paused, as those of a suspended virtual machine do not.
import { systemClock, type Clock, type Timer, type TimerOptions } from '../../src/lib/clock.ts'

// A longer timer is a chain of these, and each counts as this long however late it fires.
const sliceMs = 10

class BlindTimer implements Timer {
  readonly #fn: () => void
  readonly #options: TimerOptions | undefined
  #remainingMs: number
  #slice: Timer

  constructor(delayMs: number, fn: () => void, options: TimerOptions | undefined) {
    this.#fn = fn
    this.#options = options
    this.#remainingMs = delayMs
    this.#slice = this.#next()
  }

  cancel(): void {
    this.#slice.cancel()
  }

  #next(): Timer {
    const ms = Math.min(this.#remainingMs, sliceMs)
    this.#remainingMs -= ms
    const fire = (): void => {
      if (this.#remainingMs > 0) this.#slice = this.#next()
      else this.#fn()
    }
    return systemClock.after(ms, fire, this.#options)
  }
}

export const blindClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  after: (delayMs, fn, options) => new BlindTimer(Math.max(0, delayMs), fn, options),
  soon: (fn) => systemClock.soon(fn),
}
