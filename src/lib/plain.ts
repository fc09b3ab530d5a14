// Any value as plain data that JSON keeps: what cannot be kept is described.
import { clip, escapeUnstorable, textOf } from './text.ts'

export type PlainFields = Readonly<Record<string, unknown>>

// Enough to find out what happened; who has more to keep has a place for it.
const maxBytes = 16 * 1024
const maxText = 4_096
const maxShort = 200
const maxEntries = 100
const maxDepth = 5

/** What of `fields` can be kept, at most 16 KiB as JSON; undefined when that is nothing. Never throws, not even for objects whose properties do. */
export function plainFields(fields: unknown): PlainFields | undefined {
  if (fields === undefined || fields === null) return undefined
  const named = isNamed(fields) ? fields : { [fields instanceof Error ? 'error' : 'value']: fields }
  const kept = withinBytes(plainEntries(named, new Set()))
  return Object.keys(kept).length === 0 ? undefined : kept
}

function isNamed(fields: unknown): fields is object {
  return typeof fields === 'object' && !Array.isArray(fields) && !(fields instanceof Error)
}

function withinBytes(entries: readonly (readonly [string, unknown])[]): PlainFields {
  const fitting: [string, unknown][] = []
  let left = maxBytes
  for (const [name, value] of entries) {
    const entry = [name, value] as const
    const shortened = [name, clip(textOf(value), maxShort)] as const
    const chosen = [entry, shortened].find((each) => bytesOf(each) <= left)
    if (chosen === undefined) continue
    left -= bytesOf(chosen)
    fitting.push([...chosen])
  }
  const lost = entries.length - fitting.length
  return Object.fromEntries(lost === 0 ? fitting : [...fitting, ['fieldsLost', lost]])
}

function bytesOf(entry: readonly [string, unknown]): number {
  return Buffer.byteLength(JSON.stringify(entry))
}

/** `around` are the objects it is in. */
function plain(value: unknown, around: Set<object>): unknown {
  if (typeof value === 'string') return clip(escapeUnstorable(value), maxText)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return '[function]'
  if (typeof value === 'object' && value !== null) return plainObject(value, around)
  return typeof value === 'symbol' ? clip(String(value), maxShort) : value
}

function plainObject(value: object, around: Set<object>): unknown {
  // What follows may run code of whoever made the object.
  try {
    if (around.has(value)) return '[circular]'
    const kind = describe(value)
    if (kind !== undefined) return kind
    if (around.size >= maxDepth) return Array.isArray(value) ? `[${value.length} items]` : '[object]'
    around.add(value)
    const kept = Array.isArray(value)
      ? value.slice(0, maxEntries).map((item) => plain(item, around) ?? null)
      : Object.fromEntries(plainEntries(value, around))
    around.delete(value)
    return kept
  } catch {
    return '[unreadable]'
  }
}

/** What is told in a text or as other data; undefined for what is taken as it is. */
function describe(value: object): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof Error) {
    const code: unknown = 'code' in value ? value.code : undefined
    return {
      name: clip(String(value.name), maxShort),
      message: clip(escapeUnstorable(String(value.message)), maxText),
      ...(code !== undefined && { code: clip(textOf(code), maxShort) }),
    }
  }
  if (value instanceof Map || value instanceof Set) return `[${value.constructor.name} of ${value.size}]`
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return clip(escapeUnstorable(textOf(value.toJSON())), maxText)
  return undefined
}

function plainEntries(value: object, around: Set<object>): [string, unknown][] {
  const entries: [string, unknown][] = []
  for (const name of keysOf(value).slice(0, maxEntries)) {
    const kept = plain(read(value, name), around)
    if (kept !== undefined && name !== '__proto__') entries.push([clip(escapeUnstorable(name), maxShort), kept])
  }
  return entries
}

function keysOf(value: object): string[] {
  try {
    return Object.keys(value)
  } catch {
    return []
  }
}

function read(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name]
  } catch {
    return '[unreadable]'
  }
}
