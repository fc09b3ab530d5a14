// What follows a failed attempt, by the rules of the definition or the step.
import { formatMs } from '../lib/duration.ts'
import { toError } from '../lib/errors.ts'
import { clip } from '../lib/text.ts'
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

export interface AttemptNews {
  /** `step 'charge'`. */
  readonly what: string
  readonly attempt: number
  readonly attempts: number
  readonly error: Error
  readonly delayMs: number
}

/** What people are told of an attempt that failed and is followed by another. */
export function againText({ what, attempt, attempts, error, delayMs }: AttemptNews): string {
  const [first = ''] = error.message.trim().split('\n')
  const why = first === '' ? error.name : clip(first, longestReason)
  return `${what} failed (attempt ${attempt} of ${attempts}): ${why}; again in ${formatMs(delayMs)}`
}

const longestReason = 300
