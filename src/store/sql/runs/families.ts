// Who waits for the end of a run.
import type { FinishedRun } from '../../store.ts'
import type { WaitRecord } from '../../waits.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

// By the unique public id, then by primary key.
const markFollowed = `
update live set is_followed = 1
where run_id in (select run.id from json_each(?) as asked cross join run on run.public_id = asked.value)`

// By primary key, then walks wait_run, then by primary key. One that backs off keeps its waits, and none of them ends its pause.
const findWaitingForRun = `
select wait.run_id as runId from run cross join wait on wait.kind = 'run' and wait.name = run.public_id
cross join live on live.run_id = wait.run_id and live.state = 'parked'
where run.id in (select value from json_each(?))`

// Of those that have no newer generation under way; by the unique public id, then by primary keys.
const findEnds = `
select asked.value as id, run.id as runId, finished.outcome, finished.value
from json_each(?) as asked
left join run on run.public_id = asked.value
left join live on live.run_id = run.id
left join finished on finished.run_id = run.id and live.run_id is null
  and finished.generation = (select max(newest.generation) from finished as newest where newest.run_id = run.id)
where run.id is null or finished.outcome is not null`

/** The statements of this file whose plans are tested. */
export const hotFamilyStatements = { markFollowed, findWaitingForRun, findEnds }

/** Lets runs that somebody waits for wake that one at their end; true when one of them has ended already. */
export function* followRuns(db: Database, waits: readonly WaitRecord[]): Query<boolean> {
  const ids = new Set(waits.flatMap(({ kind, name }) => (kind === 'run' && name !== null ? [name] : [])))
  return ids.size > 0 && (yield* db.change(markFollowed, JSON.stringify([...ids]))) < ids.size
}

/** The runs that wait for the end of one of these. */
export function* listWaiting(db: Database, ended: readonly number[]): Query<number[]> {
  if (ended.length === 0) return []
  const rows = yield* db.all<{ runId: number }>(findWaitingForRun, JSON.stringify(ended))
  return rows.map(({ runId }) => runId)
}

/** The ends of those of these runs that have ended, by their public ids. */
export function* listEnds(db: Database, ids: readonly string[]): Query<ReadonlyMap<string, FinishedRun | 'gone'>> {
  if (ids.length === 0) return new Map()
  const rows = yield* db.all<{ id: string; runId: number | null } & FinishedRun>(findEnds, JSON.stringify(ids))
  return new Map(rows.map(({ id, runId, outcome, value }) => [id, runId === null ? 'gone' : { outcome, value }]))
}
