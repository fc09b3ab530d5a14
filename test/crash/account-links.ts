// The account of what runs have to do with one another: children of runs, and words that runs were told.
import { isDeepStrictEqual } from 'node:util'
import { decode } from '../../src/lib/codec.ts'
import type { Books, RunRow } from './books.ts'
import { groupBy, ofKind } from './ledger.ts'

// `null` as it is stored.
const nothing = 'jnull'

interface ChildInput {
  readonly parent?: string
  readonly place?: number
}

/** The run that started a run. */
export function parentOf({ input }: RunRow): string | undefined {
  return (decode(input) as ChildInput).parent
}

/** I1: each child of a run was started once, by a run that is there, and its result is what its parent returned. */
export function checkFamilies({ runs, steps }: Books): string[] {
  const families = runs.filter(({ name, state }) => name === 'family' && state === 'succeeded')
  const children = groupBy(
    runs.filter((run) => parentOf(run) !== undefined),
    (run) => parentOf(run) ?? '',
  )
  const known = new Set(runs.map(({ id }) => id))
  const orphans = [...children.keys()].filter((parent) => !known.has(parent))
  const own = groupBy(steps, ({ run }) => run)
  const wrong = families.filter(({ id, input, value }) => {
    const born = (children.get(id) ?? []).toSorted((left, right) => placeOf(left) - placeOf(right))
    const wanted = Array.from({ length: (decode(input) as { children: number }).children }, (_, place) => place)
    if (!isDeepStrictEqual(born.map(placeOf), wanted)) return true
    const valueOf = (path: string): unknown => decode(own.get(id)?.find((step) => step.path === path)?.value ?? nothing)
    const results = born.map((child) => decode(child.value ?? nothing))
    return !isDeepStrictEqual(decode(value ?? nothing), [valueOf('before'), ...results, valueOf('after')])
  })
  return [
    ...orphans.map((parent) => `I1: run ${parent} has children and is not in the store`),
    ...wrong.map(({ id }) => `I1: run ${id} started other children, or returned other results, than it should`),
  ]
}

/** I4: a run hears every word that was acknowledged, once and in order, and none that nobody told. */
export function checkTalks({ runs, entries, faults }: Books): string[] {
  const told = groupBy(ofKind(entries, 'told'), ({ run }) => run)
  const tells = groupBy(ofKind(entries, 'tells'), ({ run }) => run)
  return runs.flatMap(({ id, name, state, input, value }) => {
    if (name !== 'talk' || state !== 'succeeded') return []
    const { words, from } = decode(input) as { words: number; from: number }
    const heard = decode(value ?? nothing) as string[]
    const said = (tells.get(id) ?? []).map(({ word }) => word)
    const acknowledged = (told.get(id) ?? []).map(({ word }) => word)
    const isWhole = heard.length === words || (faults.killed.has(from) && heard.length >= acknowledged.length)
    return isWhole && isDeepStrictEqual(heard, said.slice(0, heard.length))
      ? []
      : [`I4: run ${id} heard ${heard.length} of ${words} words, ${acknowledged.length} of them acknowledged`]
  })
}

function placeOf({ input }: RunRow): number {
  return (decode(input) as ChildInput).place ?? -1
}
