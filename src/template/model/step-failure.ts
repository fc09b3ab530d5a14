// How a step failed, as expressions and events see it.
import type { StepFailure } from './template.ts'

export function failureOf(error: Error): StepFailure {
  const { code } = error as { readonly code?: unknown }
  return { name: error.name, message: error.message, code: typeof code === 'string' ? code : null }
}
