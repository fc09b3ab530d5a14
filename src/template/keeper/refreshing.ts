// What a refresh of templates has found.
import type { TroupeError } from '../../lib/errors.ts'
import { requireEnd, requireHandlers } from '../handlers/needs.ts'
import type { TemplateHandlers } from '../load/check-handlers.ts'
import { TemplateError, type TemplateProblem } from '../load/problems.ts'
import type { Template } from '../model/template.ts'
import { nameOf, type TemplateTitle } from '../model/title.ts'
import type { FindTemplate } from '../plan/rings.ts'
import { loadedDefinition, type LoadedDefinition } from '../perform/loaded.ts'
import type { TemplateFile } from './folder.ts'

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

/** Throws for what a template names beside its handlers and nobody has: limiters, publishers. */
type CheckNamed = (definition: LoadedDefinition) => void

export interface RefreshRules {
  /** What steps may use beside the templates of the folder. */
  readonly known: readonly string[]
  readonly isMeant: (template: Template) => boolean
  readonly checks: readonly CheckNamed[]
  /** What names start that no template of the folder has. */
  readonly templateOf: FindTemplate
}

/** The templates of a folder that can be performed: those that use what does not load, and was not there before, fail with it. */
export function performable(
  files: readonly TemplateFile[],
  { known, isMeant, checks, templateOf }: RefreshRules,
): { readonly templates: readonly Template[]; readonly failed: readonly TemplateFailure[] } {
  const failed = files.flatMap(({ file, error }) => (error === undefined ? [] : [fileFailure(file, error)]))
  let left = files.flatMap(({ file, template }) =>
    template !== undefined && isMeant(template) ? [{ file, template }] : [],
  )
  for (let before = Infinity; left.length < before;) {
    before = left.length
    const names = [...known, ...left.map(({ template }) => nameOf(template))]
    const handlers = Object.fromEntries(names.map((name) => [name, {}]))
    const own = new Map(left.map(({ template }) => [nameOf(template), template]))
    const find: FindTemplate = (name) => own.get(name) ?? templateOf(name)
    left = left.filter(({ file, template }) => {
      const error = faultOf(template, { handlers, checks, find })
      if (error !== undefined) failed.push(fileFailure(file, error))
      return error === undefined
    })
  }
  return { templates: left.map(({ template }) => template), failed }
}

interface There {
  readonly handlers: TemplateHandlers
  readonly checks: readonly CheckNamed[]
  readonly find: FindTemplate
}

function faultOf(template: Template, { handlers, checks, find }: There): TroupeError | undefined {
  try {
    requireHandlers(template, handlers)
    requireEnd(template, find)
    const definition = loadedDefinition(template)
    for (const check of checks) check(definition)
    return undefined
  } catch (error) {
    return error as TroupeError
  }
}

function fileFailure(file: string, error: TroupeError): TemplateFailure {
  return { file, message: error.message, problems: error instanceof TemplateError ? error.problems : [] }
}
