// What expressions know of values. Only own properties of plain objects are seen, never what they inherit.
import { types } from 'node:util'
import { Fault, type Budget } from './budget.ts'

export type PlainObject = Readonly<Record<string, unknown>>

// Invariant: I15. Values of steps are at most 1,000 levels deep.
const deepestEqual = 1_000

export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Null where there is nothing of that name; of lists and texts there is `length`, of maps what they hold. */
export function memberOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return itemOf(value, key)
  if (typeof value === 'string') return key === 'length' ? value.length : null
  if (types.isMap(value)) return value.get(key) ?? null
  if (!isPlainObject(value)) return null
  const name = typeof key === 'number' ? String(key) : key
  if (typeof name !== 'string' || name === '__proto__') return null
  // A getter is code.
  return Object.getOwnPropertyDescriptor(value, name)?.value ?? null
}

function itemOf(list: readonly unknown[], key: unknown): unknown {
  if (key === 'length') return list.length
  return typeof key === 'number' && Object.hasOwn(list, key) ? (list[key] ?? null) : null
}

/** False for false, null, 0, NaN and the empty text; true for all else, an empty list too. */
export function isTruthy(value: unknown): boolean {
  return Boolean(value)
}

/** Deep, and nothing is converted: 1 is not '1'. */
export function isEqual(left: unknown, right: unknown, budget: Budget): boolean {
  return isSame(left, right, { budget, depth: 0 })
}

interface Comparison {
  readonly budget: Budget
  readonly depth: number
}

function isSame(left: unknown, right: unknown, { budget, depth }: Comparison): boolean {
  budget.spend(1)
  if (depth > deepestEqual) throw new Fault(`A value is more than ${deepestEqual} levels deep.`)
  if (left === right || (left ?? null) === (right ?? null)) return true
  if (typeof left !== 'object' || typeof right !== 'object') return Object.is(left, right)
  if (left === null || right === null) return false
  const below: Comparison = { budget, depth: depth + 1 }
  if (Array.isArray(left)) return Array.isArray(right) && areSameLists(left, right, below)
  if (types.isDate(left)) return types.isDate(right) && left.getTime() === right.getTime()
  return isPlainObject(left) && isPlainObject(right) && areSameObjects(left, right, below)
}

function areSameLists(left: readonly unknown[], right: readonly unknown[], comparison: Comparison): boolean {
  return left.length === right.length && left.every((item, index) => isSame(item, right[index], comparison))
}

function areSameObjects(left: PlainObject, right: PlainObject, comparison: Comparison): boolean {
  const names = Object.keys(left)
  if (names.length !== Object.keys(right).length) return false
  return names.every(
    (name) => Object.hasOwn(right, name) && isSame(memberOf(left, name), memberOf(right, name), comparison),
  )
}

/** Below, at or above 0, as for a sort. Numbers, texts and dates have an order, each among themselves. */
export function order(left: unknown, right: unknown): number {
  if (isNumber(left) && isNumber(right)) return left < right ? -1 : left > right ? 1 : 0
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0
  if (types.isDate(left) && types.isDate(right)) return left.getTime() - right.getTime()
  throw new Fault(`${capital(kindOf(left))} and ${kindOf(right)} have no order: compare two numbers or two texts.`)
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** How a value stands in a text: null as nothing, lists and objects as JSON. */
export function inText(value: unknown, budget: Budget): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? '' : value.toISOString()
  return typeof value === 'object' ? jsonOf(value, budget) : String(value)
}

/** Throws a `Fault` for what JSON cannot hold, such as a circle. */
export function jsonOf(value: unknown, budget: Budget): string {
  const text = written(value)
  budget.spendText(text.length)
  return text
}

function written(value: unknown): string {
  try {
    return JSON.stringify(value ?? null) ?? 'null'
  } catch {
    throw new Fault(`${capital(kindOf(value))} of this kind cannot be written as JSON.`)
  }
}

/** How a value is called in errors. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (types.isDate(value)) return 'a date'
  if (types.isMap(value)) return 'a map'
  const kinds: Partial<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    bigint: 'a big number',
    boolean: 'true or false',
  }
  return kinds[typeof value] ?? 'an object'
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
