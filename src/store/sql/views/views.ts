// What people and handles ask for: read only, from the documented views.
import { runNotFound } from '../../../model/errors.ts'
import { turnFrom } from '../../../model/limiter.ts'
import type { LiveState } from '../../../model/run.ts'
import type { FinishedRun } from '../../store.ts'
import type { PickedRun, PickPage } from '../../operating.ts'
import type { AttemptView, RunsWhere, RunPage, RunView, StepView } from '../../views.ts'
import type { WaitRecord } from '../../waits.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { waitRecord, type WaitRow } from '../steps/waits.ts'
import { reasonsOf } from './reasons.ts'

const columns = `
id, name, version, queue, state, code, fingerprint, generation, attempt, deliveries, created_at as createdAt, started_at as startedAt,
finished_at as finishedAt, due_at as dueAt,
(select undoing.outcome from undoing where undoing.run_id = runs.run_id) as undoingOutcome,
(select undoing.value from undoing where undoing.run_id = runs.run_id) as undoingValue, node, tags, correlation_id as correlationId, input, value, done, total,
(select above.public_id from run as above where above.id = (select child.parent from run as child where child.id = runs.run_id)) as parent,
(select run.forked_from from run where run.id = runs.run_id) as forkedFrom,
(select schedule.name from schedule where schedule.id = (select run.schedule from run where run.id = runs.run_id)) as schedule,
(select coalesce(scheduled_at, case when schedule is null then null else created_at end) from run where run.id = runs.run_id) as scheduledAt`

// By the unique public id, then by primary key prefix; the newest generation decides.
const findFinishedRun = `
select finished.outcome, finished.value
from run
left join live on live.run_id = run.id
left join finished on finished.run_id = run.id and live.run_id is null
where run.public_id = ?
order by finished.generation desc limit 1`

const findOne = `select ${columns} from runs where id = ?`

const hasTags = `not exists (
  select 1 from json_each(?4) as wanted where wanted.value not in (select tag.value from json_each(runs.tags) as tag)
)`

// Walks run_parent.
const children = `select run.id from run where run.parent = (select above.id from run as above where above.public_id = ?8)`

// A list that is not given is no list.
const isAnyState = `?2 is null /* texts */`

const matches = `
where (cast(?1 as text) is null or name = ?1) and (${isAnyState} or state in (select value from json_each(?2) /* texts */)) and (cast(?3 as text) is null or code = ?3)
  and (cast(?4 as text) is null or (tags is not null and ${hasTags})) and (cast(?5 as text) is null or fingerprint = ?5)
  and (cast(?6 as integer) is null or run_id < ?6)`

const newestFirst = `
order by run_id desc
limit ?7`

// The newest first; walks the primary key of run backwards.
const findMany = `select ${columns} from runs ${matches}${newestFirst}`

// Of the unfinished ones there are few: walks live instead.
const areLive = `and run_id in (select run_id from live where state in (select value from json_each(?2) /* texts */))`
const findManyLive = `select ${columns} from runs ${matches} ${areLive}${newestFirst}`

// Those of a fingerprint, by finished_dead.
const areDead = `and run_id in (select run_id from finished where fingerprint = ?5)`
const findManyDead = `select ${columns} from runs ${matches} ${areDead}${newestFirst}`

// Those that a run started, by run_parent.
const areChildren = `and run_id in (${children})`
const findManyChildren = `select ${columns} from runs ${matches} ${areChildren}${newestFirst}`

// The same, to do something to them.
const picked = 'run_id as runId, id, name'
const pickMany = `select ${picked} from runs ${matches}${newestFirst}`
const pickManyLive = `select ${picked} from runs ${matches} ${areLive}${newestFirst}`
const pickManyChildren = `select ${picked} from runs ${matches} ${areChildren}${newestFirst}`
const pickManyDead = `select ${picked} from runs ${matches} ${areDead}${newestFirst}`

// The same, to be counted.
const countMany = `select count(*) as runs from runs ${matches} and cast(?7 as integer) is null`
const countManyLive = `select count(*) as runs from runs ${matches} ${areLive} and cast(?7 as integer) is null`
const countManyChildren = `select count(*) as runs from runs ${matches} ${areChildren} and cast(?7 as integer) is null`
const countManyDead = `select count(*) as runs from runs ${matches} ${areDead} and cast(?7 as integer) is null`

const findKey = `select id from run where public_id = ?`

const findSteps = `
select path, seq, kind, attempt, is_error as isError, value, started_at as startedAt, finished_at as finishedAt
from steps where run = ? order by seq`

// By the unique public id, then by primary key prefix.
const findOpenWaits = `
select path, kind, key, due_at as dueAt, name from wait
where run_id = (select id from run where public_id = ?) and kind not in ('diverged', 'end')
order by due_at is null, due_at, path`

const findLimiterNames = `select id, name from limiter`

// And the ends of its earlier generations. By the unique public id, then by primary key prefix.
const findAttempts = `
select path, generation, attempt, error, started_at as startedAt, finished_at as finishedAt from attempt
where run_id = (select id from run where public_id = ?1)
union all
select '', generation, attempt, value, coalesce(started_at, finished_at), finished_at from finished as ended
where run_id = (select id from run where public_id = ?1) and (
  exists (select 1 from live where live.run_id = ended.run_id)
  or exists (select 1 from finished as later where later.run_id = ended.run_id and later.generation > ended.generation)
)
order by finishedAt, path, attempt`

/** The statements of this file whose plans are tested. */
export const hotViewStatements = {
  findFinishedRun,
  findOne,
  findMany,
  findManyLive,
  findManyDead,
  findManyChildren,
  pickManyDead,
  countManyDead,
  findSteps,
  findOpenWaits,
  findAttempts,
}

const isLive: ReadonlySet<string> = new Set<LiveState>(['ready', 'scheduled', 'running', 'parked'])

export function* findFinished(db: Database, id: string): Query<FinishedRun | undefined> {
  const row = yield* db.get<FinishedRun | { outcome: null }>(findFinishedRun, id)
  if (row === undefined) throw runNotFound(id)
  return row.outcome === null ? undefined : row
}

export function* findRun(db: Database, id: string, now: number): Query<RunView | undefined> {
  const rows = yield* db.all<RunRow>(findOne, id)
  const [run] = yield* withReasons(db, rows, now)
  return run
}

export function* listRuns(db: Database, page: RunPage, now: number): Query<RunView[]> {
  const { after, limit } = page
  const last = after === undefined ? { id: null } : yield* db.get<{ id: number }>(findKey, after)
  if (last === undefined) throw runNotFound(after ?? '')
  const listing = listings[walkOf(page)]
  const rows = yield* db.all<RunRow>(listing, ...valuesOf(page), last.id, limit, ...parentOf(page))
  return yield* withReasons(db, rows, now)
}

export function pickRuns(db: Database, filter: RunsWhere, { before, limit }: PickPage): Query<PickedRun[]> {
  return db.all<PickedRun>(picks[walkOf(filter)], ...valuesOf(filter), before, limit, ...parentOf(filter))
}

export function* countRuns(db: Database, filter: RunsWhere): Query<number> {
  const count = counts[walkOf(filter)]
  const row = yield* db.get<{ runs: number }>(count, ...valuesOf(filter), null, null, ...parentOf(filter))
  return row?.runs ?? 0
}

const listings = { all: findMany, live: findManyLive, dead: findManyDead, children: findManyChildren }
const picks = { all: pickMany, live: pickManyLive, dead: pickManyDead, children: pickManyChildren }
const counts = { all: countMany, live: countManyLive, dead: countManyDead, children: countManyChildren }

function walkOf({ state, fingerprint, parent }: RunsWhere): keyof typeof listings {
  if (parent !== undefined) return 'children'
  if (fingerprint !== undefined) return 'dead'
  return state !== undefined && [state].flat().every((one) => isLive.has(one)) ? 'live' : 'all'
}

function parentOf({ parent }: RunsWhere): string[] {
  return parent === undefined ? [] : [parent]
}

function valuesOf({ name, state, code, tags, fingerprint }: RunsWhere): (string | null)[] {
  const listed = (values: readonly string[] | undefined): string | null => (values ? JSON.stringify(values) : null)
  return [name ?? null, listed(state && [state].flat()), code ?? null, listed(tags), fingerprint ?? null]
}

export function* listSteps(db: Database, id: string): Query<StepView[]> {
  const rows = yield* db.all<Omit<StepView, 'isError'> & { isError: number }>(findSteps, id)
  return rows.map((row) => ({ ...row, isError: row.isError === 1 }))
}

export function* listWaits(db: Database, id: string): Query<WaitRecord[]> {
  const rows = yield* db.all<WaitRow>(findOpenWaits, id)
  if (!rows.some(({ kind }) => kind === 'limiter')) return rows.map(waitRecord)
  const limiters = yield* db.all<{ id: number; name: string }>(findLimiterNames)
  const nameOf = new Map(limiters.map(({ id, name }) => [id, name]))
  const shown = (turn: string): string =>
    turnFrom(turn)
      .uses.map(({ limiterId }) => nameOf.get(limiterId) ?? '')
      .join(', ')
  return rows.map((row) => waitRecord(row.kind === 'limiter' ? { ...row, name: shown(row.name ?? '') } : row))
}

export function listAttempts(db: Database, id: string): Query<AttemptView[]> {
  return db.all<AttemptView>(findAttempts, id)
}

type RunRow = Omit<RunView, 'reason'>

function* withReasons(db: Database, rows: readonly RunRow[], now: number): Query<RunView[]> {
  const unfinished = rows.filter(({ finishedAt }) => finishedAt === null)
  const reasons = yield* reasonsOf(
    db,
    unfinished.map(({ id }) => id),
    now,
  )
  return rows.map((row) => ({ ...row, reason: reasons.get(row.id) ?? null }))
}
