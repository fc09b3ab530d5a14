// Values of runs as people read them, and as JSON.
import { inspect } from 'node:util'
import { toErrorRecord } from '../lib/error-record.ts'
import type { Io } from './io.ts'
import { oneLine, printable } from './paint.ts'

/** JSON for programs. What JSON lacks is told as near as it goes: bigints as text, maps as pairs, sets as lists, errors as records. */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value ?? null, replacer, indent) ?? 'null'
}

/** Over several lines where a person reads it. */
export function printJson(value: unknown, { stdout }: Io): void {
  stdout.write(`${toJson(value, stdout.isTerminal ? 2 : 0)}\n`)
}

/** A value over as many lines as it takes, nothing left out. */
export function prettyValue(value: unknown, look: { readonly columns: number; readonly colors: boolean }): string {
  if (typeof value === 'string') return printable(value)
  return inspect(value, {
    colors: look.colors,
    depth: null,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Math.max(20, Math.min(look.columns, 100)),
    sorted: false,
  })
}

/** A value on one line; what is deep in it is left out. */
export function shortValue(value: unknown): string {
  if (typeof value === 'string') return oneLine(value)
  return oneLine(
    inspect(value, { depth: 2, maxArrayLength: 20, maxStringLength: 200, breakLength: Infinity, compact: true }),
  )
}

/** A message in one line of plain text. */
export function messageText(message: unknown): string {
  return typeof message === 'string' ? oneLine(message) : toJson(message)
}

function replacer(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Map || value instanceof Set) return [...value]
  if (value instanceof Error) return toErrorRecord(value)
  return value
}
