// Runs that have to pass limiters: how they begin, how they are claimed, and how they come back to their line.
import type { LimitUse } from '../../../model/limiter.ts'
import { lineOf } from './lines.ts'
import { usesFrom, usesText, type Admission, type Candidate } from './admission.ts'
import type { Database } from '../database/database.ts'
import type { Ends } from '../runs/runs.ts'
import type { StartRecord } from '../../start.ts'
import type { Query } from '../../query.ts'

const keepLimits = `update run set limits = ? where id = ?`

// By primary key. Other code of the same name may have other limiters, and its inputs no key for these.
const amendLimits = `update run set limits = ?1 where id = ?2 and definition = ?3 and limits is not null and limits <> ?1 returning id`

// By primary key.
const markLimited = `update live set limited = 1, has_slots = 1 where run_id = ?`

const startHere = `
update live set state = 'running', node = ?, epoch = ?, due_at = null, started_at = ? where run_id = ? and state = 'ready'`

// By primary key.
const findCandidate = `
select run.id as ticket, run.id as runId, null as path, run.limits, live.limited, live.queue, live.definition, live.priority, live.deliveries
from run cross join live on live.run_id = run.id
where run.id = ?`

// A scan: slots are few. Their holder is the run as it was claimed then, or the node.
const findOrphans = `
select ticket from slot
where not exists (select 1 from node where node.id = slot.node)
  or (run_id is not null and not exists (
    select 1 from live where live.run_id = slot.run_id and live.state = 'running' and live.epoch = slot.epoch))
limit 1000`

// What has been over for so long that it decides nothing any more.
const deletePaces = `delete from pace where next_at < ?`

// A scan up to the first.
const findPastPace = `select 1 from pace where next_at < ? limit 1`

// By the index of slots, then by primary key prefix. What a rate holds up waits for its time.
const findHeldUp = `
select 1 from slot cross join line on line.limiter = slot.limiter where slot.run_id = ? and line.opens_at is null limit 1`

/** The statements of this file whose plans are tested. */
export const hotLimitedStatements = { findCandidate, findHeldUp }

/** The start of a limited run. */
export interface LimitedStart {
  readonly runId: number
  readonly limits: readonly LimitUse[]
  /** An actor is free for it. */
  readonly isDirect: boolean
  readonly isReady: boolean
}

export interface Place {
  readonly nodeId: number
  readonly epoch: number
}

/** Keeps what a new run has to pass; tells whether it runs at once. The others wait in their line, unless they are scheduled. */
export function* beginLimited({ db, now, admission }: Ends, start: LimitedStart, place: Place): Query<boolean> {
  const { runId, limits, isDirect, isReady } = start
  yield* db.run(keepLimits, usesText(limits), runId)
  yield* db.run(markLimited, runId)
  const who = isReady ? yield* candidateOf(db, runId) : undefined
  if (who === undefined) return false
  if (isDirect && (yield* admission.isFirst(who)) && (yield* admission.admit(who, place)) === undefined) {
    yield* db.run(startHere, place.nodeId, place.epoch, now, runId)
    return true
  }
  yield* admission.enqueue(who)
  return false
}

/** A run that was not begun has another input: it waits by the keys of that one. */
export function* changeLimits(
  { db, admission }: Pick<Ends, 'db' | 'admission'>,
  { runId, isReady }: { readonly runId: number; readonly isReady: boolean },
  { limits, definitionId }: Pick<StartRecord, 'limits' | 'definitionId'>,
): Query<void> {
  const isAmended = limits !== null && (yield* db.has(amendLimits, usesText(limits), runId, definitionId))
  if (isAmended && isReady) yield* backInLine({ db, admission }, [{ runId }])
}

/** Lets the first of a line pass, if all its limiters agree; otherwise it waits where it was refused. */
export function* admitFirst(
  db: Database,
  admission: Admission,
  { runId, place }: { runId: number; place: Place },
): Query<boolean> {
  const who = yield* candidateOf(db, runId)
  if (who !== undefined) return yield* admitWaiting(admission, who, place)
  yield* admission.dequeue([runId])
  return false
}

/** Takes the first of a line out of it: it has passed, or waits in the line of the limiter that refused it. */
export function* admitWaiting(admission: Admission, who: Candidate, place: Place): Query<boolean> {
  const refused = yield* admission.admit(who, place)
  yield* admission.dequeue([who.ticket])
  if (refused !== undefined) yield* admission.enqueue(who, refused)
  return refused === undefined
}

/** Puts runs that became ready into their lines. */
export function* lineUp({ db, admission }: Pick<Ends, 'db' | 'admission'>, runIds: readonly number[]): Query<void> {
  for (const runId of runIds) {
    const who = yield* candidateOf(db, runId)
    if (who !== undefined) yield* admission.enqueue(who)
  }
}

/** What runs had is free, and they wait for it like all others. */
export function* backInLine(
  write: Pick<Ends, 'db' | 'admission'>,
  runs: readonly { readonly runId: number }[],
): Query<void> {
  const ids = runs.map(({ runId }) => runId)
  yield* write.admission.leave(ids)
  yield* lineUp(write, ids)
}

/** A run that runs has its slots again, whoever else has some. */
export function* reenter({ db, admission }: Pick<Ends, 'db' | 'admission'>, runId: number, place: Place): Query<void> {
  yield* admission.leaveTickets([runId])
  const who = yield* candidateOf(db, runId)
  if (who !== undefined) yield* admission.restore(who, place)
}

export function isHoldingUp(db: Database, runId: number): Query<boolean> {
  return db.has(findHeldUp, runId)
}

/** Asked before anything is written: most of the time there is nothing to mend. */
export function* areLimitersInOrder(db: Database, now: number): Query<boolean> {
  return !(yield* db.has(findOrphans)) && !(yield* db.has(findPastPace, now))
}

/** Frees what is held by nobody and counts it; forgets rates that decide nothing. */
export function* repairLimiters(ends: Pick<Ends, 'db' | 'admission' | 'now'>): Query<number> {
  const orphans = yield* ends.db.all<{ ticket: number }>(findOrphans)
  yield* ends.admission.leaveTickets(orphans.map(({ ticket }) => ticket))
  yield* ends.db.run(deletePaces, ends.now)
  return orphans.length
}

interface CandidateRow extends Omit<Candidate, 'uses'> {
  readonly limits: string | null
  readonly limited: number
  readonly deliveries: number
}

/** Undefined for a run that has nothing to pass. */
export function* candidateOf(db: Database, runId: number): Query<Candidate | undefined> {
  const row = yield* db.get<CandidateRow>(findCandidate, runId)
  if (row?.limited !== 1) return undefined
  return { ...row, definition: lineOf(row.definition, row.deliveries), uses: usesFrom(row.limits ?? '[]') }
}
