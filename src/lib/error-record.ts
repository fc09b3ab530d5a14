// An error as plain data that can be stored and sent, and an error made from that data again.

import { type ErrorCode, type ErrorDetails, errorCodes, thrownText, TroupeError } from './errors.ts'
import { clip, textOf } from './text.ts'

/** At most 16 KiB as JSON. */
export interface ErrorRecord {
  readonly name: string
  readonly code?: string
  readonly message: string
  readonly stack?: string
  readonly cause?: ErrorRecord
  /** What an `AggregateError` holds. */
  readonly errors?: readonly ErrorRecord[]
  readonly retryable?: boolean
  readonly details?: ErrorDetails
}

/** What an error is rebuilt from; unlike in a record, `cause`, `errors` and `details` are already live values. */
export interface ErrorParts {
  readonly name: string
  readonly message: string
  readonly code?: unknown
  readonly stack?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
  readonly retryable?: unknown
  readonly details?: unknown
}

const maxBytes = 16 * 1024
const maxRecords = 32

/**
 * Describes whatever was thrown as data that JSON keeps.
 *
 * What is too long is cut: stacks first, then messages, then details and causes. Never throws,
 * not even for objects whose properties do.
 */
export function toErrorRecord(error: unknown): ErrorRecord {
  for (const limits of shrinking) {
    const record = describe(error, limits, { depth: 0, left: maxRecords, seen: new Set() })
    if (Buffer.byteLength(JSON.stringify(record)) <= maxBytes) return record
  }
  return { name: 'Error', message: 'The error is too large to be described' }
}

/**
 * Makes an error from its record: the built-in class of that name, or a `TroupeError` for one of its codes.
 *
 * `revive` is asked first, for the record and for each of its causes, and may return an error of a class of its own.
 */
export function fromErrorRecord(record: ErrorRecord, revive?: (record: ErrorRecord) => Error | undefined): Error {
  const { cause, errors: inner, ...parts } = record
  const errors = inner?.map((one) => fromErrorRecord(one, revive))
  const revived = revive?.(record)
  if (revived !== undefined) return withErrors(revived, errors)
  return rebuildError({
    ...parts,
    ...(cause !== undefined && { cause: fromErrorRecord(cause, revive) }),
    ...(errors !== undefined && { errors }),
  })
}

/** Makes an error of the class that fits `parts`. */
export function rebuildError(parts: ErrorParts): Error {
  const error = construct(parts)
  if (error.name !== parts.name) define(error, 'name', parts.name)
  if (typeof parts.stack === 'string') define(error, 'stack', parts.stack)
  else define(error, 'stack', `${parts.name}: ${parts.message}`)
  for (const key of ['code', 'retryable', 'details'] as const) {
    if (parts[key] !== undefined && !(key in error)) Object.assign(error, { [key]: parts[key] })
  }
  return withErrors(error, parts.errors)
}

/** Also errors of other classes may have more than one reason: what failed while they were cleaned up after. */
function withErrors(error: Error, errors: unknown): Error {
  if (Array.isArray(errors) && !('errors' in error)) define(error, 'errors', errors)
  return error
}

type ErrorClass = new (message: string, options?: { cause?: unknown }) => Error

const builtins: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((builtin) => [builtin.name, builtin]),
)

function construct({ name, message, code, cause, errors, retryable, details }: ErrorParts): Error {
  const options = cause === undefined ? {} : { cause }
  if (isErrorCode(code)) {
    return new TroupeError(code, message, {
      ...options,
      ...(typeof retryable === 'boolean' && { retryable }),
      ...(typeof details === 'object' && { details: details as ErrorDetails }),
    })
  }
  if (name === 'AggregateError') return new AggregateError(Array.isArray(errors) ? errors : [], message, options)
  return new (builtins.get(name) ?? Error)(message, options)
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false })
}

function isErrorCode(code: unknown): code is ErrorCode {
  return knownCodes.has(code)
}

const knownCodes: ReadonlySet<unknown> = new Set(errorCodes)

interface Limits {
  readonly stack: number
  readonly message: number
  readonly details: number
  readonly depth: number
}

// Tried in turn until the record fits; the last one always does.
const shrinking: readonly Limits[] = [
  { stack: 8192, message: 8192, details: 64, depth: 8 },
  { stack: 2048, message: 8192, details: 64, depth: 8 },
  { stack: 512, message: 8192, details: 64, depth: 8 },
  { stack: 0, message: 8192, details: 64, depth: 8 },
  { stack: 0, message: 1024, details: 64, depth: 8 },
  { stack: 0, message: 256, details: 16, depth: 8 },
  { stack: 0, message: 64, details: 0, depth: 8 },
  { stack: 0, message: 256, details: 0, depth: 4 },
  { stack: 0, message: 256, details: 0, depth: 0 },
]

interface Walk {
  readonly depth: number
  left: number
  readonly seen: Set<unknown>
}

function describe(error: unknown, limits: Limits, walk: Walk): ErrorRecord {
  walk.left--
  walk.seen.add(error)
  const message = read(error, 'message')
  if (typeof message !== 'string') return { name: 'Error', message: clip(thrownText(error), limits.message) }
  const stack = limits.stack > 0 ? read(error, 'stack') : undefined
  const retryable = read(error, 'retryable')
  return {
    name: clip(textOr(read(error, 'name'), 'Error'), 200),
    ...optional('code', codeOf(error)),
    message: clip(message, limits.message),
    ...optional('stack', typeof stack === 'string' ? clip(stack, limits.stack) : undefined),
    ...optional('cause', causeOf(error, limits, walk)),
    ...optional('errors', innerErrors(error, limits, walk)),
    ...optional('retryable', typeof retryable === 'boolean' ? retryable : undefined),
    ...optional('details', detailsOf(error, limits)),
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: V })
}

function codeOf(error: unknown): string | undefined {
  const code = read(error, 'code')
  if (typeof code === 'number') return String(code)
  return typeof code === 'string' ? clip(code, 200) : undefined
}

function causeOf(error: unknown, limits: Limits, walk: Walk): ErrorRecord | undefined {
  const cause = read(error, 'cause')
  if (cause === undefined || cause === null || !mayDescend(cause, limits, walk)) return undefined
  return within(cause, limits, walk)
}

function innerErrors(error: unknown, limits: Limits, walk: Walk): ErrorRecord[] | undefined {
  const records: ErrorRecord[] = []
  for (const inner of itemsOf(read(error, 'errors'))) {
    if (mayDescend(inner, limits, walk)) records.push(within(inner, limits, walk))
  }
  return records.length > 0 ? records : undefined
}

function mayDescend(error: unknown, limits: Limits, walk: Walk): boolean {
  return walk.depth < limits.depth && walk.left > 0 && !walk.seen.has(error)
}

function within(error: unknown, limits: Limits, walk: Walk): ErrorRecord {
  const inner = { depth: walk.depth + 1, left: walk.left, seen: walk.seen }
  const record = describe(error, limits, inner)
  walk.left = inner.left
  return record
}

function detailsOf(error: unknown, limits: Limits): ErrorDetails | undefined {
  const details = read(error, 'details')
  if (typeof details !== 'object' || details === null || limits.details === 0) return undefined
  const kept: Record<string, string | number | boolean | null> = {}
  for (const key of keysOf(details).slice(0, limits.details)) {
    const value = plain(read(details, key))
    if (value !== undefined && key !== '__proto__') kept[clip(key, 200)] = value
  }
  return kept
}

function plain(value: unknown): string | number | boolean | null | undefined {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return value === undefined ? undefined : clip(textOf(value), 1024)
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback
}

// Everything below that is in a `try` touches the thrown value, and so may run code of its owner.

function read(target: unknown, key: string): unknown {
  try {
    return (target as Record<string, unknown> | null | undefined)?.[key]
  } catch {
    return undefined
  }
}

function keysOf(target: object): string[] {
  try {
    return Object.keys(target)
  } catch {
    return []
  }
}

function itemsOf(value: unknown): unknown[] {
  try {
    return Array.isArray(value) ? value.slice(0, maxRecords) : []
  } catch {
    return []
  }
}
