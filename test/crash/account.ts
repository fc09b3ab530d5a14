// The account at the end: what stands in the store against what stands in the ledger, value by value.
import { isDeepStrictEqual } from 'node:util'
import { decode } from '../../src/lib/codec.ts'
import { checkFamilies, checkTalks, parentOf } from './account-links.ts'
import { checkAnswers, checkCancelled, checkClans, checkUndone, endsOf, wasCutShort } from './account-sagas.ts'
import { checkShared } from './account-shared.ts'
import { openBooks, type Books, type Faults, type RunRow, type StepRow } from './books.ts'
import { groupBy, ofKind, type Entry } from './ledger.ts'

export interface Account {
  readonly figures: Figures
  /** Everything that must not be, in words; empty when all is well. */
  readonly violations: readonly string[]
}

export interface Figures {
  readonly runs: number
  /** Started in the store, with a caller that died before it was told. */
  readonly unacknowledged: number
  /** Runs that runs started. */
  readonly children: number
  /** Acknowledged. */
  readonly messages: number
  /** Steps and runs of plain workers. */
  readonly steps: number
  /** Attempts that came to their end, in whatever process. */
  readonly executed: number
  /** Results given to code that did not execute them, because an earlier activation had. */
  readonly remembered: number
  /** Executed to the end and not on record, because a fault came first. */
  readonly executedAgain: number
  /** Those of them whose process was killed, and had not lost the run before because its lease ran out. */
  readonly againByKills: number
  /** Attempts that a fault found between their beginning and the acknowledgement. */
  readonly inFlight: number
  /** What was undone, and what others finished. */
  readonly undone: number
  readonly answered: number
  /** Runs taken from dead processes. */
  readonly rescued: number
  /** Writes that were refused because the run had been taken over. */
  readonly lost: number
  readonly fired: Readonly<Record<string, number>>
}

type Attempted = Extract<Entry, { kind: 'begun' | 'effect' | 'failed' }>

// The result is what the worker made, and there are no steps.
const plainWorkers = ['errand', 'limited', 'report']
const withoutSteps = [...plainWorkers, 'family', 'talk']

/** Of the store of this URL. */
export async function account(store: string, entries: readonly Entry[], faults: Faults): Promise<Account> {
  const books = await openBooks(store, entries, faults)
  const onRecord = recordedValues(books)
  const checks = [
    checkStore,
    checkStarts,
    checkOutcomes,
    checkSteps,
    checkSeen,
    checkAttempts,
    checkSaid,
    checkRaces,
    checkFamilies,
    checkTalks,
    checkAnswers,
    checkCancelled,
    checkClans,
  ]
  const faulty = faultyOf(books)
  const violations = [
    ...checks.flatMap((check) => check(books)),
    ...checkUndone(books, faulty),
    ...checkShared(books, faulty),
    ...checkExecutions(books, onRecord),
  ]
  return { figures: figuresOf(books, onRecord), violations }
}

function checkStore({ integrity, leftovers, entries }: Books): string[] {
  const left = Object.entries(leftovers).filter(([, rows]) => rows > 0)
  return [
    ...(integrity === 'ok' ? [] : [`integrity_check says ${integrity}`]),
    ...left.map(([table, rows]) => `${rows} rows are left in ${table}`),
    ...ofKind(entries, 'trouble').map(({ pid, text }) => `process ${pid} was in trouble: ${text}`),
  ]
}

/** I2, I3: what `call` acknowledged is there; what is there and was not acknowledged had a caller that died. */
function checkStarts({ entries, faults, runs }: Books): string[] {
  const stored = new Map(runs.map((run) => [run.id, run]))
  const called = ofKind(entries, 'called')
  const acknowledged = new Set(called.map(({ run }) => run))
  const changed = called.filter(({ run, name, input }) => {
    const found = stored.get(run)
    return found === undefined || found.name !== name || !isDeepStrictEqual(decode(found.input), input)
  })
  const phantom = runs.filter((run) => {
    // Those of a schedule are started by nobody.
    if (acknowledged.has(run.id) || run.name === 'report' || parentOf(run) !== undefined) return false
    return !faults.killed.has((decode(run.input) as { from: number }).from)
  })
  return [
    ...changed.map(({ run }) => `I2: the acknowledged run ${run} is not in the store as it was called`),
    ...phantom.map(({ id }) => `run ${id} is in the store and nobody called it`),
  ]
}

/** I3, I11: every run has exactly one outcome, and it is what its code returned and its callers were told. */
function checkOutcomes({ entries, runs, steps }: Books): string[] {
  const mayEnd = endsOf({ runs })
  const results = groupBy(ofKind(entries, 'result'), ({ run }) => run)
  const stepValues = groupBy(steps, ({ run }) => run)
  return runs.flatMap((run) => {
    const { id, name, state, value, outcomes } = run
    if (!mayEnd(run).includes(state) || outcomes !== 1 || value === null)
      return [`I3: run ${id} is ${state} with ${outcomes} outcomes`]
    if (state !== 'succeeded') return []
    const output = decode(value)
    const told = (results.get(id) ?? []).filter((result) => !isDeepStrictEqual(result.output, output))
    const remembered = (stepValues.get(id) ?? []).map(uuidOf)
    const isSame =
      withoutSteps.includes(name) || isDeepStrictEqual(remembered.toSorted(), (output as string[]).toSorted())
    return [
      ...told.map(() => `I4: a caller was told another result of run ${id} than the stored one`),
      ...(isSame ? [] : [`I1: run ${id} returned other values than its steps have`]),
    ]
  })
}

/** I1: every remembered value was really made, by that step of that run, and stands once. */
function checkSteps({ entries, steps, runs }: Books): string[] {
  const made = new Map(
    attemptedOf(entries)
      .filter(({ kind }) => kind !== 'begun')
      .map((entry) => [entry.uuid, entry]),
  )
  const isMade = (uuid: string, run: string, path: string, kind: string): boolean => {
    const entry = made.get(uuid)
    return entry !== undefined && entry.run === run && entry.path === path && entry.kind === kind
  }
  const phantoms = steps.filter(
    (step) => !isMade(uuidOf(step), step.run, step.path, step.is_error === 1 ? 'failed' : 'effect'),
  )
  const errands = runs.filter(isPlainResult)
  const phantomErrands = errands.filter(({ id, value }) => !isMade(decode(value ?? '') as string, id, '', 'effect'))
  return [
    ...phantoms.map(({ run, path }) => `I1: the value of step ${path} of run ${run} was never made`),
    ...phantomErrands.map(({ id }) => `I1: the result of run ${id} was never made`),
  ]
}

/** I1, I2: whatever user code saw of a step is what the store has, at all times and in all processes. */
function checkSeen({ entries, steps }: Books): string[] {
  const places = new Map(attemptedOf(entries).map(({ uuid, run, path }) => [uuid, placeKey(run, path)]))
  const stored = new Map(steps.map((step) => [placeKey(step.run, step.path), uuidOf(step)]))
  const changed = ofKind(entries, 'seen').filter(({ uuid }) => stored.get(places.get(uuid) ?? '') !== uuid)
  return changed.map(
    ({ run, uuid }) => `I2: the acknowledged value ${uuid} (${places.get(uuid)}) of run ${run} is lost or changed`,
  )
}

/** I12: an attempt that failed is on record once, and the one that ended the step knows how many there were. */
function checkAttempts({ attempts, steps, entries }: Books): string[] {
  const failed = new Set(ofKind(entries, 'failed').map(({ run, path, uuid }) => `${placeKey(run, path)} ${uuid}`))
  const phantoms = attempts.filter(({ run, path, error }) => !failed.has(`${placeKey(run, path)} ${messageOf(error)}`))
  const counted = groupBy(attempts, ({ run, path }) => placeKey(run, path))
  const wrong = steps.filter((step) => step.attempt !== 1 + (counted.get(placeKey(step.run, step.path))?.length ?? 0))
  return [
    ...phantoms.map(({ run, path }) => `I12: a failed attempt of ${path} of run ${run} is on record and never was`),
    ...wrong.map(
      ({ run, path, attempt }) =>
        `I12: step ${path} of run ${run} ended in attempt ${attempt}, which is not what is on record`,
    ),
  ]
}

/** Nobody was told of a value that is not remembered. */
function checkSaid({ emitted, steps }: Books): string[] {
  const stored = new Set(steps.map(uuidOf))
  const said = emitted.flatMap(({ run, value }) => {
    const { seen } = decode(value) as { seen?: string }
    return seen === undefined ? [] : [{ run, seen }]
  })
  return said
    .filter(({ seen }) => !stored.has(seen))
    .map(({ run, seen }) => `run ${run} emitted ${seen}, which is not remembered`)
}

/** A race is won by the same one however often it is run again. */
function checkRaces({ entries }: Books): string[] {
  const winners = groupBy(ofKind(entries, 'won'), ({ run }) => run)
  const disputed = [...winners].filter(([, wins]) => new Set(wins.map(({ uuid }) => uuid)).size > 1)
  return disputed.map(([run]) => `the race of run ${run} had several winners`)
}

/** Only a fault makes a step be executed again, and never one that was acknowledged. */
function checkExecutions(books: Books, onRecord: readonly string[]): string[] {
  const { entries } = books
  const recorded = new Set(onRecord)
  const isFaulty = faultyOf(books)
  const isCutShort = wasCutShort(books)
  const unexplained = completedOf(entries).filter(
    (entry) => !recorded.has(entry.uuid) && !isFaulty(entry) && !isCutShort(entry.run),
  )
  const places = new Map(attemptedOf(entries).map(({ uuid, run, path }) => [uuid, placeKey(run, path)]))
  const acknowledged = new Set<string>()
  const repeated: string[] = []
  for (const entry of entries) {
    if (entry.kind === 'seen') acknowledged.add(places.get(entry.uuid) ?? '')
    const isAgain = entry.kind === 'begun' && acknowledged.has(placeKey(entry.run, entry.path))
    if (isAgain && !books.faults.killed.has(entry.pid) && !isFaulty(entry))
      repeated.push(`${entry.path} of run ${entry.run}`)
  }
  return [
    ...(recorded.size === onRecord.length ? [] : [`I1: ${onRecord.length - recorded.size} values are on record twice`]),
    ...unexplained.map(
      ({ run, path, pid }) => `${path} of run ${run} was executed by ${pid}, which met no fault, and is not on record`,
    ),
    ...repeated.map((what) => `I2: ${what} was executed again after it had been acknowledged`),
  ]
}

/** The values of all finished attempts that the store knows: of steps, of plain workers, of failures. */
function recordedValues({ steps, attempts, runs }: Books): string[] {
  const errands = runs.filter(isPlainResult)
  return [
    ...steps.map(uuidOf),
    ...attempts.map(({ error }) => messageOf(error)),
    ...errands.map(({ value }) => String(decode(value ?? ''))),
  ]
}

function figuresOf(books: Books, onRecord: readonly string[]): Figures {
  const { entries, runs, steps, faults } = books
  const recorded = new Set(onRecord)
  const isFaulty = faultyOf(books)
  const acknowledged = new Set(ofKind(entries, 'seen').map(({ pid, uuid }) => `${pid} ${uuid}`))
  const begun = ofKind(entries, 'begun').filter(
    (entry) => isFaulty(entry) && !acknowledged.has(`${entry.pid} ${entry.uuid}`),
  )
  const called = new Set(ofKind(entries, 'called').map(({ run }) => run))
  const completed = completedOf(entries)
  const isCutShort = wasCutShort(books)
  const again = completed.filter(({ uuid, run }) => !recorded.has(uuid) && !isCutShort(run))
  const lost = lostOf(entries)
  const fired: Record<string, number> = {}
  for (const { place, pid } of ofKind(entries, 'fired'))
    if (faults.killed.has(pid)) fired[place] = (fired[place] ?? 0) + 1
  return {
    runs: runs.length,
    unacknowledged: runs.filter((run) => !called.has(run.id) && parentOf(run) === undefined).length,
    children: runs.filter((run) => parentOf(run) !== undefined).length,
    messages: ofKind(entries, 'told').length,
    steps: steps.length + runs.filter(isPlainResult).length,
    executed: completed.length,
    remembered: ofKind(entries, 'seen').filter(({ isFresh }) => !isFresh).length,
    executedAgain: again.length,
    againByKills: again.filter(({ pid, run }) => !lost.has(`${pid} ${run}`)).length,
    inFlight: begun.length,
    undone: ofKind(entries, 'undone').length,
    answered: ofKind(entries, 'answered').length,
    rescued: ofKind(entries, 'rescued').reduce((sum, entry) => sum + entry.runs, 0),
    lost: ofKind(entries, 'lost').length,
    fired,
  }
}

/** Whether the process was killed, or was told that this run is not its own any more. */
function faultyOf({ entries, faults }: Books): (entry: Pick<Attempted, 'pid' | 'run'>) => boolean {
  const lost = lostOf(entries)
  return ({ pid, run }) => faults.killed.has(pid) || lost.has(`${pid} ${run}`)
}

/** Process and run, wherever a process was told that a run is not its own any more. */
function lostOf(entries: readonly Entry[]): Set<string> {
  return new Set(ofKind(entries, 'lost').map(({ pid, run }) => `${pid} ${run}`))
}

function attemptedOf(entries: readonly Entry[]): Attempted[] {
  return entries.filter((entry) => entry.kind === 'begun' || entry.kind === 'effect' || entry.kind === 'failed')
}

function completedOf(entries: readonly Entry[]): Attempted[] {
  return attemptedOf(entries).filter(({ kind }) => kind !== 'begun')
}

/** The value a step has; of one that failed for good, the one in its error. */
function uuidOf({ is_error, value }: StepRow): string {
  return is_error === 1 ? messageOf(value) : String(decode(value))
}

function messageOf(error: string): string {
  return (JSON.parse(error) as { message: string }).message
}

function isPlainResult({ name, state }: RunRow): boolean {
  return plainWorkers.includes(name) && state === 'succeeded'
}

function placeKey(run: string, path: string): string {
  return `${run} ${path}`
}
