// A schema that gives its values back as they are stored.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isThenable } from '../../lib/thenable.ts'
import { inputText } from '../verbs/call.ts'

/** Checks as `schema` does, and encodes in the same breath, before anyone can change the value. Throws what `inputText` throws. */
export function encodingSchema(schema: StandardSchemaV1, maxBytes: number): StandardSchemaV1<unknown, string> {
  const standard = schema['~standard']
  const encoded = (result: StandardSchemaV1.Result<unknown>): StandardSchemaV1.Result<string> =>
    result.issues === undefined ? { value: inputText(result.value, maxBytes) } : result
  const validate = (value: unknown): ReturnType<StandardSchemaV1<unknown, string>['~standard']['validate']> => {
    const result = standard.validate(value)
    return isThenable(result) ? Promise.resolve(result).then(encoded) : encoded(result)
  }
  return { '~standard': { version: 1, vendor: standard.vendor, validate } }
}
