// What a cancel is asked with, checked where it is given.
import { optionInvalid } from '../model/errors.ts'
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

/** The reason stands alone or among the options. Throws `option_invalid`. */
export function cancelOrder(verb: string, reason: string | CancelOptions, options: CancelOptions): CancelOrder {
  const told = typeof reason === 'object' && reason !== null ? { ...reason, ...options } : { reason, ...options }
  checkOptions(verb, told, ['reason', 'undo'])
  const { reason: text = '', undo = true } = told
  if (typeof text !== 'string') throw optionInvalid('reason', text, 'a text')
  if (typeof undo !== 'boolean') throw optionInvalid('undo', undo, 'true or false')
  return { reason: text, skipsUndo: !undo }
}
