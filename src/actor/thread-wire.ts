// What crosses between a thread actor and the one that stands for it: messages and answers in flat arrays, and now and then a notice.

import { TroupeError, toError } from '../lib/errors.ts'
import type { ErrorCode, ErrorDetails } from '../lib/errors.ts'

/** Number, whether it is an ask, name and payload of each message, one after the other. */
export type Messages = unknown[]
export const fieldsOfMessage = 4

/** Number, whether it went well, and the reply or the error, one after the other. */
export type Answers = unknown[]
export const fieldsOfAnswer = 3

export type ToThread = Messages | 'stop'

export type FromThread =
  | Answers
  | { readonly type: 'ready' }
  /** It did not start or has failed; or it has stopped, when `error` is absent. */
  | { readonly type: 'ended'; readonly error?: WireError }
  | { readonly type: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface WorkerData {
  readonly module: string
  readonly className: string
  readonly args: readonly unknown[]
}

/** An error as it crosses; a copy of the object itself would lose its name and its code. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: unknown
  readonly details: ErrorDetails | undefined
  readonly isTroupe: boolean
}

export function toWire(thrown: unknown): WireError {
  const error = toError(thrown)
  const { name, message, stack, code, details } = error as Error & { code?: unknown; details?: ErrorDetails }
  const isTroupe = error instanceof TroupeError
  return {
    name,
    message,
    stack,
    code: typeof code === 'string' ? code : undefined,
    details: isTroupe ? details : undefined,
    isTroupe,
  }
}

export function fromWire({ name, message, stack, code, details, isTroupe }: WireError): Error {
  const error = isTroupe ? new TroupeError(code as ErrorCode, message, { details: details ?? {} }) : new Error(message)
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
