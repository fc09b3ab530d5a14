// What follows a failed attempt, by the rules of the definition or the step.
import { toError } from '../../lib/errors.ts'
import { policyOfRun, retryDelayMs, type FailedAttempt, type RetryPolicy } from '../../model/retry.ts'
import type { Activation } from './activation.ts'
import { storedTime } from '../verbs/call.ts'
import { againText, nameOf } from '../failures/failures.ts'

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

/** What follows a failed attempt of a run, and when it does; tells people of it. */
export function nextAttemptOfRun(
  { claimed, definition, deps }: Pick<Activation, 'claimed' | 'definition' | 'deps'>,
  thrown: Error,
  startedAt: number,
): { readonly error: Error; readonly dueAt: number | undefined } {
  const { attempt } = claimed
  const policy = policyOfRun(definition.settings.retry, claimed.retry)
  const first = claimed.failedAttempts.find(({ path }) => path === '')
  const now = deps.store.now()
  const failed = { error: thrown, failedAttempts: attempt, elapsedMs: now - (first?.firstStartedAt ?? startedAt) }
  const { error, delayMs } = nextAttempt(policy, failed, () => deps.ids.random())
  if (delayMs === undefined) return { error, dueAt: undefined }
  const news = { what: nameOf(definition), attempt, attempts: policy.attempts, error, delayMs }
  deps.log.info({ run: claimed.id, attempt }, againText(news))
  return { error, dueAt: Math.min(storedTime(now + delayMs), claimed.deadlineAt ?? Infinity) }
}
