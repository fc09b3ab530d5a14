// What a cancel is asked with, checked where it is given, and brought to the store.
import { optionInvalid, runCancelled } from '../../model/errors.ts'
import type { CancelAnswer } from '../../store/cancels.ts'
import type { ByOption } from '../verbs/audit.ts'
import { checkOptions } from '../checks.ts'
import { errorText } from '../error-text.ts'
import type { Face } from '../verbs/face.ts'
import { Cancel } from '../processor.ts'
import { RequestWrite } from '../request-write.ts'

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

/** Brings it to the store; whoever runs that run ends it when it has heard of it. */
export function bringCancel(
  face: Face,
  { id, name }: { readonly id: string; readonly name: string },
  { reason, skipsUndo }: CancelOrder,
): Promise<CancelAnswer> {
  const value = errorText(runCancelled(name, id, reason))
  const bring = async (): Promise<CancelAnswer> => {
    const write = new RequestWrite('cancels', { id, reason, value, skipsUndo })
    await face.engine.door.bring(new Cancel({ write }))
    return write.answer
  }
  return face.askTwice(bring, (told) => told !== 'not_found')
}
