// The account of what was undone, of what others finished, and of what ended with hundreds of others.
import { decode } from '../../src/lib/codec.ts'
import { undonePath } from '../../src/model/path.ts'
import type { Books, RunRow } from './books.ts'
import { parentOf } from './account-links.ts'
import { groupBy, ofKind, type Entry } from './ledger.ts'
import type { ClanInput, SagaInput } from './sagas.ts'

/** The ends that a run may have. */
export function endsOf({ runs }: Pick<Books, 'runs'>): (run: RunRow) => readonly string[] {
  const clans = new Set(runs.flatMap(({ id, name }) => (name === 'clan' ? [id] : [])))
  return (run) => {
    if (clans.has(parentOf(run) ?? '')) return ['succeeded', 'cancelled']
    if (run.name !== 'saga') return ['succeeded']
    const { ends } = decode(run.input) as SagaInput
    return ends === 'well' ? ['succeeded'] : ends === 'badly' ? ['failed'] : ['cancelled', 'succeeded']
  }
}

/** Of a run that was cut short, what was under way is on no record. */
export function wasCutShort({ entries, runs }: Pick<Books, 'entries' | 'runs'>): (run: string) => boolean {
  const cut = new Set([
    ...ofKind(entries, 'cancels').map(({ run }) => run),
    ...runs.flatMap(({ id, state, name }) => (name === 'errand' && state === 'cancelled' ? [id] : [])),
  ])
  return (run) => cut.has(run)
}

interface Undone {
  readonly path: string
  readonly uuid: string
  readonly pid: number
}

/** What stands of a run that succeeded stands; of any other, all that is on record was undone, the last first, and again only where a fault came. */
export function checkUndone(books: Books, isFaulty: (entry: { pid: number; run: string }) => boolean): string[] {
  const undone = groupBy(ofKind(books.entries, 'undone'), ({ run }) => run)
  const steps = groupBy(books.steps, ({ run }) => run)
  const onRecord = groupBy(books.undone, ({ run }) => run)
  return books.runs.flatMap((run) => {
    const { id, name, state } = run
    const done = undone.get(id) ?? []
    if (name !== 'saga' || state === 'succeeded')
      return done.length === 0 ? [] : [`${done.length} things of run ${id} were undone, which ${state}`]
    const legs = (steps.get(id) ?? []).map(({ path, value }) => ({ path, uuid: String(decode(value)) }))
    const recorded = (onRecord.get(id) ?? []).map(({ path }) => undonePath(path))
    return [
      ...legs.flatMap((leg) => (isUndone(leg, done) ? [] : [`${leg.path} of run ${id}, which ${state}, stands`])),
      ...done.flatMap((entry) => (isLeg(entry, legs) ? [] : [`${entry.path} of run ${id} was undone and never was`])),
      ...(sameSet(recorded, legs) ? [] : [`run ${id} has on record that it undid ${recorded.join(', ')}`]),
      ...disorderOf(done).map((path) => `${path} of run ${id} was undone before what came after it`),
      ...repeatedOf(done, isFaulty).map((path) => `${path} of run ${id} twice, and no fault came`),
    ]
  })
}

function isUndone(leg: { path: string; uuid: string }, done: readonly Undone[]): boolean {
  return done.some(({ path, uuid }) => undonePath(path) === leg.path && uuid === leg.uuid)
}

function isLeg({ path, uuid }: Undone, legs: readonly { path: string; uuid: string }[]): boolean {
  return legs.some((leg) => leg.path === undonePath(path) && leg.uuid === uuid)
}

function sameSet(paths: readonly string[], legs: readonly { path: string }[]): boolean {
  return (
    paths.toSorted().join() ===
    legs
      .map(({ path }) => path)
      .toSorted()
      .join()
  )
}

/** Legs are named by their number, one digit long. */
function disorderOf(done: readonly Undone[]): string[] {
  const first = [...new Set(done.map(({ path }) => path))]
  return first.filter((path, place) => first.slice(place + 1).some((later) => later > path))
}

function repeatedOf(
  done: readonly Extract<Entry, { kind: 'undone' }>[],
  isFaulty: (entry: { pid: number; run: string }) => boolean,
): string[] {
  const times = groupBy(done, ({ path }) => path)
  return [...times].flatMap(([path, entries]) => {
    const unexplained = entries.filter((entry) => !isFaulty(entry))
    return unexplained.length > 1 ? [path] : []
  })
}

/** I8: what was accepted from outside is what its step has, and of several only one was. */
export function checkAnswers({ entries, steps }: Books): string[] {
  const accepted = groupBy(
    ofKind(entries, 'answered').filter(({ answer }) => answer === 'accepted'),
    ({ run }) => run,
  )
  const stored = new Map(
    steps.flatMap(({ run, path, value }) => (path === 'ask' ? [[run, decode(value)] as const] : [])),
  )
  return [...accepted].flatMap(([run, answers]) => {
    if (answers.length > 1) return [`I8: ${answers.length} answers of run ${run} were accepted`]
    return answers[0]?.uuid === stored.get(run) ? [] : [`I8: the answer that run ${run} accepted is lost`]
  })
}

/** I11: a cancel that was acknowledged is the end of its run. */
export function checkCancelled({ entries, runs }: Books): string[] {
  const states = new Map(runs.map(({ id, state }) => [id, state]))
  return ofKind(entries, 'cancelled').flatMap(({ run, isCancelled }) =>
    isCancelled === (states.get(run) === 'cancelled')
      ? []
      : [`I11: run ${run} is ${states.get(run)}, and whoever cancelled it was told ${isCancelled}`],
  )
}

/** I1, I3: what ended before its children ended has all of them, once, and each of them has ended. */
export function checkClans({ runs }: Books): string[] {
  const born = groupBy(runs, (run) => parentOf(run) ?? '')
  return runs.flatMap(({ id, name, input }) => {
    if (name !== 'clan') return []
    const places = (born.get(id) ?? []).map((child) => (decode(child.input) as { place: number }).place)
    const { children } = decode(input) as ClanInput
    const isWhole = places.length === children && new Set(places).size === children
    return isWhole ? [] : [`I1: run ${id} has ${places.length} of ${children} children`]
  })
}
