// Who ends with a run, and who waits for its end.
import type { LiveState } from '../../model/run.ts'
import type { FinishedRun } from '../store.ts'
import type { WaitRecord } from '../waits.ts'
import type { Connection } from './connection.ts'

// Those that end with the run that started them; walks run_parent, then by primary key.
const findAttached = `
select run.id as runId, run.public_id as id, definition.name, live.state, live.epoch, above.public_id as parentId
from run cross join live on live.run_id = run.id
cross join definition on definition.id = run.definition
cross join run as above on above.id = run.parent
where run.parent in (select value from json_each(?)) and run.is_detached = 0`

// By the unique public id, then by primary key.
const markFollowed = `
update live set is_followed = 1
where run_id in (select run.id from json_each(?) as asked cross join run on run.public_id = asked.value)`

// By primary key, then walks wait_run.
const findWaitingForRun = `
select wait.run_id as runId from run cross join wait on wait.kind = 'run' and wait.name = run.public_id
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
export const hotFamilyStatements = { findAttached, markFollowed, findWaitingForRun, findEnds }

/** An unfinished run that another one started. */
export interface AttachedRun {
  readonly runId: number
  readonly id: string
  readonly name: string
  readonly state: LiveState
  /** Of its latest claim. */
  readonly epoch: number
  readonly parentId: string
}

export function listAttached(db: Connection, parents: readonly number[]): AttachedRun[] {
  return parents.length === 0 ? [] : db.all<AttachedRun>(findAttached, JSON.stringify(parents))
}

/** Lets runs that somebody waits for wake that one at their end; true when one of them has ended already. */
export function followRuns(db: Connection, waits: readonly WaitRecord[]): boolean {
  const ids = new Set(waits.flatMap(({ kind, name }) => (kind === 'run' && name !== null ? [name] : [])))
  return ids.size > 0 && db.run(markFollowed, JSON.stringify([...ids])) < ids.size
}

/** The runs that wait for the end of one of these. */
export function listWaiting(db: Connection, ended: readonly number[]): number[] {
  if (ended.length === 0) return []
  return db.all<{ runId: number }>(findWaitingForRun, JSON.stringify(ended)).map(({ runId }) => runId)
}

/** The ends of those of these runs that have ended, by their public ids. */
export function listEnds(db: Connection, ids: readonly string[]): ReadonlyMap<string, FinishedRun | 'gone'> {
  if (ids.length === 0) return new Map()
  const rows = db.all<{ id: string; runId: number | null } & FinishedRun>(findEnds, JSON.stringify(ids))
  return new Map(rows.map(({ id, runId, outcome, value }) => [id, runId === null ? 'gone' : { outcome, value }]))
}
