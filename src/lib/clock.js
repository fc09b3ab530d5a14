// Time and timers, handed in from outside so that a test or a simulator can own them.
// Node fires longer timers at once (they overflow 31 bits), so a long wait is a chain of these.
const longestTimerMs = 2 ** 31 - 1
class SystemTimer {
  #fn
  #background
  #remainingMs
  #handle
  constructor(delayMs, fn, background) {
    this.#fn = fn
    this.#background = background
    this.#remainingMs = Math.max(0, delayMs)
    this.#arm()
  }
  cancel() {
    clearTimeout(this.#handle)
  }
  #arm() {
    const sliceMs = Math.min(this.#remainingMs, longestTimerMs)
    this.#remainingMs -= sliceMs
    this.#handle = setTimeout(() => (this.#remainingMs > 0 ? this.#arm() : this.#fn()), sliceMs)
    if (this.#background) this.#handle.unref()
  }
}
/** The clock of this machine. */
export const systemClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, fn, options) => new SystemTimer(delayMs, fn, options?.background === true),
  soon: (fn) => void setImmediate(fn),
}
