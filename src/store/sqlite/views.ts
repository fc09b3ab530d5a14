// What people and handles ask for: read only, from the documented views.
import { runNotFound } from '../../model/errors.ts'
import type { LiveState } from '../../model/run.ts'
import type { FinishedRun } from '../store.ts'
import type { AttemptView, RunFilter, RunPage, RunView, StepView } from '../views.ts'
import type { Connection } from './connection.ts'
import { reasonsOf } from './reasons.ts'

const columns = `
id, name, version, queue, state, code, fingerprint, generation, attempt, deliveries, created_at as createdAt, started_at as startedAt,
finished_at as finishedAt, due_at as dueAt, node, tags, input, value, done, total`

// By the unique public id, then by primary key prefix; the newest generation decides.
const findFinishedRun = `
select outcome, value from finished
where run_id = (select id from run where public_id = ?)
  and not exists (select 1 from live where live.run_id = finished.run_id)
order by generation desc limit 1`

const findOne = `select ${columns} from runs where id = ?`

const hasTags = `not exists (
  select 1 from json_each(?4) as wanted where wanted.value not in (select value from json_each(runs.tags))
)`

const matches = `
select ${columns} from runs
where (?1 is null or name = ?1) and (?2 is null or state = ?2) and (?3 is null or code = ?3)
  and (?4 is null or (tags is not null and ${hasTags})) and (?5 is null or fingerprint = ?5)
  and (?6 is null or run_id < ?6)`

const newestFirst = `
order by run_id desc
limit ?7`

// The newest first; walks the primary key of run backwards.
const findMany = matches + newestFirst

// Of the unfinished ones there are few: walks live instead.
const findManyLive = `${matches} and run_id in (select run_id from live where state = ?2)${newestFirst}`

// Those of a fingerprint, by finished_dead.
const findManyDead = `${matches} and run_id in (select run_id from finished where fingerprint = ?5)${newestFirst}`

const findKey = `select id from run where public_id = ?`

const findSteps = `
select path, seq, kind, attempt, is_error as isError, value, started_at as startedAt, finished_at as finishedAt
from steps where run = ? order by seq`

// By the unique public id, then by primary key prefix.
const findAttempts = `
select path, attempt, error, started_at as startedAt, finished_at as finishedAt from attempt
where run_id = (select id from run where public_id = ?)
order by finished_at, path, attempt`

/** The statements of this file whose plans are tested. */
export const hotViewStatements = {
  findFinishedRun,
  findOne,
  findMany,
  findManyLive,
  findManyDead,
  findSteps,
  findAttempts,
}

const isLive: ReadonlySet<string> = new Set<LiveState>(['ready', 'scheduled', 'running', 'parked'])

export function findFinished(db: Connection, id: string): FinishedRun | undefined {
  return db.get<FinishedRun>(findFinishedRun, id)
}

export function findRun(db: Connection, id: string, now: number): RunView | undefined {
  return withReasons(db, db.all<RunRow>(findOne, id), now)[0]
}

export function listRuns(db: Connection, page: RunPage, now: number): RunView[] {
  const { name, state, code, tags, fingerprint, after, limit } = page
  const before = after === undefined ? null : db.get<{ id: number }>(findKey, after)?.id
  if (before === undefined) throw runNotFound(after ?? '')
  const wanted = tags === undefined ? null : JSON.stringify(tags)
  const values = [name ?? null, state ?? null, code ?? null, wanted, fingerprint ?? null, before, limit]
  return withReasons(db, db.all<RunRow>(listing(page), ...values), now)
}

function listing({ state, fingerprint }: RunFilter): string {
  if (fingerprint !== undefined) return findManyDead
  return state !== undefined && isLive.has(state) ? findManyLive : findMany
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
