// The journal: the steps a run remembers and the attempts that failed.
import type { AttemptRecord, Lives, RememberedAttempt, RememberedStep, StepKind, StepRecord } from '../../store.ts'
import type { Held } from '../../store.ts'
import type { StepOfGeneration } from '../../callers.ts'
import type { TurnRecord } from '../../waits.ts'
import type { Query } from '../../query.ts'
import { undonePath } from '../../../model/path.ts'
import type { Database, SqlValue } from '../database/database.ts'
import { answerAsk } from './asks.ts'
import { ManyRows, type ColumnKind } from '../database/many-rows.ts'
import { forgetMessage } from './messages.ts'
import { closeTokensOfStep, closeTokensWithin } from './tokens.ts'
import type { Write } from '../runs/runs.ts'
import { deleteWait, deleteWaitsWithin } from './waits.ts'

// Invariant: I1. The key (run_id, generation, path) lets one result in.
const insertSteps = new ManyRows(
  [
    'integer',
    'integer',
    'text',
    'integer',
    'text',
    'integer',
    'integer',
    'text',
    ...Array<ColumnKind>(4).fill('integer'),
  ],
  (rows) => `
insert into step (run_id, generation, path, seq, kind, attempt, is_error, value, epoch, started_at, finished_at, has_undo)
${rows}`,
)

// By primary key.
const markUndo = `update live set undo = 1 where run_id = ? and undo = 0`

// By primary key.
const putTurn = `
insert into step (run_id, generation, path, seq, kind, attempt, is_error, value, epoch, started_at, finished_at)
values (?, ?, ?, ?, 'loop', 1, 0, ?, ?, ?, ?)
on conflict (run_id, generation, path) do update set seq = excluded.seq, value = excluded.value, epoch = excluded.epoch,
  started_at = excluded.started_at, finished_at = excluded.finished_at`

// What is in a scope: 0 follows the slash after it; by primary key.
const forgetSteps = `delete from step where run_id = ? and generation = ? and path > ? and path < ?`
const forgetAttempts = `delete from attempt where run_id = ? and generation = ? and path > ? and path < ?`

const insertAttempt = `
insert into attempt (run_id, generation, path, attempt, epoch, error, started_at, finished_at)
values (?, ?, ?, ?, ?, ?, ?, ?)`

// The whole journal of a run in the order it was written; by primary key prefix.
const findSteps = `
select path, seq, kind, is_error, value, has_undo from step
where run_id = ? and generation = ?
order by seq`

// What earlier generations did, the newest first; by primary key prefix.
const findFormerSteps = `
select path, seq, kind, is_error, value, 0 as has_undo, generation from step
where run_id = ? and generation < ? and kind <> 'undo'
order by generation desc`

// When its steps were last undone; by primary key prefix.
const findLastUndone = `
select path, max(generation) as generation from step
where run_id = ? and generation < ? and kind = 'undo' and is_error = 0
group by path`

// How often each step failed so far in this generation, and the run itself since it was started or tried again by a person; by primary key prefix.
const findAttempts = `
select path, count(*) as failed, min(started_at) as first_started_at from attempt
where run_id = ?1 and generation = ?2 and path <> ''
group by path
union all
select '', count(*), min(started_at) from attempt
where run_id = ?1 and path = ''
  and generation > (select coalesce(max(generation), 0) from finished where run_id = ?1)
having count(*) > 0`

/** The statements of this file whose plans are tested. */
export const hotStepStatements = {
  findSteps,
  findFormerSteps,
  findLastUndone,
  findAttempts,
  forgetSteps,
  forgetAttempts,
  markUndo,
}

// Known as done by that generation, or one that another input took the place of: of that nothing is left. By primary keys.
const findPast = `
select 1 from (select ? as run_id, ? as generation, ? as path) as asked
where exists (select 1 from step where step.run_id = asked.run_id and step.generation = asked.generation and step.path = asked.path and is_error = 0)
  or (not exists (select 1 from step where step.run_id = asked.run_id and step.generation = asked.generation)
    and not exists (select 1 from finished where finished.run_id = asked.run_id and finished.generation = asked.generation))`

export function isPast(db: Database, { runId, generation, path }: StepOfGeneration): Query<boolean> {
  return db.has(findPast, runId, generation, path)
}

export function* recordSteps(write: Write, steps: readonly StepRecord[]): Query<void> {
  const values: SqlValue[] = []
  for (const step of yield* write.fence.letIn(steps)) {
    const { held, path, seq, kind, attempt, value, startedAt, finishedAt } = step
    const { runId, generation, epoch } = held
    const isError = step.isError ? 1 : 0
    const hasUndo = step.hasUndo === true ? 1 : 0
    values.push(runId, generation, path, seq, kind, attempt, isError, value, epoch, startedAt, finishedAt, hasUndo)
    if (hasUndo === 1) yield* markUndoable(write.db, runId)
    if (step.hadToken === true) yield* closeTokensOfStep(write.db, runId, path)
    if (step.hadWait === true) yield* deleteWait(write.db, runId, path)
    if (step.ask !== undefined) yield* answerAsk(write.db, step, step.ask)
    if (step.message !== undefined) yield* forgetMessage(write.db, runId, step.message)
    for (const event of step.events ?? []) yield* write.outbox.add(event)
  }
  yield* insertSteps.write(write.db, values)
}

/** Something in a run can be undone. */
export function markUndoable(db: Database, runId: number): Query<unknown> {
  return db.run(markUndo, runId)
}

/** Keeps the newest state of a loop alone. */
export function* recordTurns(write: Write, turns: readonly TurnRecord[]): Query<void> {
  for (const { held, over, hadWaits, hadTokens, ...turn } of yield* write.fence.letIn(turns)) {
    const { runId, generation, epoch } = held
    const { path, seq, value, startedAt, finishedAt } = turn
    yield* write.db.run(putTurn, runId, generation, path, seq, value, epoch, startedAt, finishedAt)
    for (const sql of [forgetSteps, forgetAttempts]) yield* write.db.run(sql, runId, generation, `${over}/`, `${over}0`)
    if (hadTokens === true) yield* closeTokensWithin(write.db, runId, over)
    if (hadWaits === true || hadTokens === true) yield* deleteWaitsWithin(write.db, runId, over)
  }
}

export function* recordAttempts(write: Write, attempts: readonly AttemptRecord[]): Query<void> {
  for (const attempt of yield* write.fence.letIn(attempts)) {
    const { runId, generation, epoch } = attempt.held
    yield* write.db.run(
      insertAttempt,
      runId,
      generation,
      attempt.path,
      attempt.attempt,
      epoch,
      attempt.error,
      attempt.startedAt,
      attempt.finishedAt,
    )
    if (attempt.hadToken === true) yield* closeTokensOfStep(write.db, runId, attempt.path)
    for (const event of attempt.events ?? []) yield* write.outbox.add(event)
  }
}

export interface Journal {
  readonly steps: readonly RememberedStep[]
  readonly failedAttempts: readonly RememberedAttempt[]
}

export function* journalOf(db: Database, held: Held): Query<Journal> {
  const steps = yield* db.all<StepRow>(findSteps, held.runId, held.generation)
  const attempts = yield* db.all<{ path: string; failed: number; first_started_at: number }>(
    findAttempts,
    held.runId,
    held.generation,
  )
  return {
    steps: steps.map(rememberedStep),
    failedAttempts: attempts.map((row) => ({
      path: row.path,
      failed: row.failed,
      firstStartedAt: row.first_started_at,
    })),
  }
}

/** What a run did in the generations before this one and does not remember. What was before it went on as a new one is none of it: of that nothing is left. */
export function* formerStepsOf(
  db: Database,
  { runId, generation }: Held,
  steps: readonly RememberedStep[],
): Query<RememberedStep[]> {
  const known = new Set(steps.map(({ path }) => path))
  const former: RememberedStep[] = []
  let life = generation
  const rows = yield* db.all<StepRow & { generation: number }>(findFormerSteps, runId, generation)
  for (const row of rows) {
    if (row.generation < life - 1) break
    life = row.generation
    if (!known.has(row.path)) former.push(rememberedStep(row))
    known.add(row.path)
  }
  return former.toSorted((left, right) => left.seq - right.seq)
}

export function* livesOf(db: Database, { runId, generation }: Held, anewIn: number | null): Query<Lives> {
  const undone = yield* db.all<{ path: string; generation: number }>(findLastUndone, runId, generation)
  return { run: anewIn ?? 1, steps: new Map(undone.map((step) => [undonePath(step.path), step.generation + 1])) }
}

interface StepRow {
  readonly path: string
  readonly seq: number
  readonly kind: StepKind
  readonly is_error: number
  readonly value: string
  readonly has_undo: number
}

function rememberedStep({ path, seq, kind, is_error, value, has_undo }: StepRow): RememberedStep {
  const step = { path, seq, kind, isError: is_error === 1, value }
  if (has_undo === 0) return step
  return has_undo === 2 ? { ...step, hasUndo: true, isByHand: true } : { ...step, hasUndo: true }
}
