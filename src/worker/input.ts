// What a run is started with, as it is stored.
import { inputText } from '../engine/verbs/call.ts'
import { encodingSchema } from '../engine/definition/encoded-input.ts'
import type { EncodeInput } from '../engine/verbs/starting.ts'
import { validate } from './validate.ts'

/** Makes of an input what is stored, checked and filled in by its schema, at most so many bytes of it. */
export function inputEncoder(maxBytes: number): EncodeInput {
  return ({ name, settings }, input) => {
    if (settings.input === undefined) return inputText(input, maxBytes)
    const schema = encodingSchema(settings.input, maxBytes)
    return validate(schema, input, `The input of '${name}'`) as Promise<string>
  }
}
