// How long to wait before the next attempt.

export type BackoffStrategy = 'none' | 'linear' | 'exponential' | 'fibonacci' | ((failedAttempts: number) => number)

export interface Backoff {
  /** `none` does not wait at all; a function returns milliseconds itself. */
  readonly strategy: BackoffStrategy
  /** The wait after the first failed attempt. */
  readonly baseMs: number
  /** No wait is longer, jitter included. */
  readonly maxMs: number
  /** How far a wait may stray from its length to either side, as a share of it: 0 to 1. */
  readonly jitter: number
}

/**
 * Returns how long to wait after `failedAttempts` attempts have failed (1 after the first).
 *
 * `random` returns a number from 0 up to but not including 1. The result is always from 0 to `maxMs`,
 * whatever a strategy function returns; where that is not a number, the wait is `maxMs`.
 */
export function backoffMs(backoff: Backoff, failedAttempts: number, random: () => number): number {
  // Capped before jitter too, so that attempts far past the cap still spread out below it.
  const wait = within(lengthOf(backoff, Math.max(1, failedAttempts)), backoff.maxMs)
  const jitter = backoff.jitter === 0 ? 1 : 1 + backoff.jitter * (2 * random() - 1)
  return within(Math.round(wait * jitter), backoff.maxMs)
}

function lengthOf({ strategy, baseMs }: Backoff, failedAttempts: number): number {
  if (typeof strategy === 'function') return strategy(failedAttempts)
  switch (strategy) {
    case 'none':
      return 0
    case 'linear':
      return baseMs * failedAttempts
    case 'exponential':
      return baseMs * 2 ** Math.min(failedAttempts - 1, farPastAnyCap)
    case 'fibonacci':
      return baseMs * fibonacci(Math.min(failedAttempts, farPastAnyCap))
  }
}

// 2 ** 1000 and the thousandth Fibonacci number are still finite, so that a base of 0 gives 0 and not NaN.
const farPastAnyCap = 1000

function fibonacci(position: number): number {
  let previous = 0
  let current = 1
  for (let i = 1; i < position; i++) [previous, current] = [current, previous + current]
  return current
}

function within(ms: number, maxMs: number): number {
  return Number.isNaN(ms) ? maxMs : Math.min(Math.max(0, ms), maxMs)
}
