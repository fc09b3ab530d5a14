// Whether a failed attempt is tried again, and when.
import { backoffMs, type Backoff } from '../lib/backoff.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { isTroupeError } from '../lib/errors.ts'
import { RetryAfterError } from './error-classes.ts'
import { optionInvalid, optionUnknown } from './errors.ts'

export interface RetryOptions {
  /** How often in all; the first attempt counts. */
  readonly attempts?: number
  readonly backoff?: 'none' | 'linear' | 'exponential' | 'fibonacci' | ((failedAttempts: number) => Duration)
  /** The wait after the first failed attempt; 1 s unless told. */
  readonly base?: Duration
  /** The longest wait between two attempts; 5 minutes unless told. */
  readonly max?: Duration
  /** How much of a wait is random, 0 to 1; 0.2 unless told. */
  readonly jitter?: number
  /** No attempt starts later than this after the first one started. */
  readonly maxElapsed?: Duration
  readonly retryIf?: (error: Error) => boolean
}

/** Those that can be stored with a run. */
export interface StoredRetryOptions extends Omit<RetryOptions, 'backoff' | 'retryIf'> {
  readonly backoff?: 'none' | 'linear' | 'exponential' | 'fibonacci'
}

export interface RetryPolicy {
  readonly attempts: number
  readonly backoff: Backoff | ((failedAttempts: number) => Duration)
  readonly maxElapsedMs: number
  readonly retryIf: ((error: Error) => boolean) | undefined
}

export interface FailedAttempt {
  readonly error: Error
  /** How many attempts have failed, this one included. */
  readonly failedAttempts: number
  /** Since the first attempt started. */
  readonly elapsedMs: number
}

/** Checks retry options where they are written; `attempts` is what holds when they say nothing. */
export function retryPolicy(options: RetryOptions | undefined, attempts: number): RetryPolicy {
  const wanted = options?.attempts ?? attempts
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw optionInvalid('retry.attempts', wanted, 'a whole number from 1 (the first attempt counts)')
  }
  const jitter = options?.jitter ?? 0.2
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw optionInvalid('retry.jitter', jitter, 'a number from 0 to 1')
  return {
    attempts: wanted,
    backoff: policyBackoff(options, jitter),
    maxElapsedMs: options?.maxElapsed === undefined ? Infinity : toMs(options.maxElapsed, 'retry.maxElapsed'),
    retryIf: options?.retryIf,
  }
}

const shapes = ['backoff', 'base', 'max', 'jitter'] as const
const storable = ['attempts', ...shapes, 'maxElapsed']

/** Checks the retry options of a call. */
export function checkedStoredRetry(options: StoredRetryOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw optionInvalid('retry', options, 'an object')
  const functionOf = Object.entries(options).find(([, value]) => typeof value === 'function')?.[0]
  if (functionOf !== undefined)
    throw optionInvalid(
      `${functionOf} of a call's retry`,
      'a function',
      'a value that can be stored: give functions to the definition',
    )
  const stranger = Object.keys(options).find((name) => !storable.includes(name))
  if (stranger !== undefined) throw optionUnknown(`Option '${stranger}' of a call's retry`, storable)
  retryPolicy(options, 1)
}

/** The policy of a run: that of its definition, but for what its call said. */
export function policyOfRun(own: RetryPolicy, stored: string | null): RetryPolicy {
  if (stored === null) return own
  const options = JSON.parse(stored) as StoredRetryOptions
  const policy = retryPolicy(options, own.attempts)
  return {
    attempts: policy.attempts,
    backoff: shapes.some((name) => options[name] !== undefined) ? policy.backoff : own.backoff,
    maxElapsedMs: options.maxElapsed === undefined ? own.maxElapsedMs : policy.maxElapsedMs,
    retryIf: own.retryIf,
  }
}

interface StoredRules extends StoredRetryOptions {
  readonly attemptTimeoutMs?: number
}

/** What is stored of a run whose attempts have another time limit than its definition says. */
export function withAttemptTimeout(stored: string | null, attemptTimeoutMs: number | undefined): string | null {
  if (attemptTimeoutMs === undefined) return stored
  const options = stored === null ? {} : (JSON.parse(stored) as StoredRules)
  return JSON.stringify({ ...options, attemptTimeoutMs } satisfies StoredRules)
}

/** How long an attempt of a run may take. */
export function attemptTimeoutOfRun(own: number | undefined, stored: string | null): number | undefined {
  return stored === null ? own : ((JSON.parse(stored) as StoredRules).attemptTimeoutMs ?? own)
}

/** How long to wait before the next attempt; undefined when there is none. */
export function retryDelayMs(policy: RetryPolicy, failed: FailedAttempt, random: () => number): number | undefined {
  if (failed.failedAttempts >= policy.attempts || !isRetryable(failed.error, policy)) return undefined
  const delayMs = waitMs(policy, failed, random)
  return failed.elapsedMs + delayMs > policy.maxElapsedMs ? undefined : delayMs
}

const strategies = ['none', 'linear', 'exponential', 'fibonacci'] as const

function policyBackoff(options: RetryOptions | undefined, jitter: number): RetryPolicy['backoff'] {
  const strategy = options?.backoff ?? 'exponential'
  if (typeof strategy === 'function') return strategy
  if (!strategies.includes(strategy)) {
    const hint = typeof strategy === 'object' ? ': { type, delay } is { backoff: type, base: delay } of retry here' : ''
    throw optionInvalid('retry.backoff', strategy, `one of ${strategies.join(', ')} or a function${hint}`)
  }
  return {
    strategy,
    baseMs: toMs(options?.base ?? 1_000, 'retry.base'),
    maxMs: toMs(options?.max ?? 300_000, 'retry.max'),
    jitter,
  }
}

function isRetryable(error: Error, policy: RetryPolicy): boolean {
  if (isTroupeError(error) && error.retryable === false) return false
  return policy.retryIf === undefined || policy.retryIf(error)
}

function waitMs(policy: RetryPolicy, failed: FailedAttempt, random: () => number): number {
  if (failed.error instanceof RetryAfterError) return failed.error.delayMs
  if (typeof policy.backoff === 'function')
    return toMs(policy.backoff(failed.failedAttempts), 'What retry.backoff returned')
  return backoffMs(policy.backoff, failed.failedAttempts, random)
}
