// Finds the function that a worker in a thread runs, among what its module exports.
import { fileURLToPath } from 'node:url'
import { isDefinition } from '../engine/definition/definition.ts'
import { handlerMissing } from '../model/errors.ts'
import type { Place } from './thread-wire.ts'

export type Handler = (ctx: unknown, input: unknown) => unknown

/** The handler of the definition; else the function it was given, under its name; else, when it was given none, `handler`. Throws `definition_invalid`. */
export function handlerIn(module: Readonly<Record<string, unknown>>, place: Place): Handler {
  // All that a CommonJS module exports may be found under `default` only.
  const exported = { ...withoutDefault(module['default']), ...module }
  const given = place.handler === undefined ? (exported['handler'] ?? exported['default']) : exported[place.handler]
  const handler = ofDefinition(exported, place) ?? given
  if (typeof handler === 'function') return handler as Handler
  throw handlerMissing(place.name, fileURLToPath(place.module), Object.keys(exported))
}

function ofDefinition(exported: Readonly<Record<string, unknown>>, { name, version }: Place): unknown {
  const definitions = Object.values(exported).filter((value) => isDefinition(value))
  return definitions.find((one) => one.name === name && one.version === version)?.handler
}

function withoutDefault(fallback: unknown): object {
  return typeof fallback === 'object' && fallback !== null ? fallback : {}
}
