// What templates need that others do: the handlers of their steps, and an end.
import type { HandlerNeed } from '../../store/templates.ts'
import { missingText, type TemplateHandlers } from '../load/check-handlers.ts'
import { headOf, TemplateError, type TemplateProblem } from '../load/problems.ts'
import { handlerName, type Template, type TemplateStep } from '../model/template.ts'
import { nameOf } from '../model/title.ts'
import { ringOf, ringText, type FindTemplate } from '../plan/rings.ts'

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

/** Throws `template_invalid` where each run would start another, on a way by those that are found. */
export function requireEnd(template: Template, find: FindTemplate): void {
  const ring = ringOf(template, find)
  if (ring === undefined) return
  const problem = problemAt(ring.step, ringText(ring))
  const head = `Template '${nameOf(template)}' cannot be performed: no run of it would come to an end.`
  throw new TemplateError([head, headOf(problem)].join('\n\n'), [problem])
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
  return problemAt(step, missingText(step.name, need, known))
}

function problemAt({ work }: TemplateStep, message: string): TemplateProblem {
  const place = work.kind === 'worker' ? work.place : undefined
  return { file: 'template', line: 1, column: 1, ...place, message, severity: 'error' }
}
