// How a value does not fit a JSON Schema, in the words of all other mistakes: what was expected, and what came.
import type { ErrorObject } from 'ajv'
import { nearestNames } from '../../lib/nearest.ts'
import { clip, counted, textOf } from '../../lib/text.ts'
import { isPlainObject, kindOf } from '../expression/values.ts'

/** One thing that does not fit. */
export interface Misfit {
  /** The keys that lead to the value that was looked at. */
  readonly path: readonly string[]
  /** The same, and the key that is missing or one too many. */
  readonly place: readonly string[]
  /** `expected …, not …`, or what else is wrong with it: `it is missing`. Without a full stop. */
  readonly message: string
  readonly keyword: string
  /** It is one of several ways to fit. */
  readonly isOfChoice: boolean
}

/** What a checker of schemas tells, with the value in question. */
export type Fault = ErrorObject<string, Readonly<Record<string, unknown>>>

/** How the types of JSON Schema are called. */
export const typeWords: Readonly<Record<string, string>> = {
  string: kindOf(''),
  number: kindOf(0),
  integer: 'a whole number',
  boolean: kindOf(true),
  array: kindOf([]),
  object: kindOf({}),
}

// More than a person reads.
const mostValues = 12
const mostParts = 3
const longestValue = 60

const choices = /\/(?:anyOf|oneOf|not|if|then|else)(?:\/|$)/
const referred = /^#\/(?:\$defs|definitions)\//

/** In the order of the checker. Of several ways to fit, which are told one by one before the choice, only that is left. */
export function misfitsOf(faults: readonly Fault[]): readonly Misfit[] {
  const misfits = new Map<string, Misfit>()
  for (let at = faults.length - 1; at >= 0; at -= 1) {
    const fault = faults[at] as Fault
    const parts = partsOf(fault, faults.slice(Math.max(0, at - mostLooked), at))
    at -= parts.length
    // Its `then` or `else` has told what is wrong.
    if (fault.keyword === 'if') continue
    const misfit = misfitOf(fault, parts)
    misfits.set(`${misfit.place.join('/')}: ${misfit.message}`, misfit)
  }
  return [...misfits.values()].reverse()
}

/** A sentence with its place, if that is not the whole. */
export function faultText({ place, message }: Pick<Misfit, 'place' | 'message'>): string {
  if (place.length === 0) return message
  const where = `'${place.join('.')}'`
  return message.startsWith('it ') ? `${where} ${message.slice('it '.length)}` : `${where}: ${message}`
}

const mostLooked = 100

/** What was told of the several ways to fit, where there are such: it stands right before. */
function partsOf({ keyword, instancePath, schemaPath }: Fault, before: readonly Fault[]): readonly Fault[] {
  if (keyword !== 'anyOf' && keyword !== 'oneOf') return []
  const isPart = (each: Fault): boolean =>
    each.instancePath.startsWith(instancePath) &&
    (each.schemaPath.startsWith(`${schemaPath}/`) || referred.test(each.schemaPath))
  return before.slice(before.findLastIndex((each) => !isPart(each)) + 1)
}

function misfitOf(fault: Fault, parts: readonly Fault[]): Misfit {
  const { instancePath, keyword, schemaPath } = fault
  const path = keysOf(instancePath)
  const key = strayKey(fault)
  return {
    path,
    place: key === undefined ? path : [...path, key],
    message: messageOf(fault, parts),
    keyword,
    isOfChoice: choices.test(schemaPath),
  }
}

function keysOf(pointer: string): string[] {
  const keys = pointer.split('/').slice(1)
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The key that is missing, or one too many. */
function strayKey({ params }: Fault): string | undefined {
  const key = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty']
  return typeof key === 'string' ? key : undefined
}

function messageOf(fault: Fault, parts: readonly Fault[]): string {
  const expected = expectedBy(fault) ?? expectedOf(fault, parts)
  return expected === undefined ? wrongBy(fault, parts) : `expected ${expected}, not ${received(fault)}`
}

/** Undefined for keywords that expect nothing in particular. */
function expectedBy({ keyword, params, data }: Fault): string | undefined {
  const { limit } = params
  switch (keyword) {
    case 'type':
      return [params['type']]
        .flat()
        .map((type) => typeWords[String(type)] ?? String(type))
        .join(' or ')
    case 'enum':
      return `one of ${listed(params['allowedValues'] as readonly unknown[], data)}`
    case 'const':
      return printed(params['allowedValue'])
    case 'minimum':
      return `${String(limit)} or more`
    case 'maximum':
      return `${String(limit)} or less`
    case 'exclusiveMinimum':
      return `more than ${String(limit)}`
    case 'exclusiveMaximum':
      return `less than ${String(limit)}`
    case 'multipleOf':
      return `a multiple of ${String(params['multipleOf'])}`
    case 'pattern':
      return `a text that matches ${clip(String(params['pattern']), longestValue)}`
    case 'format':
      return `a text of the format ${String(params['format'])}`
    default:
      return countOf(keyword, Number(limit))
  }
}

const counts: Readonly<Record<string, string>> = {
  Length: 'character',
  Items: 'item',
  Properties: 'key',
}

/** How many are allowed at least or at most. */
function countOf(keyword: string, limit: number): string | undefined {
  const [, bound, what = ''] = /^(min|max)(Length|Items|Properties)$/.exec(keyword) ?? []
  const noun = counts[what]
  return noun && `at ${bound === 'min' ? 'least' : 'most'} ${counted(limit, noun)}`
}

/** What all ways to fit expect, where they are of the value itself. */
function expectedOf({ instancePath }: Fault, parts: readonly Fault[]): string | undefined {
  const all = parts.map((part) => (part.instancePath === instancePath ? expectedBy(part) : undefined))
  const known = all.filter((each) => each !== undefined)
  return known.length > 0 && known.length === all.length ? [...new Set(known)].join(' or ') : undefined
}

function wrongBy(
  { keyword, params, parentSchema, message = 'it does not fit', ...fault }: Fault,
  parts: readonly Fault[],
): string {
  switch (keyword) {
    case 'required':
    case 'dependentRequired':
    case 'dependencies':
      return 'it is missing'
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownKey(strayKey({ keyword, params, ...fault }), parentSchema)
    case 'uniqueItems':
      return `it has the same at ${sameAt(params)}`
    case 'not':
      return 'it is what it may not be'
    case 'false schema':
      return 'it may not be here'
    case 'anyOf':
    case 'oneOf':
      return parts.length === 0 ? 'it fits several of the forms of which it may have one' : noForm(parts)
    default:
      return message
  }
}

/** By their numbers, as in paths. */
function sameAt({ i, j }: Fault['params']): string {
  return [Number(i), Number(j)].sort((one, other) => one - other).join(' and ')
}

function unknownKey(key = '', parentSchema: Fault['parentSchema']): string {
  const properties: unknown = parentSchema?.['properties']
  const near = nearestNames(clip(key, longestValue), isPlainObject(properties) ? Object.keys(properties) : [])
  const meant = near.map((each) => `'${each}'`).join(' or ')
  return `it is not known here${meant === '' ? '' : `, but ${meant} is`}`
}

function noForm(parts: readonly Fault[]): string {
  const told = parts.slice(0, mostParts).map((part) => faultText(misfitOf(part, [])))
  const more = parts.length > told.length ? '; …' : ''
  return `it has none of the forms that it may have (${told.join('; ')}${more})`
}

/** Texts as they are, the nearest first. */
function listed(values: readonly unknown[], data: unknown): string {
  const areTexts = values.every((each) => typeof each === 'string')
  const texts = values.map((each) => (areTexts ? String(each) : printed(each)))
  const near = areTexts && typeof data === 'string' ? nearestNames(clip(data, longestValue), texts) : []
  const all = [...new Set([...near, ...texts])]
  const more = all.length - mostValues
  return `${all.slice(0, mostValues).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** How many came where it is about that. */
function received({ keyword, data }: Fault): string {
  if (keyword.endsWith('Items') && Array.isArray(data)) return counted(data.length, 'item')
  if (keyword.endsWith('Properties') && isPlainObject(data)) return counted(Object.keys(data).length, 'key')
  return typeof data === 'object' ? kindOf(data) : printed(data)
}

function printed(value: unknown): string {
  return clip(typeof value === 'string' ? JSON.stringify(value) : textOf(value), longestValue)
}
