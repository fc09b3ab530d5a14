// How the code of a run differs from what its journal holds: what is kept of that, and how people are told.
import { clip } from '../lib/text.ts'

/** What becomes of a run whose code no longer asks for what its journal holds. */
export type DivergencePolicy = 'strict' | 'warn' | 'off'

export const divergencePolicies: readonly DivergencePolicy[] = ['strict', 'warn', 'off']

/**
 * What becomes of a run when it goes on with other code. `continues`: it goes on where it is. `repeats`: so does it, and a step that was or may have been begun is
 * executed again; with a lenient policy also one that stands where the journal has another. `diverges`: its journal does not fit the code. `fails`: the code throws
 * before it comes to where the run is, or comes nowhere. `waits`: the code has its definition, and not in this version.
 */
export type RunVerdict = 'continues' | 'repeats' | 'diverges' | 'fails' | 'waits'

/** Something that a journal holds, or that code asks for. */
export interface JournalPlace {
  readonly path: string
  readonly kind: string
}

/** The first difference between the two. */
export interface Difference {
  /** The last thing that both have; undefined when there is none. */
  readonly after?: JournalPlace | undefined
  /** What the journal holds and the code did not ask for. */
  readonly holds: JournalPlace
  /** How much more there is of it. */
  readonly more: number
  /** What the code asked for in its place; the first three. */
  readonly asked: readonly JournalPlace[]
  /** How the code ended instead, where it did. */
  readonly end?: string | undefined
  /** Why what is stored of the run cannot be read, where that is all there is to tell. */
  readonly unread?: string | undefined
}

/** What is kept with a run that was set aside. */
export interface Divergence extends Difference {
  /** When it was first found, in milliseconds since 1970. */
  readonly since: number
}

const mostAsked = 3
const longestEnd = 300

/** Of what was found: no more than people read. */
export function differenceOf(
  found: Omit<Difference, 'more' | 'holds'> & { readonly left: readonly JournalPlace[] },
): Difference {
  const { left, asked, end, after } = found
  const [holds = { path: '', kind: 'step' }] = left
  return {
    ...(after !== undefined && { after: bare(after) }),
    holds: bare(holds),
    more: Math.max(0, left.length - 1),
    asked: asked.slice(0, mostAsked).map(bare),
    ...(end !== undefined && { end: clip(end, longestEnd) }),
  }
}

/** A step that waited before limiters, and its turn there as it is kept with a wait. */
export interface KeptTurn {
  readonly path: string
  readonly turn: string
}

/** As it is kept with a run, beside the turns that the run has when it goes on. */
export function divergenceText(divergence: Divergence, turns: readonly KeptTurn[]): string {
  return JSON.stringify(turns.length === 0 ? divergence : { ...divergence, turns })
}

/** What was kept; undefined for what is no such thing. */
export function divergenceFrom(text: string | null): Divergence | undefined {
  const kept = keptFrom(text)
  if (kept !== undefined) delete kept.turns
  return kept
}

export function turnsFrom(text: string | null): readonly KeptTurn[] {
  return keptFrom(text)?.turns ?? []
}

function keptFrom(text: string | null): (Divergence & { turns?: readonly KeptTurn[] }) | undefined {
  if (text === null) return undefined
  try {
    return JSON.parse(text) as Divergence
  } catch {
    return undefined
  }
}

/** One line. */
export function differenceText({ holds, asked, end, unread }: Difference): string {
  if (unread !== undefined) return unread
  const what = placeText(holds)
  const [first] = asked
  if (first?.path === holds.path) return `${what} of the journal is a ${first.kind} in the code`
  if (end !== undefined) return `the journal holds ${what}, but the code ${end}`
  if (first === undefined) return `the journal holds ${what}, which the code does not ask for`
  return `the journal holds ${what} where the code asks for ${placeText(first)}`
}

/** The lines of a diff: what both have, what only the journal has, what only the code has. */
export function differenceLines({ after, holds, more, asked, end, unread }: Difference): string[] {
  if (unread !== undefined) return [unread]
  const others = more === 0 ? '' : ` and ${more} more`
  return [
    ...(after === undefined ? [] : [`  ${placeText(after)}`]),
    `- ${placeText(holds)}${others}: in the journal, not asked for by the code`,
    ...asked.map((place) => `+ ${placeText(place)}: asked for by the code`),
    ...(end === undefined ? [] : [`+ the code ${end}`]),
  ]
}

/** What people can do about it. */
export function divergenceRemedy(difference: Difference): string {
  return isTakenForOne(difference) ? `${remedy} ${remedyForSlow}` : remedy
}

/** It was found by waiting, so code that is slow looks the same. */
export function isTakenForOne({ holds, asked, end, unread }: Difference): boolean {
  return end === undefined && unread === undefined && asked[0]?.path !== holds.path
}

const remedy =
  'Put what is new behind ctx.patch(id), so that runs under way keep the old way; or give the new code another version and keep the old one beside it; or let the new version take such runs over with { upcast }. The run goes on by itself once a process starts whose code fits.'

/** Of code that did not change. */
export const remedyForSlow =
  "If the code is as it was and only did work of its own for two seconds between two steps, as a fetch, put that into a step; until then { divergence: 'warn' } lets such runs go on."

function placeText({ path, kind }: JournalPlace): string {
  if (path === '') return `the ${kind}`
  const last = path.slice(path.lastIndexOf('/') + 1)
  return last.startsWith(kind) ? `'${path}'` : `${kind} '${path}'`
}

function bare({ path, kind }: JournalPlace): JournalPlace {
  return { path, kind }
}
