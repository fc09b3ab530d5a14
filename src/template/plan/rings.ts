// Templates that start themselves in each run, by others or at once: no run of such a one could come to an end.
import { handlerName, type Template, type TemplateStep } from '../model/template.ts'
import { nameOf } from '../model/title.ts'
import { planOf } from './plan.ts'

/** A template that steps may use, by its name. */
export type FindTemplate = (name: string) => UsingTemplate | undefined

export type UsingTemplate = Pick<Template, 'namespace' | 'name' | 'steps'>

export interface Ring {
  /** The step of the template that leads to it. */
  readonly step: TemplateStep
  /** From the template to itself. */
  readonly names: readonly string[]
}

/** The shortest way on which each run of a template starts another of it; undefined when there is none. */
export function ringOf(template: UsingTemplate, find: FindTemplate): Ring | undefined {
  const own = nameOf(template)
  const isTemplate = (name: string): boolean => name === own || find(name) !== undefined
  if (!template.steps.some((step) => isTemplate(usedBy(step) ?? ''))) return undefined
  const seen = new Set<string>()
  const ways = sureUses(template).map((step): Ring => ({ step, names: [own, usedBy(step) ?? ''] }))
  // Grows while it is gone through.
  for (const { step, names } of ways) {
    const last = names.at(-1) ?? ''
    if (last === own) return { step, names }
    const next = seen.has(last) ? undefined : find(last)
    seen.add(last)
    for (const each of next === undefined ? [] : sureUses(next))
      ways.push({ step, names: [...names, usedBy(each) ?? ''] })
  }
  return undefined
}

export function ringText({ names }: Ring): string {
  return `Each run would start another of its template, without end: ${names.join(' → ')}. Give a step on this way an 'if'.`
}

const known = new WeakMap<UsingTemplate['steps'], readonly TemplateStep[]>()

/** The steps that are done in each run and use something: whatever the input is, and whatever decisions choose. */
function sureUses({ steps }: UsingTemplate): readonly TemplateStep[] {
  const found = known.get(steps)
  if (found !== undefined) return found
  const { order, before } = planOf(steps)
  const standbys = new Set(steps.map(({ onError }) => (typeof onError === 'object' ? onError.fallback : undefined)))
  const sure = new Set<number>()
  const leadsOn = (place: number): boolean => sure.has(place) && steps[place]?.role !== 'decision'
  for (const place of order) {
    const step = steps[place] as TemplateStep
    if (isPlain(step) && !standbys.has(step.name) && (before[place] ?? []).every(leadsOn)) sure.add(place)
  }
  const using = steps.filter((step, place) => sure.has(place) && usedBy(step) !== undefined)
  known.set(steps, using)
  return using
}

function isPlain({ if: condition, forEach, role }: TemplateStep): boolean {
  return condition === undefined && forEach === undefined && role !== 'batch_worker'
}

function usedBy({ work }: TemplateStep): string | undefined {
  return work.kind === 'worker' ? handlerName(work) : undefined
}
