// A template that was loaded as a definition: its version tells what it says, so that each run stays with the text it was started with.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import { encode } from '../../lib/codec.ts'
import type { LimiterRule } from '../../engine/limits/limits.ts'
import type { Bounds } from '../../model/limiter.ts'
import { optionInvalid } from '../../model/errors.ts'
import { Limiter } from '../../worker/limiter.ts'
import { hashOf } from '../load/hash.ts'
import { misfits } from '../load/json-schema.ts'
import type { JsonSchema, Template } from '../model/template.ts'
import { nameOf, versionOf } from '../model/title.ts'
import { hasTemplate, templateDefinition, type FindRule, type TemplateDefinition } from './perform.ts'

// How texts begin that are JSON of the value and nothing else.
const exactJson = 'j'

/** Was loaded, so that others can go on with its runs. */
export interface LoadedDefinition extends TemplateDefinition {
  /** Those it declares. */
  readonly limiters: readonly LimiterRule[]
}

/** `bounds`: those that count for its limiters, by name, in the place of those it says. */
export function loadedDefinition(template: Template, bounds?: ReadonlyMap<string, Bounds>): LoadedDefinition {
  const { input, identity, limiters, version, hash } = template
  const own = Object.entries(limiters).map(([name, declared]): LimiterRule => {
    const counts = bounds?.get(name)
    return counts === undefined ? new Limiter<never>(name, declared) : { name, bounds: counts, keyOf: undefined }
  })
  const key = identity === undefined ? undefined : keysOf[identity](nameOf(template))
  const rules = {
    ...(input !== undefined && { input: standardSchema(input) }),
    ...(key !== undefined && { idempotencyKey: key }),
  }
  const pinned = { ...template, version: versionOf({ version, hash }) }
  // Another text may have declared them otherwise since: what was declared last counts for the runs of all.
  const find: FindRule = (name, known) => known(name) ?? own.find((rule) => rule.name === name)
  return { ...templateDefinition(pinned, rules, find), template, limiters: own }
}

export function isLoaded(definition: AnyDefinition): definition is LoadedDefinition {
  return hasTemplate(definition) && 'limiters' in definition
}

type KeyOf = (input: never) => string

const keysOf: Readonly<Record<NonNullable<Template['identity']>, (name: string) => KeyOf | undefined>> = {
  strict: () => identityOf,
  caller_provided: (name) => () => {
    throw optionInvalid(
      `idempotencyKey of a call of '${name}'`,
      undefined,
      'a text: its template has the identity caller_provided',
    )
  },
  always_unique: () => undefined,
}

/** The same input is the same run, in whatever order its keys are; what JSON has no form for, as a Date, is told apart as it is stored. */
function identityOf(input: unknown): string {
  const text = encode(input)
  return hashOf(text.startsWith(exactJson) ? input : text)
}

/** A JSON Schema as what checks the input of runs. */
function standardSchema(schema: JsonSchema): StandardSchemaV1 {
  return {
    '~standard': {
      version: 1,
      vendor: 'json-schema',
      validate: (value) => {
        const issues = misfits(schema, value).map(({ place, message }) => ({ path: place, message }))
        return issues.length === 0 ? { value } : { issues }
      },
    },
  }
}
