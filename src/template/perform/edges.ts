// The graph of a template by numbers: what each step needs, and what needs it.
import type { Template } from '../model/template.ts'

export interface Edges {
  /** The number of a step. */
  readonly places: ReadonlyMap<string, number>
  readonly needs: readonly (readonly number[])[]
  readonly dependents: readonly (readonly number[])[]
  /** The step that is done when this one fails, by the number of this one. */
  readonly fallbacks: ReadonlyMap<number, number>
  /** Of steps that are done only when another one fails. */
  readonly standbys: ReadonlySet<number>
}

export function edgesOf({ steps }: Pick<Template, 'steps'>): Edges {
  const places = new Map(steps.map(({ name }, place) => [name, place]))
  const placeOf = (name: string): number => places.get(name) as number
  const needs = steps.map((step) => [...new Set(step.needs)].map(placeOf))
  const dependents = steps.map((): number[] => [])
  for (const [place, needed] of needs.entries()) for (const each of needed) dependents[each]?.push(place)
  const fallbacks = new Map(
    steps.flatMap(({ onError }, place) =>
      typeof onError === 'object' ? [[place, placeOf(onError.fallback)] as const] : [],
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
