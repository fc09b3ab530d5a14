// Values as text that can be stored, and back, with their types.

import { DevalueError, parse, stringify } from 'devalue'
import { type ErrorParts, type ErrorRecord, fromErrorRecord, rebuildError } from './error-record.ts'
import { isTroupeError, TroupeError } from './errors.ts'
import { failureIn, isCoded, withoutCodec } from './coded-text.ts'

export interface EncodeOptions {
  /** The most the text may take, in bytes of UTF-8. */
  readonly maxBytes?: number
  /** What the value is, to name it in errors: `result`, `input`. */
  readonly what?: string
  /** What raises the limit, where something does. */
  readonly raise?: string
}

/**
 * Writes `value` as text that `decode` turns back into an equal value of the same types.
 *
 * The first character is the format: `j` for JSON, where that is exact; `d` for devalue, which adds dates, maps, sets,
 * bigints, undefined, errors, binary data and cycles; `u` for undefined itself. An object that is reached twice
 * comes back as two equal objects under `j` and as one under `d`.
 *
 * Throws: `value_not_storable` for functions, symbols, promises and instances of classes; `value_too_large`.
 */
export function encode(value: unknown, options: EncodeOptions = {}): string {
  const text = textOf(value, options)
  const { maxBytes } = options
  // A character of UTF-16 takes at most three bytes, so most texts need no count.
  if (maxBytes !== undefined && text.length * 3 > maxBytes) checkSize(text, maxBytes, options)
  return text
}

/**
 * Reads what `encode` wrote. Nothing of the text is ever evaluated.
 *
 * Throws: `store_corrupt` when the text is damaged or of an unknown format; `value_unreadable` when it is in the form of a codec.
 */
export function decode(text: string): unknown {
  try {
    switch (text[0]) {
      case 'j':
        return parsedJson(text.slice(1))
      case 'd':
        return parse(text.slice(1), revivers)
      case 'u':
        if (text.length === 1) return undefined
        break
      case '!':
        throw failureIn(text)
      case 'x':
        if (isCoded(text)) throw withoutCodec(text)
    }
  } catch (cause) {
    if (isTroupeError(cause, 'value_unreadable')) throw cause
    throw storeCorrupt(text, cause)
  }
  throw storeCorrupt(text)
}

/** Reads an error that was stored as the JSON of its record. Throws: `store_corrupt`. */
export function decodeError(text: string, revive?: (record: ErrorRecord) => Error | undefined): Error {
  try {
    return fromErrorRecord(checkedParts(JSON.parse(text) as ErrorRecord), revive)
  } catch (cause) {
    throw storeCorrupt(text, cause)
  }
}

function parsedJson(json: string): unknown {
  // Nobody wrote it here, and whoever copies its properties would change the prototype of the copy.
  return json.includes('"__proto__"') ? JSON.parse(json, refuseProto) : JSON.parse(json)
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new TypeError('A key is __proto__')
  return value
}

function textOf(value: unknown, options: EncodeOptions): string {
  if (value === undefined) return 'u'
  try {
    objectsLeft = maxObjects
    return isExactJson(value, maxDepth) ? `j${JSON.stringify(value)}` : `d${devalueText(value)}`
  } catch (cause) {
    throw valueNotStorable(cause, options.what ?? 'value')
  }
}

// Deep enough for any data written by hand; cycles pass it soon.
const maxDepth = 64
// Ends the walk through objects that share others so often that JSON would explode.
const maxObjects = 200_000
let objectsLeft = 0

function isExactJson(value: unknown, depthLeft: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return value === 0 ? 1 / value > 0 : value - value === 0
    case 'object':
      if (value === null) return true
      if (depthLeft === 0 || objectsLeft-- === 0) return false
      return Array.isArray(value) ? isExactArray(value, depthLeft - 1) : isExactObject(value, depthLeft - 1)
    default:
      return false
  }
}

function isExactObject(object: object, depthLeft: number): boolean {
  if (Object.getPrototypeOf(object) !== Object.prototype || 'toJSON' in object) return false
  for (const key in object) {
    if (key === '__proto__' || !isExactJson((object as Record<string, unknown>)[key], depthLeft)) return false
  }
  return Object.getOwnPropertySymbols(object).length === 0
}

function isExactArray(array: readonly unknown[], depthLeft: number): boolean {
  if (Object.getPrototypeOf(array) !== Array.prototype || 'toJSON' in array) return false
  for (const item of array) {
    if (!isExactJson(item, depthLeft)) return false
  }
  return Object.keys(array).length === array.length
}

function devalueText(value: unknown): string {
  const text = stringify(value, reducers, { operations })
  // Invariant: I17. A cycle through such an array could be written, but not read again.
  if (text.includes('["ArrayWithKeys",')) parse(text, revivers)
  checkDepth(text)
  return text
}

// Invariant: I17. A reader takes a level of its stack for each level of a value, and its stack may be smaller than the writer's.
const maxLevels = 1_000
// A level takes four characters at least.
const shallowLength = 4 * maxLevels

function checkDepth(text: string): void {
  if (text.length <= shallowLength) return
  const entries = JSON.parse(text) as unknown
  if (!Array.isArray(entries)) return
  const depths = new Uint32Array(entries.length)
  for (const [index, entry] of entries.entries()) {
    const depth = depths[index] ?? 0
    if (depth > maxLevels) throw new RangeError(`More than ${maxLevels} levels`)
    // Entries stand in the order in which they were first come to, so the last one before it that holds one is its parent.
    for (const inner of heldBy(entry)) {
      if (typeof inner === 'number' && inner > index) depths[inner] = depth + 1
    }
  }
}

/** The places in devalue's list of what an entry of it holds. */
function heldBy(entry: unknown): unknown[] {
  if (typeof entry !== 'object' || entry === null) return []
  if (!Array.isArray(entry)) return Object.values(entry)
  // An array that is mostly holes: a mark, its length, then pairs of an index and what is there.
  return entry[0] === sparse ? entry.filter((_, at) => at > 1 && at % 2 === 1) : entry
}

const sparse = -7

const reducers = {
  Error: (value: unknown) => isError(value) && partsOf(value),
  Buffer: (value: unknown) => Buffer.isBuffer(value) && [value.toString('base64')],
  ArrayWithKeys: (value: unknown) =>
    Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype && splitArray(value),
}

const revivers = {
  Error: (parts: ErrorParts) => withFields(rebuildError(checkedParts(parts)), parts),
  Buffer: ([base64]: [string]) => bytesOf(base64),
  ArrayWithKeys: ([items, extra]: [unknown[], object]) => Object.assign(items, extra),
}

/** Without these it is no error, but something else that was made of one. */
function checkedParts<Parts extends { readonly name: unknown; readonly message: unknown }>(parts: Parts): Parts {
  if (typeof parts.name !== 'string' || typeof parts.message !== 'string') throw new TypeError('No error')
  return parts
}

function withFields(error: Error, parts: object): Error {
  for (const [key, value] of Object.entries(parts)) {
    if (partKeys.has(key)) continue
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true })
  }
  return error
}

// What is no base64 would be left out of the bytes without a word.
function bytesOf(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64) throw new TypeError('No base64')
  return bytes
}

const operations = { tagOf, viewInfo }

function isError(value: unknown): value is Error {
  return typeof value === 'object' && (value instanceof Error || tagOfBuiltin(value) === 'Error')
}

const errorKeys = ['code', 'cause', 'errors', 'retryable', 'details'] as const
const partKeys: ReadonlySet<string> = new Set(['name', 'message', 'stack', ...errorKeys])

// While it is tried whether a field of an error can be stored, those of the errors in it are not asked for.
let isTrying = false

function partsOf(error: Error): ErrorParts {
  const parts: Record<string, unknown> = { name: error.name, message: error.message, stack: error.stack }
  const fields = error as unknown as Record<string, unknown>
  for (const key of errorKeys) if (fields[key] !== undefined) parts[key] = fields[key]
  if (!isTrying) for (const key of Object.keys(error)) if (isKeptField(fields, key)) parts[key] = fields[key]
  return parts as unknown as ErrorParts
}

/** What else an error has, as `status`: requests and sockets are left out, for it is no less an error without them. */
function isKeptField(fields: Record<string, unknown>, key: string): boolean {
  if (partKeys.has(key) || key === '__proto__') return false
  isTrying = true
  try {
    const field = fields[key]
    if (typeof field !== 'object' || field === null) return typeof field !== 'function' && typeof field !== 'symbol'
    return devalueText(field) !== ''
  } catch {
    return false
  } finally {
    isTrying = false
  }
}

// Arrays with further properties, such as the result of a regular expression; undefined for all others.
function splitArray(array: unknown[]): [unknown[], object] | undefined {
  const keys = Object.keys(array)
  const extra = keys.slice(keys.findLastIndex((key) => isIndex(key)) + 1)
  if (extra.length === 0) return undefined
  return [array.slice(), Object.fromEntries(extra.map((key) => [key, array[key as unknown as number]]))]
}

function isIndex(key: string): boolean {
  return String(Number(key) >>> 0) === key
}

// Devalue would store an instance of a subclass of, say, Map as a plain Map: what it cannot give back, it shall refuse.
function tagOf(value: object): string {
  const tag = tagOfBuiltin(value)
  const levels = ArrayBuffer.isView(value) && tag !== 'DataView' ? 3 : 2
  if (tag === 'Object') return tag
  return prototypes(value) > levels || hasFields(value, tag) ? 'Instance' : tag
}

const withoutFields: ReadonlySet<string> = new Set(['Map', 'Set', 'Date', 'RegExp', 'URL', 'ArrayBuffer', 'DataView'])

/** Whether it has more than it is. */
function hasFields(value: object, tag: string): boolean {
  return withoutFields.has(tag) && Object.keys(value).length > 0
}

function tagOfBuiltin(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

function prototypes(value: object): number {
  let count = 0
  for (let at: unknown = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) count++
  return count
}

// A view on part of a buffer is stored without the rest, which may be large and none of its business.
function viewInfo(view: ArrayBufferView & { length?: number }) {
  const { byteLength, byteOffset } = view
  const buffer = view.buffer.slice(byteOffset, byteOffset + byteLength)
  return { buffer, byteOffset: 0, byteLength, length: view.length ?? byteLength, bufferByteLength: byteLength }
}

function checkSize(text: string, maxBytes: number, { what = 'value', raise }: EncodeOptions): void {
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return
  const otherwise = raise === undefined ? '' : `, or raise ${raise}`
  throw new TroupeError(
    'value_too_large',
    `${what} takes ${bytes} bytes and the limit is ${maxBytes}: store it elsewhere and keep a reference to it${otherwise}.`,
    { details: { what, bytes, maxBytes } },
  )
}

function valueNotStorable(cause: unknown, what: string): TroupeError {
  const path = cause instanceof DevalueError ? `${what}${cause.path}` : what
  const [is, instead] = cause instanceof DevalueError ? unstorable(cause.value) : unstorableWhole(cause)
  return new TroupeError('value_not_storable', `${path} ${is}, which cannot be stored: ${instead}.`, {
    details: { path },
    ...(!(cause instanceof DevalueError) && { cause }),
  })
}

type Advice = readonly [is: string, instead: string]

function unstorable(value: unknown): Advice {
  if (typeof value === 'function') return ['is a function', 'leave it out, or store a name that stands for it']
  if (typeof value === 'symbol') return ['is a symbol', 'store a string instead']
  const object = value as { then?: unknown }
  if (typeof object.then === 'function') return ['is a promise', 'await it first']
  if (Object.getOwnPropertySymbols(object).length > 0) return ['has symbols for keys', 'use strings']
  if (Object.hasOwn(object, '__proto__')) return ['has a key named __proto__', 'use another name']
  const [field] = hasFields(object, tagOfBuiltin(object)) ? Object.keys(object) : []
  if (field !== undefined) return [`has the property ${field} of its own`, 'store that beside it']
  const name = (Object.getPrototypeOf(object) as { constructor?: { name?: string } } | null)?.constructor?.name
  return [`is an instance of ${name || 'a class'}`, 'store its plain fields and rebuild it after reading']
}

function unstorableWhole(cause: unknown): Advice {
  if (cause instanceof RangeError) return [`is nested more than ${maxLevels} levels deep`, 'store it as a flat list']
  return [
    'holds a property that throws when read, or a cycle through an array with named properties',
    'store plain data',
  ]
}

function storeCorrupt(text: string, cause?: unknown): TroupeError {
  const how =
    text === '' ? 'it is empty' : `its format is ${JSON.stringify(text[0])} and it has ${text.length} characters`
  return new TroupeError(
    'store_corrupt',
    `A stored value cannot be read (${how}): restore it from a backup, or delete what holds it.`,
    {
      cause,
      details: { length: text.length },
    },
  )
}
