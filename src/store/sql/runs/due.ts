// What happens by time: runs that are due become ready, and those whose time is up fail.
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import type { Expired, ExpiredRun, Woken } from '../../due.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { isFollower } from './keys.ts'
import { endMore, isMoreToEnd } from './endings.ts'
import { lineUp } from '../limiters/limited.ts'
import { findOpenings, openDueLines } from '../limiters/lines.ts'
import { cancelAll, endRuns } from './moves.ts'
import { readyUntil, type Ends } from './runs.ts'
import { nextSchedule } from '../schedules/schedules.ts'

// Race: made ready first, it could begin beside the run it waits for; so it fails where it stands when its time is up.
const isBehind = `(live.state = 'parked' and live.started_at is null and ${isFollower})`

// Makes ready what is due, the longest due first; walks live_due.
const wakeDue = `
update live set state = 'ready', due_at = ${readyUntil}
where run_id in (
  select run_id from live where due_at is not null and due_at <= ? and not ${isBehind} order by due_at limit ?
) and state in (${statesBefore(runMoves.wake)})
returning run_id as runId, limited`

// Runs whose time is up that are ready, or wait for another, each with how long it was given; walks live_due.
const findExpired = `
select live.run_id as runId, run.public_id as id, definition.name,
  run.deadline_at - coalesce(run.opened_at, run.created_at) as timeoutMs, live.is_followed as isFollowed, run.expires_at - coalesce(run.opened_at, run.created_at) as expiresMs,
  live.started_at is null and live.generation = 1 and run.expires_at < coalesce(run.deadline_at, run.expires_at + 1) as isUnbegun
from live cross join run on run.id = live.run_id cross join definition on definition.id = run.definition
where due_at is not null and due_at <= ? and (state in (${statesBefore(runMoves.expire)}) or ${isBehind})
order by due_at
limit ?`

// Of runs and of schedules; walks live_due and schedule_due.
const findNextDue = `
select (select min(due_at) from live where due_at is not null) as nextDueAt, (${nextSchedule}) as nextScheduleAt`

/** The statements of this file whose plans are tested. */
export const hotDueStatements = { wakeDue, findExpired, findNextDue }

interface ExpiredRow {
  readonly runId: number
  readonly id: string
  readonly name: string
  readonly timeoutMs: number | null
  readonly expiresMs: number | null
  readonly isUnbegun: number | null
  readonly isFollowed: number
}

export interface Expiry {
  readonly limit: number
  readonly valueOf: (run: ExpiredRun) => string
}

/** Fails ready runs whose time is up. */
export function* expireRuns(ends: Ends, { limit, valueOf }: Expiry): Query<Expired[]> {
  const expired = yield* ends.db.all<ExpiredRow>(findExpired, ends.now, limit)
  const endings = expired.map((row) => {
    const isUnbegun = row.isUnbegun === 1
    const value = valueOf({ name: row.name, timeoutMs: (isUnbegun ? row.expiresMs : row.timeoutMs) ?? 0, isUnbegun })
    return { runId: row.runId, outcome: 'failed', value } as const
  })
  yield* endRuns(ends, endings)
  return expired.map(({ id, isFollowed }) => ({ id, isAwaited: isFollowed === 1 }))
}

/** When the next run and the next schedule are due, also those whose time has come; null when none waits for a time. */
export function* findNext(db: Database): Query<Omit<Woken, 'woken'>> {
  const next = yield* db.get<Omit<Woken, 'woken'>>(findNextDue)
  const { nextDueAt = null, nextScheduleAt = null } = next ?? {}
  const { opensAt } = yield* findOpenings(db)
  const isEither = nextDueAt === null || opensAt === null
  const nextAt = isEither ? (nextDueAt ?? opensAt) : Math.min(nextDueAt, opensAt)
  const isMore = yield* isMoreToEnd(db)
  return { nextDueAt: isMore ? 0 : nextAt, nextScheduleAt }
}

/** Asked before anything is written: most of the time nothing is due. */
export function* isAnyDue(db: Database, now: number): Query<boolean> {
  const { nextDueAt } = yield* findNext(db)
  return nextDueAt !== null && nextDueAt <= now
}

export function* wakeRuns(write: Ends, limit: number): Query<Woken> {
  const { db, now } = write
  const ended = yield* endMore(write, cancelAll)
  const woken = yield* db.all<{ runId: number; limited: number }>(wakeDue, now, limit)
  yield* lineUp(
    write,
    woken.flatMap(({ runId, limited }) => (limited === 1 ? [runId] : [])),
  )
  const opened = yield* openDueLines(db, now)
  const next = yield* findNext(db)
  return { woken: ended + woken.length + opened, ...next }
}
