// JSON Schemas that others wrote: whether they are any, and whether a value fits one.
import { createRequire } from 'node:module'
import type { Ajv, Options, ValidateFunction } from 'ajv'
import { toError } from '../../lib/errors.ts'
import type { JsonSchema } from '../model/template.ts'
import { misfitsOf, type Misfit } from './misfit-text.ts'
import { linearPatterns, PatternFault } from './patterns.ts'

// Loaded with the first schema.
const require = createRequire(import.meta.url)

type AjvClass = new (options: Options) => Ajv

// Keywords and formats that are not known say nothing; nothing is fetched, coerced or filled in.
const options: Options = {
  strict: false,
  allErrors: true,
  // What is told of a fault quotes what came.
  verbose: true,
  logger: false,
  addUsedSchema: false,
  validateFormats: true,
  // Measured: its schema of schemas takes as long to compile as all else of a small one; it is asked where somebody's schema is looked at, not where a value is.
  validateSchema: false,
  code: { regExp: linearPatterns },
}

let newer: Ajv | undefined
let older: Ajv | undefined

/** A schema of before 2019 says so. */
const ofBefore = /draft-0[3-7]/

function checkerFor(schema: JsonSchema): Ajv {
  const version = typeof schema === 'object' ? schema['$schema'] : undefined
  if (typeof version === 'string' && ofBefore.test(version)) return (older ??= checker('ajv'))
  return (newer ??= checker('ajv/dist/2020.js'))
}

function checker(path: string): Ajv {
  const { default: Class } = require(path) as { default: AjvClass }
  const { default: addFormats } = require('ajv-formats') as { default: (ajv: Ajv) => Ajv }
  return addFormats(new Class(options))
}

const compiled = new WeakMap<object, ValidateFunction | Error>()

function compile(schema: JsonSchema): ValidateFunction | Error {
  const found = typeof schema === 'object' ? compiled.get(schema) : undefined
  if (found !== undefined) return found
  const made = compileNow(schema)
  if (typeof schema === 'object') compiled.set(schema, made)
  return made
}

function compileNow(schema: JsonSchema): ValidateFunction | Error {
  try {
    if (typeof schema === 'boolean') return checkerFor(schema).compile(schema)
    // Which version it is of has been seen; its name is nobody else's.
    const { $schema: _version, $id: _id, ...rest } = schema
    return checkerFor(schema).compile(rest)
  } catch (error) {
    return toError(error)
  }
}

/** Why a schema is none, each with its place in it; none when it is one. */
export function schemaFaults(schema: JsonSchema): readonly Misfit[] {
  const faults = schemaFormFaults(schema)
  if (faults.length > 0) return faults
  const made = compile(schema)
  return made instanceof Error ? [wholeFault(compileText(made))] : []
}

/** The same seen from its form and its patterns: what it refers to is not looked up. */
export function schemaFormFaults(schema: JsonSchema): readonly Misfit[] {
  if (typeof schema === 'boolean') return []
  const { $schema: _version, ...rest } = schema
  const ajv = checkerFor(schema)
  return ajv.validateSchema(rest) === true ? patternFaults(schema) : misfitsOf(ajv.errors ?? [])
}

/** Others are not compiled before they are needed. */
function patternFaults(schema: JsonSchema): readonly Misfit[] {
  const made = JSON.stringify(schema).includes('"pattern') ? compile(schema) : undefined
  return made instanceof PatternFault ? [wholeFault(made.message)] : []
}

/** How a value does not fit; none when it does, or when the schema is none. */
export function misfits(schema: JsonSchema, value: unknown): readonly Misfit[] {
  const validate = compile(schema)
  if (validate instanceof Error || validate(value) === true) return []
  return misfitsOf(validate.errors ?? [])
}

function wholeFault(message: string): Misfit {
  return { path: [], place: [], message, keyword: '', isOfChoice: false }
}

function compileText(error: Error): string {
  const { missingRef } = error as { readonly missingRef?: unknown }
  return typeof missingRef === 'string'
    ? `it refers to '${missingRef}', where nothing is`
    : `it cannot be used: ${error.message}`
}
