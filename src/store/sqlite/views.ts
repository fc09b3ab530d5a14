// What people and handles ask for: read only, from the documented views.
import type { FinishedRun, RunFilter } from '../store.ts'
import type { AttemptView, RunView, StepView } from '../views.ts'
import type { Connection } from './connection.ts'
import { reasonsOf } from './reasons.ts'

const columns = `
id, name, version, queue, state, attempt, deliveries, created_at as createdAt, started_at as startedAt,
finished_at as finishedAt, due_at as dueAt, node, tags, input, value, done, total`

// By the unique public id, then by primary key prefix; the newest generation decides.
const findFinishedRun = `
select outcome, value from finished
where run_id = (select id from run where public_id = ?)
  and not exists (select 1 from live where live.run_id = finished.run_id)
order by generation desc limit 1`

const findOne = `select ${columns} from runs where id = ?`

// The newest first; walks the primary key of run backwards.
const findMany = `
select ${columns} from runs
where (?1 is null or name = ?1) and (?2 is null or state = ?2)
order by run_id desc
limit ?3`

const findSteps = `
select path, seq, kind, attempt, is_error as isError, value, started_at as startedAt, finished_at as finishedAt
from steps where run = ? order by seq`

// By the unique public id, then by primary key prefix.
const findAttempts = `
select path, attempt, error, started_at as startedAt, finished_at as finishedAt from attempt
where run_id = (select id from run where public_id = ?)
order by finished_at, path, attempt`

/** The statements of this file whose plans are tested. */
export const hotViewStatements = { findFinishedRun, findOne, findMany, findSteps, findAttempts }

export function findFinished(db: Connection, id: string): FinishedRun | undefined {
  return db.get<FinishedRun>(findFinishedRun, id)
}

export function findRun(db: Connection, id: string, now: number): RunView | undefined {
  return withReasons(db, db.all<RunRow>(findOne, id), now)[0]
}

export function listRuns(db: Connection, filter: RunFilter, now: number): RunView[] {
  const rows = db.all<RunRow>(findMany, filter.name ?? null, filter.state ?? null, filter.limit)
  return withReasons(db, rows, now)
}

export function listSteps(db: Connection, id: string): StepView[] {
  const rows = db.all<Omit<StepView, 'isError'> & { isError: number }>(findSteps, id)
  return rows.map((row) => ({ ...row, isError: row.isError === 1 }))
}

export function listAttempts(db: Connection, id: string): AttemptView[] {
  return db.all<AttemptView>(findAttempts, id)
}

type RunRow = Omit<RunView, 'reason'>

function withReasons(db: Connection, rows: readonly RunRow[], now: number): RunView[] {
  const waiting = rows.filter(({ state, finishedAt }) => finishedAt === null && state !== 'running')
  const reasons = reasonsOf(
    db,
    waiting.map(({ id }) => id),
    now,
  )
  return rows.map((row) => ({ ...row, reason: reasons.get(row.id) ?? null }))
}
