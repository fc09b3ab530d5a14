// What a run is started with, as it is stored.
import { encodeInput } from '../engine/call.ts'
import type { AnyDefinition } from '../engine/definition.ts'
import { encodingSchema } from '../engine/encoded-input.ts'
import { validate } from './validate.ts'

/** The most bytes that an input or an output may take in the store. */
export const maxValueBytes = 1_048_576

/** The input as it is stored, checked and filled in by its schema. */
export function encodedInput({ name, settings }: AnyDefinition, input: unknown): string | Promise<string> {
  if (settings.input === undefined) return encodeInput(input, maxValueBytes)
  const schema = encodingSchema(settings.input, maxValueBytes)
  return validate(schema, input, `The input of '${name}'`) as Promise<string>
}
