// What a cancel is asked with, checked where it is given.
import { optionInvalid } from '../model/errors.ts'
import type { ByOption } from './audit.ts'
import { checkOptions } from './checks.ts'

/** How a run is cancelled. */
export interface CancelOptions {
  readonly reason?: string
  /** False lets stay what steps with `undo` did, and ends a run at once that undoes already; true unless told. */
  readonly undo?: boolean
}

export interface CancelOrder {
  readonly reason: string
  /** What it did stays. */
  readonly skipsUndo: boolean
}

/** The reason stands alone or among the options. */
export function cancelOptions(
  reason: string | (CancelOptions & ByOption),
  options: CancelOptions & ByOption,
): CancelOptions & ByOption {
  return typeof reason === 'object' && reason !== null ? { ...reason, ...options } : { reason, ...options }
}

/** Throws `option_invalid`. */
export function cancelOrder(verb: string, options: CancelOptions): CancelOrder {
  checkOptions(verb, options, ['reason', 'undo'])
  const { reason = '', undo = true } = options
  if (typeof reason !== 'string') throw optionInvalid('reason', reason, 'a text')
  if (typeof undo !== 'boolean') throw optionInvalid('undo', undo, 'true or false')
  return { reason, skipsUndo: !undo }
}
