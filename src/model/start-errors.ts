// The errors around starting runs, one or many at a time: each is written here once.
import { isTroupeError, TroupeError } from '../lib/errors.ts'
import { clip } from '../lib/text.ts'
import { ValidationError } from './error-classes.ts'

/** What was wrong with one of many inputs, told with its place among them. */
export function inputRefused(index: number, error: Error): Error {
  const message = `inputs[${index}]: ${error.message}`
  if (!isTroupeError(error)) return new TroupeError('option_invalid', message, { details: { index }, cause: error })
  const options = { details: { ...error.details, index }, cause: error, retryable: false }
  if (error.code === 'validation_failed') return new ValidationError(message, options)
  return new TroupeError(error.code, `${message} None of the runs was started.`, options)
}

const storeGaveUp = { code: 'store_unavailable', details: {}, retryable: undefined } as const

/** Something went wrong in the middle of many starts. */
export function startsCutShort(started: number, of: number, error: Error): TroupeError {
  const { code, details, retryable } = isTroupeError(error) ? error : storeGaveUp
  return new TroupeError(
    code,
    `${error.message} Of the ${of.toLocaleString('en')} runs of this call the first ${started.toLocaleString('en')} are started.`,
    { details: { ...details, started }, cause: error, ...(retryable !== undefined && { retryable }) },
  )
}

export function idempotencyConflict(name: string, key: string, runId: string): TroupeError {
  return new TroupeError(
    'idempotency_conflict',
    `Run ${runId} of '${name}' was started with idempotency key '${key}' before: use { onConflict: 'attach' } to get that run.`,
    { details: { name, key, runId }, retryable: false },
  )
}

/** The run of a key may be another one, and that is not known before a node takes the start in. */
export function keyWithinTransaction(key: string): TroupeError {
  return new TroupeError(
    'option_invalid',
    `A run with a key ('${clip(key, 60)}') cannot be started from a transaction or from SQL on Postgres, as whose the key is would be known only afterwards: let a unique row of your own decide in that transaction whether the run is started, or start it once that is committed.`,
    { details: { option: 'idempotencyKey', key }, retryable: false },
  )
}

/** Callers are faster than the store, by more than may wait. */
export function intakeFull(waiting: number, retryAfterMs: number): TroupeError {
  return new TroupeError(
    'intake_full',
    `${waiting.toLocaleString('en')} runs wait to be stored by this process, and no more may: try again in ${retryAfterMs / 1_000} s, await calls before making more, or start many by callMany.`,
    { details: { waiting, retryAfterMs }, retryable: true },
  )
}
