// The errors that users throw and catch by their class, and how a stored one gets its class back.
import { toMs, type Duration } from '../lib/duration.ts'
import { fromErrorRecord, type ErrorRecord } from '../lib/error-record.ts'
import { TroupeError, type ErrorOptions } from '../lib/errors.ts'

/**
 * Fails a run or a step for good: it is not tried again.
 *
 * ```ts
 * import { PermanentError } from 'troupe'
 * console.log(new PermanentError('card is stolen').retryable) // false
 * ```
 */
export class PermanentError extends TroupeError {
  override readonly name = 'PermanentError'
  constructor(message: string, options: ErrorOptions = {}) {
    super('permanent', message, { ...options, retryable: false })
  }
}

/** Says that a value does not fit its schema. Trying again cannot help, so it is not retried. */
export class ValidationError extends TroupeError {
  override readonly name = 'ValidationError'
  constructor(message: string, options: ErrorOptions = {}) {
    super('validation_failed', message, { ...options, retryable: false })
  }
}

/** Says that a time limit passed. It is retried while attempts are left. */
export class TimeoutError extends TroupeError {
  override readonly name = 'TimeoutError'
  constructor(message: string, options: ErrorOptions = {}) {
    super('timed_out', message, { retryable: true, ...options })
  }
}

/**
 * Asks for the next attempt after `delay`, whatever the backoff says.
 *
 * ```ts
 * import { RetryAfterError } from 'troupe'
 * console.log(new RetryAfterError('rate limited', '30s').delayMs) // 30000
 * ```
 */
export class RetryAfterError extends TroupeError {
  override readonly name = 'RetryAfterError'
  readonly delayMs: number
  constructor(message: string, delay: Duration, options: ErrorOptions = {}) {
    const delayMs = toMs(delay)
    super('retry_after', message, { ...options, details: { ...options.details, delayMs }, retryable: true })
    this.delayMs = delayMs
  }
}

/** Gives a stored error its class back, and what it carried; undefined for one that is none of these. */
export function reviveError(record: ErrorRecord): Error | undefined {
  const error = constructAgain(record)
  if (error !== undefined && record.stack !== undefined) {
    Object.defineProperty(error, 'stack', { value: record.stack, writable: true, configurable: true })
  }
  return error
}

// Name and code: others have errors of the same names, such as the TimeoutError of an aborted fetch.
function constructAgain(record: ErrorRecord): Error | undefined {
  const { message, details = {}, cause, retryable } = record
  const options = {
    details,
    ...(cause !== undefined && { cause: fromErrorRecord(cause, reviveError) }),
    ...(retryable !== undefined && { retryable }),
  }
  switch (`${record.name}/${record.code}`) {
    case 'PermanentError/permanent':
      return new PermanentError(message, options)
    case 'ValidationError/validation_failed':
      return new ValidationError(message, options)
    case 'TimeoutError/timed_out':
      return new TimeoutError(message, options)
    case 'RetryAfterError/retry_after':
      return new RetryAfterError(message, Number(details['delayMs']) || 0, options)
    default:
      return undefined
  }
}
