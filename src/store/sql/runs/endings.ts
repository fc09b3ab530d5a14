// The children of runs that end: they end with them, so many in each transaction that nobody is held up; what is left stands in `ending` until its turn.
import type { LiveState } from '../../../model/run.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import type { Ends } from './runs.ts'

// Those that end with the run that started them, in order; walks run_parent, then by primary key.
const findAttached = `
select run.id as runId, run.public_id as id, definition.name, live.state, live.epoch, above.public_id as parentId
from run cross join live on live.run_id = run.id
cross join definition on definition.id = run.definition
left join run as above on above.id = run.parent
where run.parent = ?1 and run.id > ?2 and run.is_detached = 0 order by run.id limit ?3 + 0`

// By primary key.
const keepEnding = `insert into ending (run_id, after) values (?, ?) on conflict (run_id) do update set after = excluded.after`

const dropEnding = `delete from ending where run_id = ?`

const findRest = `select after from ending where run_id = ?`

// A scan up to so many of a table that is empty most of the time.
const findEndings = `select run_id as parent, after from ending limit 200`

const findAny = `select 1 from ending limit 1`

/** The statements of this file whose plans are tested. */
export const hotEndingStatements = { findAttached, findRest }

/** How many runs a transaction ends because others did. Measured: a few milliseconds. */
export const mostAtOnce = 200

/** An unfinished run that another one started. */
export interface AttachedRun {
  readonly runId: number
  readonly id: string
  readonly name: string
  readonly state: LiveState
  /** Of its latest claim. */
  readonly epoch: number
  /** Null when that is not there any more. */
  readonly parentId: string | null
}

/** Ends those that can be ended now, and has the others asked to. */
type CancelAll = (ends: Ends, children: readonly AttachedRun[]) => Query<void>

/** What these runs started, and did not detach, ends with them. */
export function* endChildren(ends: Ends, parents: readonly number[], cancelAll: CancelAll): Query<void> {
  for (const parent of parents) yield* endNext(ends, { parent, after: null }, cancelAll)
}

/** Ends the next of those that are to end; tells how many. */
export function* endMore(ends: Ends, cancelAll: CancelAll): Query<number> {
  const roomBefore = ends.news.room
  const open = yield* ends.db.all<Family>(findEndings)
  for (const family of open) if (ends.news.room > 0) yield* endNext(ends, family, cancelAll)
  return roomBefore - ends.news.room
}

/** Whether any are left. */
export function isMoreToEnd(db: Database): Query<boolean> {
  return db.has(findAny)
}

/** Ends all children of a run that are still to end with it, as it is about to go on. */
export function* endRest(ends: Ends, parent: number, cancelAll: CancelAll): Query<void> {
  for (;;) {
    const rest = yield* ends.db.get<{ after: number }>(findRest, parent)
    if (rest === undefined) return
    ends.news.room = mostAtOnce
    yield* endNext(ends, { parent, after: rest.after }, cancelAll)
  }
}

interface Family {
  readonly parent: number
  /** The child behind which it goes on; null for the first time. */
  readonly after: number | null
}

function* endNext(ends: Ends, { parent, after }: Family, cancelAll: CancelAll): Query<void> {
  const { db, news } = ends
  const { room } = news
  const children = room === 0 ? [] : yield* db.all<AttachedRun>(findAttached, parent, after ?? 0, room)
  news.room -= children.length
  if (children.length < room) {
    if (after !== null) yield* db.run(dropEnding, parent)
  } else {
    // Invariant: I3. Durable with the end of the parent, so that no crash forgets them.
    yield* db.run(keepEnding, parent, children.at(-1)?.runId ?? after ?? 0)
    news.isMoreToEnd = true
  }
  if (children.length > 0) yield* cancelAll(ends, children)
}
