// What the exit code of a command says to a script.
import { isTroupeError, type ErrorCode } from '../lib/errors.ts'

export const exitCodes = {
  ok: 0,
  runFailed: 1,
  usage: 2,
  storeUnavailable: 69,
  configRefused: 78,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

const usageCodes: ReadonlySet<ErrorCode> = new Set([
  'usage',
  'run_not_found',
  'step_not_found',
  'schedule_not_found',
  'worker_not_registered',
  'validation_failed',
  'message_unknown',
  'answer_missing',
  'value_too_large',
  'value_not_storable',
])

const configCodes: ReadonlySet<ErrorCode> = new Set([
  'config_invalid',
  'definition_exists',
  'definition_invalid',
  'value_unreadable',
  'file_not_loaded',
  'template_invalid',
])

/** The exit code for what stopped a command before, or instead of, a run. The failure of a run itself is `runFailed`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isTroupeError(error)) return exitCodes.runFailed
  if (usageCodes.has(error.code)) return exitCodes.usage
  if (configCodes.has(error.code)) return exitCodes.configRefused
  // An option that stands in no file was typed.
  if (error.code === 'option_invalid')
    return error.details['file'] === undefined ? exitCodes.usage : exitCodes.configRefused
  if (isStoreCode(error.code)) return exitCodes.storeUnavailable
  return exitCodes.runFailed
}

function isStoreCode(code: ErrorCode): boolean {
  return code.startsWith('store_') || code.startsWith('sqlite_')
}
