// Why steps were left out, in plain words: derived from how the steps ended that they need.
import { clip } from '../../lib/text.ts'
import { isPlainObject } from '../expression/values.ts'
import type { StepFailure, Template, TemplateStep } from '../model/template.ts'
import type { Edges } from './edges.ts'
import { holds, isThereFor, type Outcome, type Settled } from './outcomes.ts'

/** A step that a run did not do, and will not do as things stand. */
export interface LeftOutStep {
  readonly step: string
  /** For people. */
  readonly reason: string
}

/** How a run has gone so far. */
export interface Course extends Settled {
  readonly outputs: Readonly<Record<string, unknown>>
  readonly errors: Readonly<Record<string, StepFailure>>
}

const mostNames = 3
const longestText = 200

/** In the order of the template. */
export function leftOutIn(template: Template, edges: Edges, course: Course): readonly LeftOutStep[] {
  const reasons = new Reasons(template, edges, course)
  return template.steps.flatMap((step, place) => {
    const outcome = course.outcomes[place]
    const isLeftOut = outcome === 'skipped' || outcome === 'absent'
    return isLeftOut ? [{ step: step.name, reason: reasons.of(place, outcome) }] : []
  })
}

class Reasons {
  readonly #steps: readonly TemplateStep[]
  readonly #edges: Edges
  readonly #course: Course
  /** The steps for which others stand in, by those. */
  readonly #primaries: ReadonlyMap<number, number>
  readonly #forms: ReadonlyMap<unknown, unknown>

  constructor({ steps, form }: Template, edges: Edges, course: Course) {
    this.#steps = steps
    this.#edges = edges
    this.#course = course
    this.#primaries = new Map([...edges.fallbacks].map(([place, standby]) => [standby, place]))
    const forms: readonly unknown[] = Array.isArray(form?.['steps']) ? form['steps'] : []
    this.#forms = new Map(forms.filter(isPlainObject).map((each) => [each['name'], each['if']]))
  }

  /** stands in for another → not there → `when` → `if` */
  of(place: number, outcome: Outcome): string {
    const primary = this.#primaries.get(place)
    if (primary !== undefined) return this.#unneeded(primary)
    const needs = this.#edges.needs[place] ?? []
    if (outcome === 'absent') return this.#absence(place, needs)
    const there = needs.filter((need) => isThereFor(need, place, this.#course))
    const { when, name } = this.#stepAt(place)
    const isMet = holds(
      when,
      there.map((need) => this.#course.outcomes[need] as Outcome),
    )
    if (isMet) return `its 'if' is not true${this.#condition(name)}`
    if (when === 'any_succeeded') return `none of the steps that it needs has succeeded: ${this.#names(there)}`
    return this.#unmet(there)
  }

  #unneeded(primary: number): string {
    const end = this.#course.outcomes[primary] === 'succeeded' ? 'did not fail' : 'was left out'
    return `it stands in for ${this.#names([primary])}, which ${end}`
  }

  #absence(place: number, needs: readonly number[]): string {
    const decision = needs.find((need) => this.#course.choices.get(need)?.has(place) === false)
    if (decision !== undefined) return this.#choice(decision)
    return this.#leftOut(needs.filter((need) => this.#course.outcomes[need] === 'absent'))
  }

  #choice(decision: number): string {
    const { name } = this.#stepAt(decision)
    const chosen = [...(this.#course.choices.get(decision) ?? [])]
    if (chosen.length > 0) return `decision '${name}' chose ${this.#names(chosen)}`
    if (this.#course.errors[name] !== undefined) return `decision '${name}' failed, and so chose nothing`
    const output = this.#course.outputs[name]
    const why = isPlainObject(output) ? output['reason'] : undefined
    return `decision '${name}' chose nothing${typeof why === 'string' ? `: ${clip(why, longestText)}` : ''}`
  }

  #unmet(there: readonly number[]): string {
    const failed = there.filter((need) => this.#course.outcomes[need] === 'failed')
    if (failed.length > 0) return `it needs ${this.#names(failed)}, which failed`
    return this.#leftOut(there.filter((need) => this.#course.outcomes[need] !== 'succeeded'))
  }

  #leftOut(needs: readonly number[]): string {
    return `it needs ${this.#names(needs)}, which ${needs.length === 1 ? 'was' : 'were'} left out`
  }

  /** Of a template in TypeScript it is a function. */
  #condition(name: string): string {
    const text = this.#forms.get(name)
    if (typeof text !== 'string' && typeof text !== 'boolean') return ''
    const bare = String(text).replace(/^\s*\$\{\{\s*([^]*?)\s*\}\}\s*$/, '$1')
    return `: ${clip(bare, longestText)}`
  }

  #names(places: readonly number[]): string {
    const names = places.slice(0, mostNames).map((place) => `'${this.#stepAt(place).name}'`)
    const more = places.length - names.length
    const all = more > 0 ? [...names, `${more} more`] : names
    return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
  }

  #stepAt(place: number): TemplateStep {
    return this.#steps[place] as TemplateStep
  }
}
