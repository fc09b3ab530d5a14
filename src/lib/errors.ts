// The one error class of the library, its closed list of codes, and how to recognise it.

import { textOf } from './text.ts'

/** Every code an error of this library can carry. */
export const errorCodes = [
  // actors
  'actor_failed',
  'actor_killed',
  'actor_restarted',
  'actor_stopped',
  'ask_timeout',
  'deadlock',
  'mailbox_full',
  'message_discarded',
  'message_unknown',
  'name_taken',
  'registry_failed',
  'restarts_used_up',
  'system_stopped',
  'thread_ended',
  // definitions and input
  'definition_exists',
  'definition_invalid',
  'expression_failed',
  'expression_invalid',
  'option_invalid',
  'package_missing',
  'template_invalid',
  'validation_failed',
  'value_not_copied',
  'value_not_storable',
  'value_too_large',
  'value_unreadable',
  // runs
  'answer_missing',
  'batch_invalid',
  'batches_failed',
  'circular_wait',
  'decision_invalid',
  'expired',
  'fork_refused',
  'idempotency_conflict',
  'investigation_refused',
  'journal_mismatch',
  'lease_lost',
  'permanent',
  'recursion_too_deep',
  'resolve_refused',
  'result_timeout',
  'resume_refused',
  'retry_refused',
  'delete_refused',
  'retry_after',
  'run_cancelled',
  'run_ended',
  'run_lost',
  'run_not_found',
  'schedule_not_found',
  'stale',
  'step_name_taken',
  'step_not_found',
  'timed_out',
  'undo_failed',
  'worker_crashed',
  'worker_manager_not_initialised',
  'worker_not_registered',
  // scripts
  'script_failed',
  'script_invalid',
  'script_out_of_memory',
  'script_timed_out',
  // engine
  'engine_failed',
  'engine_stopped',
  'intake_full',
  // store
  'move_refused',
  'store_busy',
  'store_corrupt',
  'store_full',
  'store_moved',
  'store_newer',
  'store_older',
  'store_readonly',
  'store_unavailable',
  'sqlite_missing',
  'sqlite_too_old',
  // command line
  'config_invalid',
  'file_not_loaded',
  'usage',
] as const

/** Match on the code of an error, never on its message. */
export type ErrorCode = (typeof errorCodes)[number]

export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>

export interface ErrorOptions {
  readonly cause?: unknown
  readonly details?: ErrorDetails
  /** Whether trying again can help; undefined where the question does not arise. */
  readonly retryable?: boolean
}

const brand = Symbol.for('troupe.error')

/**
 * The base of every error this library throws.
 *
 * `code` says what happened and is stable; `message` says it to a person and may change;
 * `details` is safe to store and to send.
 *
 * ```ts
 * import { TroupeError, isTroupeError } from 'troupe'
 * const error = new TroupeError('ask_timeout', 'No answer from Counter(#7) within 30s')
 * console.log(isTroupeError(error, 'ask_timeout')) // true
 * ```
 */
export class TroupeError extends Error {
  override readonly name: string = 'TroupeError'
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly retryable: boolean | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    this.retryable = options.retryable
    Object.defineProperty(this, brand, { value: true })
  }
}

/**
 * Tells whether `error` comes from this library, also when two copies of it are loaded;
 * with a `code`, whether it is that error.
 *
 * ```ts
 * import { isTroupeError } from 'troupe'
 * console.log(isTroupeError(new Error('other'))) // false
 * ```
 */
export function isTroupeError(error: unknown, code?: ErrorCode): error is TroupeError {
  if (typeof error !== 'object' || error === null) return false
  try {
    return brand in error && (code === undefined || (error as { code?: unknown }).code === code)
  } catch {
    // A proxy, or a getter, that throws when it is asked.
    return false
  }
}

/** Turns whatever was thrown into an Error whose message can be read; an Error stays the same object. Never throws. */
export function toError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(thrownText(thrown), { cause: thrown })
}

/** Says what was thrown that is no Error. */
export function thrownText(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : `Thrown value: ${textOf(thrown)}`
}

function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error && typeof thrown.message === 'string'
  } catch {
    return false
  }
}
