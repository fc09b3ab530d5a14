// Runs that somebody has to look at: those that failed for good are found by their ends, and what people say of them is kept beside.
import type { Investigated, InvestigationPage, InvestigationRecord, InvestigationRow } from '../../investigations.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { wholeMs } from '../database/times.ts'
import { newestRun } from '../runs/known.ts'
import type { Ends } from '../runs/runs.ts'

// One that failed after its record was closed is open again.
const isAnew = `coalesce(kept.resolved_at < finished.finished_at, false)`
const isPending = `(kept.state is null or ${isAnew})`

// What failed for good: walks finished_dead, then by primary keys.
const ofDead = `
select run.public_id as id, definition.name, finished.generation, case when ${isAnew} then null else kept.reason end as reason, finished.code,
  case when ${isPending} then 'pending' else kept.state end as state,
  coalesce(kept.at, finished.finished_at) as at, coalesce(kept.original_state, finished.outcome) as originalState, kept.notes,
  case when ${isPending} then null else kept.resolved_by end as resolvedBy,
  case when ${isPending} then null else kept.resolved_at end as resolvedAt
from finished cross join run on run.id = finished.run_id cross join definition on definition.id = run.definition
left join investigation as kept on kept.run_id = finished.run_id and kept.generation = finished.generation
where finished.fingerprint is not null`

// All others of which people said something, or which were declared stale; a scan of what is seldom said.
const ofOthers = `
select run.public_id, definition.name, kept.generation, kept.reason, null, kept.state, kept.at, kept.original_state, kept.notes, kept.resolved_by, kept.resolved_at
from investigation as kept cross join run on run.id = kept.run_id cross join definition on definition.id = run.definition
where kept.state is not null and not exists (
  select 1 from finished where finished.run_id = kept.run_id and finished.generation = kept.generation and fingerprint is not null)`

const findMany = `
select * from (${ofDead} union all ${ofOthers}) as listed
where (cast(?1 as text) is null or id = ?1) and (cast(?2 as text) is null or name = ?2) and (cast(?3 as text) is null or state = ?3)
order by at desc, id desc limit ?4`

// By primary key.
const upsert = `
insert into investigation (run_id, generation, reason, state, at, original_state, notes, resolved_by, resolved_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (run_id, generation) do update set reason = coalesce(investigation.reason, excluded.reason), state = excluded.state, notes = coalesce(excluded.notes, investigation.notes),
  resolved_by = excluded.resolved_by, resolved_at = excluded.resolved_at`

// By primary key prefix.
const closeInvestigation = `
update investigation set state = 'manually_resolved', resolved_by = ?, resolved_at = ? where run_id = ? and state = 'pending'`

/** The statements of this file whose plans are tested. */
export const hotInvestigationStatements = { closeInvestigation }

export function listInvestigations(
  db: Database,
  { id, name, state, limit }: InvestigationPage,
): Query<InvestigationRow[]> {
  return db.all<InvestigationRow>(findMany, id ?? null, name ?? null, state ?? null, limit)
}

export function* keepInvestigation(
  { db, now }: Pick<Ends, 'db' | 'now'>,
  { id, state, notes }: InvestigationRecord,
  by: string | null,
): Query<Investigated> {
  const run = yield* newestRun(db, id)
  if (run === undefined) return 'not_found'
  const { runId, generation } = run
  const rows = yield* listInvestigations(db, { id, limit: 1_000 })
  const before = rows.find((row) => row.generation === generation)
  const isClosing = state !== null && state !== 'pending'
  if (isClosing && before === undefined) return 'missing'
  if (isClosing && before !== undefined && before.state !== 'pending') return before.state
  const reason = before === undefined ? 'manual_dlq' : before.reason
  const originalState = before?.originalState ?? run.state ?? run.outcome
  const at = before?.at ?? wholeMs(now)
  const next = state ?? before?.state ?? 'pending'
  const isKept = state === null && before !== undefined
  const closed = isClosing ? [by, wholeMs(now)] : isKept ? [before.resolvedBy, before.resolvedAt] : [null, null]
  yield* db.run(upsert, runId, generation, reason, next, at, originalState, notes, ...closed)
  return 'kept'
}

/** The run is taken up again: what was to be seen to is. */
export function closeInvestigations(
  { db, now }: Pick<Ends, 'db' | 'now'>,
  runId: number,
  by: string | null,
): Query<unknown> {
  return db.run(closeInvestigation, by, wholeMs(now), runId)
}
