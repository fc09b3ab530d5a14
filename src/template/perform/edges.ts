// The graph of a template as a run goes through it: what each step needs, what needs it, and which step stands in for which.
import type { Template } from '../model/template.ts'
import { planOf } from '../plan/plan.ts'

/** Steps by their place in the template. */
export interface Edges {
  readonly places: ReadonlyMap<string, number>
  readonly needs: readonly (readonly number[])[]
  readonly dependents: readonly (readonly number[])[]
  /** The step that is done when this one fails. */
  readonly fallbacks: ReadonlyMap<number, number>
  /** Those that are done only when another one fails. */
  readonly standbys: ReadonlySet<number>
}

export function edgesOf({ steps }: Pick<Template, 'steps'>): Edges {
  const places = new Map(steps.map(({ name }, place) => [name, place]))
  // Nobody needs a step that stands in: it is begun by the failure of another.
  const { before: needs, after: dependents } = planOf(steps.map(({ name, needs }) => ({ name, needs })))
  const fallbacks = new Map(
    steps.flatMap(({ onError }, place) =>
      typeof onError === 'object' ? [[place, places.get(onError.fallback) as number] as const] : [],
    ),
  )
  return { places, needs, dependents, fallbacks, standbys: new Set(fallbacks.values()) }
}

/** All that come after a step, near or far. */
export function descendantsOf({ dependents }: Edges, place: number): ReadonlySet<number> {
  const found = new Set<number>()
  const waiting = [...(dependents[place] ?? [])]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue
    found.add(next)
    waiting.push(...(dependents[next] ?? []))
  }
  return found
}
