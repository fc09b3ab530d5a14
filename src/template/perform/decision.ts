// What a decision has chosen: the steps after it that are there from then on.
import { meantText } from '../../lib/nearest.ts'
import { decisionInvalid } from '../errors.ts'
import { descendantsOf, type Edges } from './edges.ts'

// Invariant: I15. What one decision may bring, and how deep decisions may bring decisions.
const mostChosen = 50
const mostDepth = 10

export interface Decision {
  readonly name: string
  readonly place: number
  /** How many decisions had to choose for this one to be there. */
  readonly depth: number
}

/** The steps that the output of a decision names, by number. Throws `decision_invalid`, which is final. */
export function chosenBy(edges: Edges, { name, place, depth }: Decision, output: unknown): readonly number[] {
  const names = [...new Set(namesIn(name, output))]
  if (names.length > mostChosen)
    throw decisionInvalid(name, `it chose ${names.length} steps, and at most ${mostChosen} may be chosen`)
  if (names.length > 0 && depth >= mostDepth)
    throw decisionInvalid(
      name,
      `it stands below ${depth} other decisions, and at most ${mostDepth} may follow one another`,
    )
  const after = descendantsOf(edges, place)
  return names.map((chosen) => {
    const found = edges.places.get(chosen)
    if (found === undefined) throw decisionInvalid(name, unknownStep(edges, chosen, after))
    if (!after.has(found)) throw decisionInvalid(name, `it chose step '${chosen}', which does not come after it`)
    return found
  })
}

function unknownStep({ places }: Edges, chosen: string, after: ReadonlySet<number>): string {
  const names = [...places].flatMap(([name, place]) => (after.has(place) ? [name] : []))
  return `it chose step '${chosen}', which is not in the template.${meantText(chosen, names)}`
}

/** A name, a list of names, `{ branches }`, or what Tasker's handlers give. */
function namesIn(name: string, output: unknown): readonly string[] {
  const named = typeof output === 'object' && output !== null && !Array.isArray(output) ? inObject(output) : output
  if (typeof named === 'string') return [named]
  if (Array.isArray(named) && named.every((each) => typeof each === 'string')) return named
  throw decisionInvalid(
    name,
    'its output names no steps: give a name, a list of names, [] for none, or { branches: […] }',
  )
}

interface DecisionOutput {
  readonly branches?: unknown
  readonly decision_point_outcome?: { readonly type?: unknown; readonly step_names?: unknown }
}

function inObject({ branches, decision_point_outcome: outcome }: DecisionOutput): unknown {
  if (outcome === undefined) return branches
  return outcome?.type === 'no_branches' ? [] : outcome?.step_names
}
