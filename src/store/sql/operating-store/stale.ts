// Runs that have been in one state for too long: found a slice at a time, told once for each such time, and failed where that is wanted.
import type { Ageing, AgeingRun, AgeingSlice, StaleRecord } from '../../investigations.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { wholeMs } from '../database/times.ts'
import { endRuns } from '../runs/moves.ts'
import type { Ends } from '../runs/runs.ts'
import { hasSucceeded } from '../steps/tokens.ts'
import { takeAway } from './taking.ts'

// By primary key.
const findAgeingSlice = `
select max(run_id) as through, count(*) as runs from (select run_id from live where run_id > ? order by run_id limit ?) as slice`

// A part of live by primary key; each of them by primary keys. One that undoes what it did is about to end.
const findAgeing = `
select live.run_id as runId, run.public_id as id, live.definition as definitionId, definition.name, live.generation, live.state,
  coalesce(run.opened_at, run.created_at) as openedAt, live.started_at is not null as hasBegun,
  exists (select 1 from wait where wait.run_id = live.run_id and wait.kind || '' = 'run') as isWorking,
  live.state = 'scheduled' or exists (select 1 from wait where wait.run_id = live.run_id and wait.kind || '' = 'backoff') as isRetrying
from live cross join run on run.id = live.run_id cross join definition on definition.id = live.definition
where live.run_id > ? and live.run_id <= ? and live.undo < 2 and live.definition in (select value from json_each(?))`

// By primary key prefix.
const findSigns = `
select live.run_id as runId, live.started_at as startedAt, coalesce(run.opened_at, run.created_at) as openedAt,
  (select max(finished_at) from step where step.run_id = live.run_id and step.generation = live.generation) as steppedAt,
  (select max(finished_at) from attempt where attempt.run_id = live.run_id and attempt.generation = live.generation) as failedAt
from live cross join run on run.id = live.run_id
where live.run_id in (select value from json_each(?))`

// By primary key.
const findStale = `
select state, epoch, node from live where run_id = ? and generation = ? and state = ? and undo < 2`

// Told once for each time; what a person said stays.
const tellStale = `
insert into investigation (run_id, generation, reason, state, at, original_state, stale_since) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (run_id, generation) do update set stale_since = excluded.stale_since, reason = coalesce(investigation.reason, excluded.reason),
  state = coalesce(excluded.state, investigation.state), resolved_by = null, resolved_at = null
where investigation.stale_since is null or investigation.stale_since <> excluded.stale_since
returning run_id`

/** The statements of this file whose plans are tested. */
export const hotStaleStatements = { findAgeingSlice, findAgeing, findSigns, findStale, tellStale }

type Flag = 'isRetrying' | 'isWorking' | 'hasBegun'
type AgeingRow = Omit<AgeingRun, Flag> & Readonly<Record<Flag, number>>

export function* listAgeing(db: Database, { definitionIds, after, limit }: AgeingSlice): Query<Ageing> {
  const slice = yield* db.get<{ through: number | null; runs: number }>(findAgeingSlice, after, limit)
  const through = slice?.through ?? after
  const rows = yield* db.all<AgeingRow>(findAgeing, after, through, JSON.stringify(definitionIds))
  const runs = rows.map((row): AgeingRun => ({
    ...row,
    isRetrying: row.isRetrying === 1,
    isWorking: row.isWorking === 1,
    hasBegun: row.hasBegun === 1,
  }))
  return { runs, through: (slice?.runs ?? 0) < limit ? 0 : through }
}

export function* listSigns(db: Database, runIds: readonly number[]): Query<ReadonlyMap<number, number>> {
  const rows = yield* db.all<SignRow>(findSigns, JSON.stringify(runIds))
  return new Map(rows.map((row) => [row.runId, latestOf(row)]))
}

interface SignRow {
  readonly runId: number
  readonly startedAt: number | null
  readonly openedAt: number
  readonly steppedAt: number | null
  readonly failedAt: number | null
}

function latestOf({ startedAt, openedAt, steppedAt, failedAt }: SignRow): number {
  return Math.max(startedAt ?? 0, openedAt, steppedAt ?? 0, failedAt ?? 0)
}

interface LiveRow {
  readonly state: string
  readonly epoch: number
  readonly node: number | null
}

/** Race: it may have gone on since it was looked at. */
export function* declareStale(ends: Ends, record: StaleRecord): Query<boolean> {
  const { db, now, outbox } = ends
  const { runId, generation, state, since, limit, isInvestigated, value } = record
  const live = yield* db.get<LiveRow>(findStale, runId, generation, state)
  // Invariant: I11. What was told from outside is its end, and only has to be taken in.
  if (live === undefined || (yield* hasSucceeded(db, { runId, epoch: live.epoch }))) return false
  const opened = isInvestigated ? 'pending' : null
  const reason = isInvestigated ? 'staleness_timeout' : null
  const isNew = yield* db.has(tellStale, runId, generation, reason, opened, wholeMs(now), state, wholeMs(since))
  if (!isNew) return false
  yield* outbox.ofRun('stale', runId, { limit, since: wholeMs(since) })
  if (value === null) return true
  if (state === 'running') yield* takeAway(ends, { runId, epoch: live.epoch, node: live.node })
  yield* endRuns(ends, [{ runId, outcome: 'failed', value }])
  return true
}
