// What crosses between a thread actor and the one that stands for it: messages and answers in flat arrays, and now and then a notice.

import { TroupeError, toError } from '../lib/errors.ts'
import type { ErrorCode, ErrorDetails } from '../lib/errors.ts'
import type { DeadLetterReason } from './dead-letters.ts'

/** Number, whether it is an ask, name and payload of each message, one after the other. */
export type Messages = unknown[]
export const fieldsOfMessage = 4

/** Number, outcome, and the reply or the error, one after the other. */
export type Answers = unknown[]
export const fieldsOfAnswer = 3

/** Whether it went well, or why nobody handles it. */
export type Outcome = boolean | DeadLetterReason

export type ToThread = Messages | 'stop'

export type FromThread =
  | Answers
  | { readonly type: 'ready' }
  /** It wishes to stop. */
  | { readonly type: 'leaves' }
  /** It did not start or has failed; or it has stopped, when `error` is absent. */
  | { readonly type: 'ended'; readonly error?: WireError }
  | { readonly type: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface WorkerData {
  readonly module: string
  readonly className: string
  readonly args: readonly unknown[]
  readonly capacity: number
}

/** An error as it crosses; a copy of the object itself would lose its name and its code. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly details: ErrorDetails | undefined
  readonly isTroupe: boolean
  readonly cause?: WireError
}

// A cause may be its own cause.
const deepestCause = 5

export function toWire(thrown: unknown, depth = 0): WireError {
  const error = toError(thrown)
  const isTroupe = error instanceof TroupeError
  const { cause } = error
  return {
    name: textIn(error, 'name') ?? 'Error',
    message: error.message,
    stack: textIn(error, 'stack'),
    code: textIn(error, 'code'),
    details: isTroupe ? error.details : undefined,
    isTroupe,
    ...(cause !== undefined && depth < deepestCause && { cause: toWire(cause, depth + 1) }),
  }
}

function textIn(error: Error, field: 'name' | 'stack' | 'code'): string | undefined {
  try {
    const value: unknown = (error as unknown as Record<string, unknown>)[field]
    return typeof value === 'string' ? value : undefined
  } catch {
    // A getter that throws.
    return undefined
  }
}

export function fromWire({ name, message, stack, code, details, isTroupe, cause: given }: WireError): Error {
  const cause = given === undefined ? undefined : fromWire(given)
  const error = isTroupe
    ? new TroupeError(code as ErrorCode, message, { cause, details: details ?? {} })
    : new Error(message, cause && { cause })
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name })
  if (!isTroupe && code !== undefined) Object.assign(error, { code })
  if (stack !== undefined) error.stack = stack
  return error
}

export interface Carrier {
  readonly post: (batch: unknown[]) => void
  /** Called with the index of each entry that cannot be copied. */
  readonly refused: (at: number, error: Error) => void
}

/** Posts a batch of entries of so many fields: whole, or entry by entry when something in it cannot be copied. */
export function postEach(batch: unknown[], fields: number, { post, refused }: Carrier): void {
  try {
    post(batch)
  } catch {
    for (let at = 0; at < batch.length; at += fields) {
      try {
        post(batch.slice(at, at + fields))
      } catch (error) {
        refused(at, toError(error))
      }
    }
  }
}
