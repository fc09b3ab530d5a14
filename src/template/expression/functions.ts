// The functions of expressions. None of them takes a regular expression, calls code of the program, or knows the time.
import { types } from 'node:util'
import { Fault, longestText, type Budget } from './budget.ts'
import { inText, isEqual, isPlainObject, jsonOf, kindOf, memberOf, order } from './values.ts'

export interface ExpressionFunction {
  readonly least: number
  readonly most: number
  readonly call: (values: readonly unknown[], budget: Budget) => unknown
}

// Invariant: I15. `fromJson` gives what is walked by recursion.
const deepestJson = 100

const listed: readonly (readonly [name: string, least: number, most: number, call: ExpressionFunction['call']])[] = [
  // of texts and lists
  ['length', 1, 1, ([value]) => lengthOf(value)],
  ['contains', 2, 2, ([value, part], budget) => contains(value, part, budget)],
  ['slice', 2, 3, ([value, from, to], budget) => slice(value, { from, to }, budget)],
  ['join', 1, 2, ([list, between = ', '], budget) => join(list, between, budget)],
  ['split', 2, 2, ([value, between], budget) => split(value, between, budget)],
  // of texts
  ['startsWith', 2, 2, ([value, start]) => text(value, 'startsWith').startsWith(text(start, 'startsWith'))],
  ['endsWith', 2, 2, ([value, end]) => text(value, 'endsWith').endsWith(text(end, 'endsWith'))],
  ['lower', 1, 1, ([value], budget) => copied(text(value, 'lower'), budget).toLowerCase()],
  ['upper', 1, 1, ([value], budget) => copied(text(value, 'upper'), budget).toUpperCase()],
  ['trim', 1, 1, ([value], budget) => copied(text(value, 'trim'), budget).trim()],
  ['replace', 3, 3, ([value, part, by], budget) => replace(text(value, 'replace'), [part, by], budget)],
  // of objects and lists
  ['keys', 1, 1, ([value], budget) => entriesOf(value, 'keys', budget).map(([key]) => key)],
  ['values', 1, 1, ([value], budget) => entriesOf(value, 'values', budget).map(([, item]) => item)],
  ['pluck', 2, 2, ([list, key], budget) => items(list, 'pluck', budget).map((item) => memberOf(item, key))],
  // of numbers
  ['min', 1, Infinity, (values, budget) => extreme(values, 'min', budget)],
  ['max', 1, Infinity, (values, budget) => extreme(values, 'max', budget)],
  ['sum', 1, Infinity, (values, budget) => sum(values, budget)],
  ['round', 1, 2, ([value, digits = 0]) => round(number(value, 'round'), whole(digits, 'round'))],
  ['floor', 1, 1, ([value]) => Math.floor(number(value, 'floor'))],
  ['ceil', 1, 1, ([value]) => Math.ceil(number(value, 'ceil'))],
  ['abs', 1, 1, ([value]) => Math.abs(number(value, 'abs'))],
  ['range', 1, 2, ([from, to], budget) => range(from, to, budget)],
  // from one kind to another
  ['default', 2, Infinity, (values) => values.find((value) => value !== null && value !== undefined) ?? null],
  ['number', 1, 1, ([value]) => toNumber(value)],
  ['string', 1, 1, ([value], budget) => inText(value, budget)],
  ['json', 1, 1, ([value], budget) => jsonOf(value, budget)],
  ['fromJson', 1, 1, ([value], budget) => fromJson(text(value, 'fromJson'), budget)],
]

export const functions: ReadonlyMap<string, ExpressionFunction> = new Map(
  listed.map(([name, least, most, call]) => [name, { least, most, call }]),
)

export const functionNames: readonly string[] = [...functions.keys()]

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  if (types.isMap(value) || types.isSet(value)) return value.size
  if (isPlainObject(value)) return Object.keys(value).length
  if (value === null || value === undefined) return 0
  throw new Fault(`'length' takes a text, a list or an object, and is given ${kindOf(value)}.`)
}

/** A part of a text, an item of a list, a key of an object; nothing is in null. */
export function contains(value: unknown, part: unknown, budget: Budget): boolean {
  if (value === null || value === undefined) return false
  if (typeof value === 'string') {
    budget.spendText(value.length)
    return value.includes(text(part, 'contains'))
  }
  if (types.isMap(value) || types.isSet(value)) return value.has(part)
  if (Array.isArray(value)) return value.some((item) => isEqual(item, part, budget))
  if (isPlainObject(value)) return Object.hasOwn(value, text(part, 'contains'))
  throw new Fault(`${kindOf(value)} contains nothing: a text, a list or an object does.`)
}

function slice(value: unknown, { from, to }: { from: unknown; to: unknown }, budget: Budget): unknown {
  const [start, end] = [whole(from, 'slice'), to === null || to === undefined ? undefined : whole(to, 'slice')]
  if (typeof value === 'string') return copied(value, budget).slice(start, end)
  return items(value, 'slice', budget).slice(start, end)
}

function join(list: unknown, between: unknown, budget: Budget): string {
  const separator = text(between, 'join')
  let length = 0
  const texts = items(list, 'join', budget).map((part) => {
    const made = inText(part, budget)
    length += made.length + separator.length
    // Before it is made: the same long part may stand in a list many times.
    if (length > longestText) budget.spendText(length)
    return made
  })
  budget.spendText(length)
  return texts.join(separator)
}

function split(value: unknown, between: unknown, budget: Budget): readonly string[] {
  const [whole, separator] = [text(value, 'split'), text(between, 'split')]
  budget.spendText(whole.length)
  if (separator === '') budget.spendList(whole.length)
  const parts = whole.split(separator)
  budget.spendList(parts.length)
  return parts
}

function replace(value: string, [part, by]: readonly unknown[], budget: Budget): string {
  const [found, instead] = [text(part, 'replace'), text(by, 'replace')]
  if (found === '') throw new Fault("'replace' is given an empty text to look for.")
  budget.spendText(value.length)
  const parts = value.split(found)
  budget.spendText(value.length + (parts.length - 1) * (instead.length - found.length))
  return parts.join(instead)
}

function entriesOf(value: unknown, of: string, budget: Budget): readonly (readonly [unknown, unknown])[] {
  if (value === null || value === undefined) return []
  if (!isPlainObject(value) && !types.isMap(value) && !Array.isArray(value))
    throw new Fault(`'${of}' takes an object, and is given ${kindOf(value)}.`)
  budget.spendList(lengthOf(value))
  if (types.isMap(value)) return [...value.entries()]
  if (Array.isArray(value)) return value.map((item, index) => [index, item])
  return Object.keys(value)
    .filter((key) => key !== '__proto__')
    .map((key) => [key, memberOf(value, key)])
}

/** One list, or the values themselves. */
function numbersOf(values: readonly unknown[], of: string, budget: Budget): readonly unknown[] {
  const given = values.length === 1 ? values[0] : values
  return items(given, of, budget)
}

function extreme(values: readonly unknown[], of: 'min' | 'max', budget: Budget): unknown {
  const given = values.length === 1 && !Array.isArray(values[0]) ? values : numbersOf(values, of, budget)
  if (given.length === 0) return null
  return given.reduce((best, value) => (order(value, best) < 0 === (of === 'min') ? value : best))
}

function sum(values: readonly unknown[], budget: Budget): number {
  const given = values.length === 1 && typeof values[0] === 'number' ? values : numbersOf(values, 'sum', budget)
  return finite(given.reduce((total: number, value) => total + number(value, 'sum'), 0))
}

function round(value: number, digits: number): number {
  if (digits < 0 || digits > 15) throw new Fault("'round' takes 0 to 15 digits.")
  // By its decimal writing, as people do: 1.005 to two digits is 1.01.
  const scaled = Number(`${value}e${digits}`)
  return Number.isFinite(scaled) ? Number(`${Math.round(scaled)}e-${digits}`) : Number(value.toFixed(digits))
}

/** From 0, or from the first number, up to but not including the last. */
function range(first: unknown, second: unknown, budget: Budget): readonly number[] {
  const [from, to] = second === undefined ? [0, whole(first, 'range')] : [whole(first, 'range'), whole(second, 'range')]
  const length = Math.max(0, to - from)
  budget.spendList(length)
  return Array.from({ length }, (_, index) => from + index)
}

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value)
  throw new Fault(`${typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value)} is not a number.`)
}

function fromJson(value: string, budget: Budget): unknown {
  budget.spendText(value.length)
  budget.spend(Math.ceil(value.length / 8))
  if (isDeep(value)) throw new Fault(`The JSON is more than ${deepestJson} levels deep.`)
  try {
    return JSON.parse(value) as unknown
  } catch {
    throw new Fault(`${JSON.stringify(value.slice(0, 40))} is not JSON.`)
  }
}

/** Counts brackets, also those in texts: more may be refused than has to be, never less. */
function isDeep(value: string): boolean {
  let depth = 0
  for (const [bracket] of value.matchAll(/[[{}\]]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    if (depth > deepestJson) return true
  }
  return false
}

function items(value: unknown, of: string, budget: Budget): readonly unknown[] {
  if (!Array.isArray(value) && !types.isSet(value))
    throw new Fault(`'${of}' takes a list, and is given ${kindOf(value)}.`)
  const list: readonly unknown[] = Array.isArray(value) ? value : [...value]
  budget.spendList(list.length)
  return list
}

function copied(value: string, budget: Budget): string {
  budget.spendText(value.length)
  return value
}

function text(value: unknown, of: string): string {
  if (typeof value === 'string') return value
  throw new Fault(`'${of}' takes a text, and is given ${kindOf(value)}.`)
}

function number(value: unknown, of: string): number {
  if (typeof value === 'number') return value
  throw new Fault(`'${of}' takes numbers, and is given ${kindOf(value)}.`)
}

function whole(value: unknown, of: string): number {
  if (Number.isSafeInteger(value)) return value as number
  throw new Fault(`'${of}' takes whole numbers, and is given ${typeof value === 'number' ? value : kindOf(value)}.`)
}

/** Throws a `Fault` for what is too large to be a number. */
export function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw new Fault('The result is too large for a number.')
}
