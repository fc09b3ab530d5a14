// What follows a failed attempt, by the rules of the definition or the step.
import { toError } from '../lib/errors.ts'
import { retryDelayMs, type FailedAttempt, type RetryPolicy } from '../model/retry.ts'

export interface NextAttempt {
  /** Undefined when there is no next attempt. */
  readonly delayMs: number | undefined
  readonly error: Error
}

/** Asks `retryIf` and `backoff`, which are the user's code: where they throw, that is what it all failed with. */
export function nextAttempt(policy: RetryPolicy, failed: FailedAttempt, random: () => number): NextAttempt {
  try {
    return { delayMs: retryDelayMs(policy, failed, random), error: failed.error }
  } catch (broken) {
    return { delayMs: undefined, error: toError(broken) }
  }
}
