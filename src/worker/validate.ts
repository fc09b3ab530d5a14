// Checking values against Standard Schemas (standardschema.dev).
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ValidationError } from '../model/error-classes.ts'

// More than a person reads of one mistake.
const mostIssues = 5

/** The value as its schema gives it back, defaults filled in. Throws `validation_failed` naming each place that is wrong. */
export async function validate(schema: StandardSchemaV1 | undefined, value: unknown, what: string): Promise<unknown> {
  if (schema === undefined) return value
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const told = result.issues.slice(0, mostIssues).map((issue) => `${placeOf(issue)}: ${issue.message}`)
  const more = result.issues.length - told.length
  throw new ValidationError(
    `${what} does not fit its schema: ${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
    {
      details: { issues: result.issues.length },
    },
  )
}

function placeOf(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
  return path.length === 0 ? 'the value' : path.join('.')
}
