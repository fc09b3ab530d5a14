// What JSON Schemas and expressions tell of types before anything is evaluated.
import { pathOf } from '../expression/references.ts'
import type { Prepared } from '../expression/placeholders.ts'
import type { Syntax } from '../expression/syntax.ts'
import { isPlainObject } from '../expression/values.ts'

/** Types as JSON Schema names them; undefined where nothing is known. */
export type Types = readonly string[] | undefined

// A schema may refer to itself.
const mostReferences = 20

/** The part of a schema that is about what stands at a path; undefined where it says nothing of it. */
export function schemaAt(root: unknown, path: readonly (string | number)[]): unknown {
  let schema = followed(root, root)
  for (const key of path) schema = followed(root, partAt(schema, key))
  return schema
}

function partAt(schema: unknown, key: string | number): unknown {
  if (!isPlainObject(schema)) return undefined
  const { properties, items, prefixItems, additionalProperties } = schema
  if (typeof key === 'number')
    return (Array.isArray(prefixItems) ? (prefixItems as unknown[])[key] : undefined) ?? items
  if (isPlainObject(properties) && Object.hasOwn(properties, key)) return properties[key]
  return isPlainObject(additionalProperties) ? additionalProperties : undefined
}

function followed(root: unknown, start: unknown): unknown {
  let schema = start
  for (let count = 0; count < mostReferences && isPlainObject(schema); count += 1) {
    const { $ref: reference } = schema
    if (typeof reference !== 'string') return schema
    if (!reference.startsWith('#')) return undefined
    schema = reference
      .split('/')
      .slice(1)
      .reduce<unknown>((part, key) => (isPlainObject(part) && Object.hasOwn(part, key) ? part[key] : undefined), root)
  }
  return isPlainObject(schema) && '$ref' in schema ? undefined : schema
}

export function typesOf(schema: unknown): Types {
  if (!isPlainObject(schema)) return undefined
  const { type } = schema
  if (typeof type === 'string') return [type]
  return Array.isArray(type) ? type.map(String) : undefined
}

/** Whether a value of the one may be one of the other. */
export function mayFit(given: Types, wanted: Types): boolean {
  if (given === undefined || wanted === undefined) return true
  const isNumber = (type: string): boolean => type === 'number' || type === 'integer'
  return given.some((type) => wanted.some((other) => type === other || (isNumber(type) && isNumber(other))))
}

/** The schemas of what expressions begin with. */
export interface Known {
  readonly input: unknown
  /** Of a step's output; undefined where it is not known. */
  readonly outputOf: (step: string) => unknown
}

export function typesOfPrepared(prepared: Prepared, known: Known): Types {
  if (prepared.kind === 'text') return ['string']
  return prepared.kind === 'expression' ? typesOfSyntax(prepared.placeholder.expression.syntax, known) : undefined
}

function typesOfSyntax(syntax: Syntax, known: Known): Types {
  switch (syntax.kind) {
    case 'literal':
      return [syntax.value === null ? 'null' : typeof syntax.value]
    case 'list':
      return ['array']
    case 'object':
      return ['object']
    case 'unary':
      return [syntax.operator === '!' ? 'boolean' : 'number']
    case 'binary':
      return typesOfOperator(syntax.operator)
    default:
      return typesOfPath(syntax, known)
  }
}

function typesOfOperator(operator: string): Types {
  if (['==', '!=', '<', '<=', '>', '>=', 'in'].includes(operator)) return ['boolean']
  return ['-', '*', '/', '%'].includes(operator) ? ['number'] : undefined
}

/** What a schema says of a value, which may be missing: then it is null all the same. */
function typesOfPath(syntax: Syntax, { input, outputOf }: Known): Types {
  const [root, first, ...rest] = pathOf(syntax) ?? []
  if (root === 'input') return typesOf(schemaAt(input, first === undefined ? [] : [first, ...rest]))
  if (root !== 'steps' || typeof first !== 'string') return undefined
  return typesOf(schemaAt(outputOf(first), rest))
}
