// Shapes of data: each checks a value, telling of all that is wrong, and gives the JSON Schema that editors check it with.
import { toMs } from '../../lib/duration.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { meantText, nearestNames } from '../../lib/nearest.ts'
import { clip, isStorable } from '../../lib/text.ts'
import type { Spot } from '../expression/placeholders.ts'
import { isPlainObject, kindOf } from '../expression/values.ts'
import type { Problems } from './problems.ts'

export type SchemaObject = Readonly<Record<string, unknown>>

export interface At {
  readonly spot: Spot
  readonly problems: Problems
}

export interface Shape {
  readonly schema: SchemaObject
  /** Whether a value is meant to be one of these, right or not. */
  readonly isMeant: (value: unknown) => boolean
  /** True when nothing is wrong; else the problems tell what. */
  readonly check: (value: unknown, at: At) => boolean
}

export interface Field {
  readonly shape: Shape
  /** For who writes one in an editor. */
  readonly description: string
  readonly isRequired?: boolean
}

/** A value of one kind that passes a test. */
export function value(expected: string, schema: SchemaObject, test: (value: unknown) => boolean): Shape {
  return {
    schema,
    isMeant: test,
    check: (received, at) => test(received) || wrong(received, expected, at),
  }
}

export const anything: Shape = value('anything', {}, () => true)
export const flag = value('true or false', { type: 'boolean' }, (received) => typeof received === 'boolean')
export const anyObject = value('an object', { type: 'object' }, isPlainObject)
export const text = value('a text', { type: 'string' }, (received) => typeof received === 'string')

// As for definitions, queues and steps.
const longestName = 255

export const name: Shape = {
  schema: { type: 'string', minLength: 1, maxLength: longestName },
  isMeant: (received) => typeof received === 'string',
  check: (received, at) => (isName(received) ? true : wrong(received, namesAre, at)),
}

/** The name of one event, not a pattern of several. */
export const eventName: Shape = {
  ...name,
  schema: { ...name.schema, pattern: '^[^*]*$' },
  check: (received, at) => (isName(received) && !received.includes('*') ? true : wrong(received, eventNamesAre, at)),
}

const namesAre = `a text of 1 to ${longestName} characters, without NUL and halves of surrogate pairs`

const eventNamesAre = `the name of one event: ${namesAre}, and without *`

export function isName(received: unknown): received is string {
  if (typeof received !== 'string' || received === '__proto__') return false
  return received.trim() !== '' && received.length <= longestName && isStorable(received)
}

export function choice(choices: readonly string[]): Shape {
  return {
    schema: { enum: choices },
    isMeant: (received) => typeof received === 'string',
    check: (received, at) => {
      if (choices.includes(received as string)) return true
      const near = typeof received === 'string' ? nearestNames(clip(received, longestName), choices) : []
      return wrong(received, `one of ${[...new Set([...near, ...choices])].join(', ')}`, at)
    },
  }
}

export function whole(least: number, most?: number): Shape {
  const schema = { type: 'integer', minimum: least, ...(most !== undefined && { maximum: most }) }
  const bounds = most === undefined ? `from ${least}` : `from ${least} to ${most}`
  const isWithin = (received: number): boolean => received >= least && received <= (most ?? Infinity)
  return {
    schema,
    isMeant: (received) => typeof received === 'number',
    check: (received, at) =>
      (Number.isSafeInteger(received) && isWithin(received as number)) ||
      wrong(received, `a whole number ${bounds}`, at),
  }
}

export const duration: Shape = {
  schema: {
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', minLength: 1 },
    ],
  },
  isMeant: (received) => typeof received === 'number' || typeof received === 'string',
  check: (received, at) => {
    if (typeof received !== 'number' && typeof received !== 'string')
      return wrong(received, "a duration, such as '30s'", at)
    try {
      toMs(received)
      return true
    } catch (error) {
      if (!isTroupeError(error)) throw error
      return told(`${spotText(at.spot)}: ${error.message}`, at)
    }
  },
}

export function listOf(item: Shape): Shape {
  return {
    schema: { type: 'array', items: item.schema },
    isMeant: Array.isArray,
    check: (received, at) => {
      if (!Array.isArray(received)) return wrong(received, 'a list', at)
      let isRight = true
      for (const [key, each] of received.entries()) {
        if (!item.check(each, { ...at, spot: { owner: received, key } })) isRight = false
      }
      return isRight || spoilt(at)
    },
  }
}

/** An object whose keys are names and whose values have one shape. */
export function recordOf(item: Shape): Shape {
  return {
    schema: { type: 'object', additionalProperties: item.schema },
    isMeant: isPlainObject,
    check: (received, at) => {
      if (!isPlainObject(received)) return wrong(received, 'an object', at)
      let isRight = true
      for (const [key, each] of Object.entries(received)) {
        if (!item.check(each, { ...at, spot: { owner: received, key } })) isRight = false
      }
      return isRight || spoilt(at)
    },
  }
}

/** The first one that is meant. */
export function oneOf(expected: string, ...shapes: readonly Shape[]): Shape {
  return {
    schema: { anyOf: shapes.map(({ schema }) => schema) },
    isMeant: (received) => shapes.some((shape) => shape.isMeant(received)),
    check: (received, at) =>
      shapes.find((shape) => shape.isMeant(received))?.check(received, at) ?? wrong(received, expected, at),
  }
}

export interface ObjectRules {
  /** Names that others use, and what they are called here. */
  readonly elsewhere?: Readonly<Record<string, string>>
  /** Keys that are not known are told as warnings, and keys without a value as if they were not there. */
  readonly isLenient?: boolean
}

export function object(fields: Readonly<Record<string, Field>>, rules: ObjectRules = {}): Shape {
  const names = Object.keys(fields)
  const required = names.filter((each) => fields[each]?.isRequired)
  const properties = Object.fromEntries(
    Object.entries(fields).map(([key, { shape, description }]) => [key, { description, ...shape.schema }]),
  )
  return {
    schema: {
      type: 'object',
      properties,
      ...(required.length > 0 && { required }),
      ...(!rules.isLenient && { additionalProperties: false }),
    },
    isMeant: isPlainObject,
    check: (received, at) => {
      if (!isPlainObject(received)) return wrong(received, `an object with ${shown(names)}`, at)
      let isRight = true
      for (const key of Object.keys(received)) {
        if (!isRightKey(received, key, { fields, names, rules, problems: at.problems })) isRight = false
      }
      for (const key of required) {
        if (received[key] !== undefined && !(received[key] === null && rules.isLenient === true)) continue
        at.problems.error(`'${key}' is missing.`, { owner: received, key })
        at.problems.spoil({ owner: received, key })
        isRight = false
      }
      return isRight || spoilt(at)
    },
  }
}

interface Keys {
  readonly fields: Readonly<Record<string, Field>>
  readonly names: readonly string[]
  readonly rules: ObjectRules
  readonly problems: Problems
}

function isRightKey(received: Readonly<Record<string, unknown>>, key: string, keys: Keys): boolean {
  const { fields, rules, problems } = keys
  const field = Object.hasOwn(fields, key) ? fields[key] : undefined
  if (field === undefined) return isKeyTaken({ owner: received, key }, keys)
  if (received[key] === null && rules.isLenient === true) return true
  return field.shape.check(received[key], { spot: { owner: received, key }, problems })
}

/** Whether a key that is not known may stay. */
function isKeyTaken(spot: Spot, { names, rules, problems }: Keys): boolean {
  const key = String(spot.key)
  const isLenient = rules.isLenient === true
  if (problems.isFull) return isLenient
  const other = rules.elsewhere !== undefined && Object.hasOwn(rules.elsewhere, key) ? rules.elsewhere[key] : undefined
  const advice = other === undefined ? meantText(clip(key, longestName), names) : ` It is called ${other} here.`
  const message = `'${clip(key, 60)}' is not known here.${advice === '' ? ` Known are ${shown(names)}.` : advice}`
  if (isLenient) problems.warn(`${message} It has no effect.`, spot, 'key')
  else {
    problems.error(message, spot, 'key')
    problems.spoil(spot)
  }
  return isLenient
}

function shown(names: readonly string[]): string {
  return names.join(', ')
}

function wrong(received: unknown, expected: string, at: At): false {
  return told(`${spotText(at.spot)} is ${quoted(received)}: expected ${expected}.`, at)
}

/** How a place is called in what is told of it. */
function spotText({ key }: Spot): string {
  return typeof key === 'number' ? `Item ${key + 1}` : `'${key}'`
}

function told(message: string, at: At): false {
  at.problems.error(message, at.spot)
  return spoilt(at)
}

function spoilt({ spot, problems }: At): false {
  problems.spoil(spot)
  return false
}

/** Short enough to stand in a message. */
function quoted(received: unknown): string {
  if (received === null) return 'empty'
  if (typeof received === 'string') return clip(JSON.stringify(received), 60)
  return typeof received === 'object' ? kindOf(received) : String(received)
}
