// What templates need that others do: the handlers of their steps.
import type { HandlerNeed } from '../../store/templates.ts'
import { missingText, type TemplateHandlers } from '../load/check-handlers.ts'
import { headOf, TemplateError, type TemplateProblem } from '../load/problems.ts'
import { handlerName, type Template, type TemplateStep } from '../model/template.ts'
import { nameOf } from '../model/title.ts'

interface StepNeed {
  readonly step: TemplateStep
  readonly need: HandlerNeed
}

/** What does the work of its steps and undoes them, each once. */
export function needsOf({ steps }: Pick<Template, 'steps'>): readonly HandlerNeed[] {
  const all = steps.flatMap(needsOfStep).map(({ need }) => [handlerName(need), need] as const)
  return [...new Map(all).values()]
}

/** Throws `template_invalid` with all that nobody has. */
export function requireHandlers(template: Template, handlers: TemplateHandlers): void {
  const missing = template.steps.flatMap(needsOfStep).filter(({ need }) => !Object.hasOwn(handlers, handlerName(need)))
  if (missing.length === 0) return
  const problems = missing.map((each) => problemOf(each, Object.keys(handlers)))
  const count = problems.length === 1 ? 'one handler' : `${problems.length} handlers`
  const head = `Template '${nameOf(template)}' cannot be performed: it uses ${count} that nobody has.`
  throw new TemplateError([head, ...problems.map(headOf)].join('\n\n'), problems)
}

function needsOfStep(step: TemplateStep): readonly StepNeed[] {
  const { work, undo } = step
  const own = work.kind === 'worker' ? [{ step, need: needOf(work) }] : []
  return undo === undefined ? own : [...own, { step, need: { uses: undo.uses } }]
}

function needOf({ uses, method, resolver }: HandlerNeed): HandlerNeed {
  return { uses, ...(method !== undefined && { method }), ...(resolver !== undefined && { resolver }) }
}

function problemOf({ step, need }: StepNeed, known: readonly string[]): TemplateProblem {
  const place = step.work.kind === 'worker' ? step.work.place : undefined
  const message = missingText(step.name, need, known)
  return { file: 'template', line: 1, column: 1, ...place, message, severity: 'error' }
}
