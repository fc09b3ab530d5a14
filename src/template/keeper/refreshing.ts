// What a refresh of templates has found.
import type { TroupeError } from '../../lib/errors.ts'
import { TemplateError, type TemplateProblem } from '../load/problems.ts'
import type { Template } from '../model/template.ts'
import { nameOf } from '../perform/perform.ts'

/** One template, and what of it there is. */
export interface TemplateTitle {
  /** By which its runs are started. */
  readonly name: string
  readonly version: string
  readonly hash: string
}

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

export function titleOf(template: Template): TemplateTitle {
  return { name: nameOf(template), version: template.version, hash: template.hash }
}

export function failureOf(file: string, error: TroupeError): TemplateFailure {
  return { file, message: error.message, problems: error instanceof TemplateError ? error.problems : [] }
}
