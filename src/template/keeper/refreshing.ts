// What a refresh of templates has found.
import type { TroupeError } from '../../lib/errors.ts'
import { TemplateError, type TemplateProblem } from '../load/problems.ts'
import type { TemplateTitle } from '../model/title.ts'

/** What is wrong with a file: the template it had before stays. */
export interface TemplateFailure {
  readonly file: string
  readonly message: string
  readonly problems: readonly TemplateProblem[]
}

export interface TemplatesRefreshed {
  readonly added: readonly TemplateTitle[]
  /** They say something else than before: their names start the new text from now on, on all nodes. */
  readonly changed: readonly TemplateTitle[]
  readonly unchanged: readonly TemplateTitle[]
  readonly failed: readonly TemplateFailure[]
}

export function fileFailure(file: string, error: TroupeError): TemplateFailure {
  return { file, message: error.message, problems: error instanceof TemplateError ? error.problems : [] }
}
