// What is known of a run and of its steps to those who do something to it: by its id, in its newest generation.
import { undonePath } from '../../../model/path.ts'
import type { LiveState, RunOutcome } from '../../../model/run.ts'
import type { StepOfGeneration } from '../../callers.ts'
import type { StepKind } from '../../store.ts'
import type { WaitKind } from '../../waits.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

// By the unique public id, then by primary key; of what has ended the newest of its outcomes.
const findNewestRun = `
select run.id as runId, run.definition, live.state, live.node, coalesce(live.generation, finished.generation) as generation,
  coalesce(live.epoch, finished.epoch) as epoch, coalesce(live.priority, finished.priority, 0) as priority, coalesce(live.undo, 0) as undo,
  finished.outcome, finished.code, coalesce(finished.started_at, finished.finished_at) as startedAt, finished.finished_at as finishedAt
from run
left join live on live.run_id = run.id
left join finished on finished.run_id = run.id and live.run_id is null
where run.public_id = ?
order by finished.generation desc
limit 1`

// By primary key.
const findRecorded = `select seq, kind, is_error as isError from step where run_id = ? and generation = ? and path = ?`

// By primary keys.
const findTried = `select 1 from attempt where run_id = ? and generation = ? and path = ? limit 1`
const findWaitOfStep = `select kind from wait where run_id = ? and path = ?`

// By primary key prefix.
const findUndone = `select path from step where run_id = ? and generation = ? and kind = 'undo' and is_error = 0`
const findUndoable = `select path from step where run_id = ? and generation = ? and has_undo > 0`

/** The statements of this file whose plans are tested. */
export const hotKnownStatements = { findNewestRun, findRecorded, findTried, findWaitOfStep, findUndone, findUndoable }

/** A run in its newest generation; without a state it has ended, and has an outcome. */
export interface NewestRun extends Generation {
  readonly definition: number
  readonly state: LiveState | null
  readonly node: number | null
  readonly epoch: number
  readonly priority: number
  /** 2 when it undoes what it did. */
  readonly undo: number
  readonly outcome: RunOutcome | null
  readonly code: string | null
  readonly startedAt: number | null
  readonly finishedAt: number | null
}

/** One life of a run. */
export type Generation = Omit<StepOfGeneration, 'path'>

export function newestRun(db: Database, id: string): Query<NewestRun | undefined> {
  return db.get<NewestRun>(findNewestRun, id)
}

export interface RecordedStep {
  readonly seq: number
  readonly kind: StepKind
  readonly isError: number
}

export function recordedStep(
  db: Database,
  { runId, generation }: Generation,
  path: string,
): Query<RecordedStep | undefined> {
  return db.get<RecordedStep>(findRecorded, runId, generation, path)
}

/** Whether an attempt of it has failed. */
export function isTried(db: Database, { runId, generation }: Generation, path: string): Query<boolean> {
  return db.has(findTried, runId, generation, path)
}

/** What it waits for. */
export function* waitOfStep(db: Database, { runId }: Generation, path: string): Query<WaitKind | undefined> {
  const row = yield* db.get<{ kind: WaitKind }>(findWaitOfStep, runId, path)
  return row?.kind
}

/** The steps of a generation that were undone. */
export function* undoneSteps(db: Database, run: Generation): Query<string[]> {
  const paths = yield* pathsOf(db, findUndone, run)
  return paths.map(undonePath)
}

/** Those that have something to undo. */
export function undoableSteps(db: Database, run: Generation): Query<string[]> {
  return pathsOf(db, findUndoable, run)
}

function* pathsOf(db: Database, sql: string, { runId, generation }: Generation): Query<string[]> {
  const rows = yield* db.all<{ path: string }>(sql, runId, generation)
  return rows.map(({ path }) => path)
}
