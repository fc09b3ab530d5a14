// Time and timers, handed in from outside so that a test or a simulator can own them.

export interface Timer {
  /** Stops the timer; harmless when it has fired already. */
  cancel(): void
}

export interface TimerOptions {
  /** Lets the process end while this timer waits. */
  readonly background?: boolean
  /** It looks for what was missed, or tidies up: however much time passes at once, it need fire but once. */
  readonly upkeep?: boolean
}

/** The only source of time in the library. */
export interface Clock {
  /** Wall time in milliseconds since 1970; may jump. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes back, so it measures durations. */
  monotonic(): number
  /** Calls `fn` once, `delayMs` from now; any delay is fine, also one of years. */
  after(delayMs: number, fn: () => void, options?: TimerOptions): Timer
  /** Calls `fn` once the event loop has finished the turn it is in, ahead of any timer. */
  soon(fn: () => void): void
}

// Node fires longer timers at once (they overflow 31 bits), so a long wait is a chain of these.
const longestTimerMs = 2 ** 31 - 1

class SystemTimer implements Timer {
  readonly #fn: () => void
  readonly #background: boolean
  #remainingMs: number
  #handle: NodeJS.Timeout | undefined

  constructor(delayMs: number, fn: () => void, background: boolean) {
    this.#fn = fn
    this.#background = background
    this.#remainingMs = Math.max(0, delayMs)
    this.#arm()
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }

  #arm(): void {
    const sliceMs = Math.min(this.#remainingMs, longestTimerMs)
    this.#remainingMs -= sliceMs
    this.#handle = setTimeout(() => (this.#remainingMs > 0 ? this.#arm() : this.#fn()), sliceMs)
    if (this.#background) this.#handle.unref()
  }
}

/** What is to be called in the next turn of the event loop. Measured: one immediate for all costs a busy engine a tenth less than one for each. */
class NextTurn {
  #calls: (() => void)[] = []

  add(fn: () => void): void {
    if (this.#calls.push(fn) === 1) setImmediate(this.#callAll)
  }

  readonly #callAll = (): void => {
    const calls = this.#calls
    this.#calls = []
    let place = 0
    try {
      while (place < calls.length) calls[place++]?.()
    } finally {
      // One has thrown: the others are no part of that.
      for (; place < calls.length; place++) this.add(calls[place] as () => void)
    }
  }
}

const nextTurn = new NextTurn()

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, fn, options) => new SystemTimer(delayMs, fn, options?.background === true),
  soon: (fn) => nextTurn.add(fn),
}

/** The same clock for somebody all of whose timers are upkeep. */
export function upkeepOf(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (delayMs, fn, options) => clock.after(delayMs, fn, { ...options, upkeep: true }),
    soon: (fn) => clock.soon(fn),
  }
}
