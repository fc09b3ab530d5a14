// How a run leaves the node that runs it: it ends, backs off, parks or is given back. Every end, by whomever, goes through finishRuns.
import { toErrorRecord, type ErrorRecord } from '../../../lib/error-record.ts'
import { runCancelled } from '../../../model/errors.ts'
import { fingerprintOf } from '../../../model/fingerprint.ts'
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import type { Database } from '../database/database.ts'
import type { CancelAnswer, CancelRecord } from '../../cancels.ts'
import type { Batch, Held, SettleRecord } from '../../store.ts'
import type { DecidedEnd, UndoRecord } from '../../undoing.ts'
import type { TokenUse } from '../../waits.ts'
import { filterEach, mapTogether, type Query } from '../../query.ts'
import { breakCircle } from './circles.ts'
import { idsOf, lookUpGiven, type EndingLive } from './runs-to-end.ts'
import { hasAsk } from '../steps/asks.ts'
import { keepFailure } from '../events/failures.ts'
import { insertFinishedRows } from './finished.ts'
import { endChildren, type AttachedRun } from './endings.ts'
import { followRuns, listWaiting } from './families.ts'
import { wakeFollowers } from './keys.ts'
import { wakeBufferedRuns } from '../schedules/buffered.ts'
import { backInLine } from '../limiters/limited.ts'
import { definitionOf } from '../names.ts'
import { againUntil, deliveriesSoFar, type Ends, type Write } from './runs.ts'
import { hasMessage } from '../steps/messages.ts'
import { lineUpSteps } from '../limiters/parked-steps.ts'
import { deleteStates } from '../steps/states.ts'
import { renewJournal } from './journal-copies.ts'
import { wholeMs, wholeOrNull } from '../database/times.ts'
import { endTokens, hasCompletion, hasSucceeded, hearOfPark } from '../steps/tokens.ts'
import { cutShort, decideEnd, dropDecidedEnds, undoMarkOf } from './undoing.ts'
import { deleteWaits, replaceWaits } from '../steps/waits.ts'
import { wakeRun } from './wakes.ts'

const dueUnlessAsked = `case when exists (select 1 from cancel_request where run_id = live.run_id) then cast(? as integer) else cast(? as integer) end`

// By primary key; the fence was passed in the same transaction.
// Race: a cancel that was asked for while it ran, and that its node has yet to hear of, makes it due now.
const retryRun = `
update live set state = 'scheduled', node = null, due_at = ${dueUnlessAsked}, attempt = ?, generation = ?,
  deliveries = ${deliveriesSoFar}
where run_id = ? and state in (${statesBefore(runMoves.retry)})
returning has_slots as hasSlots`

// Race: as in retryRun; a park would otherwise outlast the request.
const parkRun = `
update live set state = 'parked', node = null, due_at = ${dueUnlessAsked}, deliveries = ${deliveriesSoFar}
where run_id = ? and state in (${statesBefore(runMoves.park)})
returning has_slots as hasSlots`

const releaseRun = `
update live set state = 'ready', node = null, due_at = ${againUntil}, deliveries = ${deliveriesSoFar}
where run_id = ? and state in (${statesBefore(runMoves.release)})
returning has_slots as hasSlots`

// By primary key, and seldom: most runs begin with their claim.
const beginRun = `update live set has_begun = 1, started_at = coalesce(started_at, ?) where run_id = ?`

// Undefined, encoded.
const nothing = 'u'

const deleteLive = `delete from live where run_id in (select value from json_each(?))`

// By primary key.
const deleteRequests = `delete from cancel_request where run_id in (select value from json_each(?))`

// What has ended otherwise before it heard of that. A scan of a table that holds little else than what is under way.
const deleteObeyed = `
delete from cancel_request where not exists (select 1 from live where live.run_id = cancel_request.run_id)`

const insertRequest = `
insert into cancel_request (run_id, reason, skips_undo) values (?, ?, ?)
on conflict (run_id) do update set
  skips_undo = case when excluded.skips_undo = 1 then 1 else cancel_request.skips_undo end`

/** The statements of this file whose plans are tested. */
export const hotMoveStatements = {
  beginRun,
  retryRun,
  parkRun,
  releaseRun,
  deleteLive,
}

/** From now on the death of this node is a delivery of these runs. */
export function* beginRuns(write: Write, begins: Batch['begins']): Query<void> {
  for (const { held, at } of yield* write.fence.letIn(begins)) {
    yield* write.db.run(beginRun, wholeMs(at), held.runId)
  }
}

/** Ends runs that this node holds, `rows` of `lookUpEnding`. */
export function* settleRuns(write: Write, settles: readonly SettleRecord[], rows: readonly EndingLive[]): Query<void> {
  const liveById = new Map(rows.map((live) => [live.runId, live]))
  const ended: EndedRun[] = []
  for (const settle of settles) {
    const live = liveById.get(settle.held.runId)
    if (!write.fence.admit(settle.held, live?.epoch === settle.held.epoch) || live === undefined) continue
    if (settle.token !== undefined && !(yield* isEnd(write, settle.held, settle.token))) continue
    liveById.delete(live.runId)
    ended.push({ live, end: settle })
  }
  yield* finishRuns(write, ended)
}

/** Decides how runs end that this node holds; they undo first what they did. */
export function* undoRuns(write: Write, undoes: readonly UndoRecord[]): Query<void> {
  for (const { held, outcome, value, token } of yield* write.fence.letIn(undoes)) {
    if (token !== undefined && !(yield* isEnd(write, held, token))) continue
    yield* beginUndo(write, { runId: held.runId, outcome, value })
  }
}

const waiting: readonly string[] = runMoves.cancel.from.filter((state) => state !== 'running')

/** A run that somebody else than its node wants to end. */
interface Wanted {
  readonly runId: number
  readonly state: string
  /** Of its latest claim. */
  readonly epoch: number | null
}

type HowCancelled = Pick<CancelRecord, 'value' | 'reason' | 'skipsUndo'>

/** Ends a run, or asks the node that runs it to. */
export function* cancelRun(ends: Ends, run: Wanted, how: HowCancelled): Query<CancelAnswer> {
  const fate = yield* tryCancel(ends, run, how)
  if (fate === 'asked' || fate === 'finished') return fate
  yield* endRuns(ends, [cancelled(run, how)])
  return fate === 'undoes' ? 'asked' : 'cancelled'
}

/** What a cancel comes to; asks the node of a run that runs. */
function* tryCancel(
  ends: Ends,
  { runId, state, epoch }: Wanted,
  { reason, skipsUndo = false }: HowCancelled,
): Query<'finished' | 'asked' | 'undoes' | 'ends'> {
  const undo = yield* undoMarkOf(ends.db, runId)
  // Invariant: I11. How it ends is decided.
  if (undo === 'undoing' && !skipsUndo) return 'finished'
  if (!waiting.includes(state)) {
    yield* ends.db.run(insertRequest, runId, reason, skipsUndo ? 1 : 0)
    ends.news.isAsked = true
    return 'asked'
  }
  // Invariant: I11. What was told from outside is its end, and only has to be taken in.
  if (epoch !== null && (yield* hasSucceeded(ends.db, { runId, epoch }))) return 'asked'
  return undo === 'something' && !skipsUndo ? 'undoes' : 'ends'
}

function cancelled({ runId }: Wanted, { value, skipsUndo }: HowCancelled): Ending {
  return { runId, outcome: 'cancelled', value, skipsUndo }
}

/** How somebody else than its node ends a run. */
export interface Ending {
  readonly runId: number
  readonly outcome: DecidedEnd['outcome']
  /** An error record as JSON. */
  readonly value: string
  /** What it did stays. */
  readonly skipsUndo?: boolean | undefined
}

/** Ends runs that nobody runs any more; those that can undo what they did are made ready for that. */
export function* endRuns(ends: Ends, endings: readonly Ending[]): Query<void> {
  if (endings.length === 0) return
  const rows = yield* lookUpGiven(ends.db, endings)
  const liveById = new Map(rows.map((live) => [live.runId, live]))
  const ended: EndedRun[] = []
  for (const ending of endings) {
    const live = liveById.get(ending.runId)
    if (live === undefined) continue
    if (live.undo === 1 && ending.skipsUndo !== true) yield* beginUndo(ends, ending)
    else ended.push({ live, end: yield* endOf(ends.db, live, ending) })
  }
  yield* finishRuns(ends, ended)
}

function* endOf(db: Database, live: EndingLive, ending: Ending): Query<EndedRun['end']> {
  const cut = live.undo === 2 ? yield* cutShort(db, live.runId, ending.value) : undefined
  const { outcome, value } = cut ?? ending
  const error = JSON.parse(value) as Partial<ErrorRecord>
  const code = error.code ?? null
  const end = { outcome, value, code, fingerprint: null, attempt: live.attempt, hadWaits: true }
  if (outcome !== 'failed') return end
  const { name, isTold } = yield* definitionOf(db, live.definition)
  return { ...end, fingerprint: fingerprintOf(name, error), isTold: isTold === 1 }
}

function* beginUndo(ends: Ends, end: Ending): Query<void> {
  yield* decideEnd(ends, end)
  yield* endChildren(ends, [end.runId], cancelAll)
}

/** Invariant: I15. Every commit reads the requests, so none outlasts its run for long. */
export function forgetRequests(db: Database): Query<unknown> {
  return db.run(deleteObeyed)
}

export function* retryRuns(write: Write, retries: Batch['retries']): Query<void> {
  for (const { held, dueAt, attempt, token } of yield* write.fence.letIn(retries)) {
    if (token !== undefined && !(yield* isEnd(write, held, token))) continue
    const generation = yield* renewJournal(write.db, held)
    yield* write.outbox.ofRun('retried', held.runId, { attempt })
    const left = yield* write.db.get<Left>(retryRun, write.now, wholeMs(dueAt), attempt, generation, held.runId)
    if (left?.hasSlots === 1) yield* write.admission.leave([held.runId])
  }
}

export function* parkRuns(write: Write, parks: Batch['parks']): Query<void> {
  for (const { held, dueAt, waits } of yield* write.fence.letIn(parks)) {
    yield* replaceWaits(write.db, held.runId, waits)
    const left = yield* write.db.get<Left>(parkRun, write.now, wholeOrNull(dueAt), held.runId)
    if (left?.hasSlots === 1) yield* write.admission.leave([held.runId])
    // It would come here at once and again.
    if (waits.some(({ kind }) => kind === 'diverged')) continue
    yield* lineUpSteps(write, held.runId, waits)
    // Race: as for a completion below.
    if (
      (yield* hasMessage(write, held.runId, waits)) ||
      (yield* hasAsk(write, held.runId, waits)) ||
      (yield* followRuns(write.db, waits)) ||
      (yield* breakCircle(write, held, waits))
    )
      yield* wakeRun(write, held.runId, { isDecided: false })
    else if (waits.some(({ kind }) => kind === 'end')) yield* endParked(write, held.runId)
    const completions = waits.filter(({ kind }) => kind === 'completion')
    if (completions.length === 0) continue
    yield* hearOfPark(write, held)
    // Race: it may have come before anybody waited for it.
    const come = yield* filterEach(completions, ({ path }) => hasCompletion(write.db, held, path))
    if (come.length > 0) yield* wakeRun(write, held.runId, { isDecided: come.some(({ path }) => path === '') })
  }
}

/** Ends a run that keeps nothing and waits for nothing. */
function* endParked(ends: Ends, runId: number): Query<void> {
  const [live] = yield* lookUpGiven(ends.db, [{ runId }])
  if (live === undefined) return
  const end = { outcome: 'succeeded', value: nothing, code: null, fingerprint: null, hadWaits: true } as const
  yield* finishRuns(ends, [{ live, end: { ...end, attempt: live.attempt } }])
}

export function* releaseRuns(write: Write, releases: readonly Held[]): Query<void> {
  const given = yield* write.fence.letIn(releases.map((held) => ({ held })))
  for (const { held } of given) yield* giveBack(write, held.runId)
}

/** Makes a run ready that its node does not want to go on with; that is no delivery. */
export function* giveBack(write: Pick<Ends, 'db' | 'admission'>, runId: number): Query<void> {
  const left = yield* write.db.get<Left>(releaseRun, runId)
  if (left?.hasSlots === 1) yield* backInLine(write, [{ runId }])
}

interface Left {
  readonly hasSlots: number
}

/** Whether an attempt that gave out tokens has the end that its node says: not when somebody with a token told another before. */
function* isEnd(write: Write, held: Held, token: TokenUse): Query<boolean> {
  if (yield* endTokens(write.db, held, token)) return true
  write.fence.refuse(held)
  yield* giveBack(write, held.runId)
  yield* wakeRun(write, held.runId, { isDecided: true })
  return false
}

interface EndedRun {
  readonly live: EndingLive
  readonly end: Pick<SettleRecord, 'outcome' | 'value' | 'code' | 'fingerprint' | 'attempt' | 'hadWaits' | 'isTold'>
}

/** The one way out: each run gets its one outcome, is counted, and what it needed while it was unfinished goes. */
function* finishRuns(ends: Ends, ended: readonly EndedRun[]): Query<void> {
  const { db, now, rollup, news, admission, outbox } = ends
  if (ended.length === 0) return
  const schedules = new Set<number>()
  for (const { live, end } of ended) {
    const { runId, definition, startedAt, schedule } = live
    const { outcome, code, attempt } = end
    if (end.isTold === true) yield* keepFailure(db, live)
    yield* outbox.ofRun(outcome, runId, { attempt, code })
    rollup.add({ definition, outcome, code, elapsedMs: startedAt === null ? 0 : Math.max(0, now - startedAt) })
    if (schedule !== null) schedules.add(schedule)
  }
  yield* insertFinishedRows(db, ended, now)
  yield* db.run(deleteLive, idsOf(ended.map(({ live }) => live)))
  const those = (areMeant: (run: EndedRun) => boolean): number[] => ended.filter(areMeant).map(({ live }) => live.runId)
  yield* deleteWaits(
    db,
    those(({ end }) => end.hadWaits),
  )
  // What did not succeed may be tried again, and goes on with what it kept.
  yield* deleteStates(
    db,
    those(({ live, end }) => live.hasState === 1 && end.outcome === 'succeeded'),
  )
  const cancelled = those(({ end }) => end.outcome === 'cancelled')
  if (cancelled.length > 0) yield* db.run(deleteRequests, JSON.stringify(cancelled))
  const followed = those(({ live }) => live.isFollowed === 1)
  news.woken += yield* wakeFollowers({ db, admission }, followed)
  const waiters = yield* listWaiting(db, followed)
  for (const runId of waiters) yield* wakeRun(ends, runId, { isDecided: false })
  yield* endChildren(
    ends,
    those(({ live }) => live.hasChildren === 1),
    cancelAll,
  )
  yield* dropDecidedEnds(
    db,
    those(({ live }) => live.undo === 2),
  )
  if (schedules.size > 0) news.woken += yield* wakeBufferedRuns({ db, admission }, schedules)
  yield* admission.leave(those(({ live }) => live.hasSlots === 1))
}

/** The children of runs that have ended. */
export function* cancelAll(ends: Ends, children: readonly AttachedRun[]): Query<void> {
  yield* forgetRequests(ends.db)
  const wanted = children.map((child) => ({ child, how: becauseParentEnded(child) }))
  const fates = yield* mapTogether(wanted, ({ child, how }) => tryCancel(ends, child, how))
  const ending = wanted.filter((_, place) => fates[place] === 'undoes' || fates[place] === 'ends')
  yield* endRuns(
    ends,
    ending.map(({ child, how }) => cancelled(child, how)),
  )
}

function becauseParentEnded({ id, name, parentId }: AttachedRun): HowCancelled {
  const reason = `run ${parentId ?? ''}, which started it, has ended`
  return { reason, value: JSON.stringify(toErrorRecord(runCancelled(name, id, reason))) }
}
