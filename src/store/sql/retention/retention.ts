// Deleting what was kept long enough: a slice at a time, from the oldest run on, all that belongs to a run at once.
import type { Retention } from '../../../model/retention.ts'
import type { RunOutcome } from '../../../model/run.ts'
import type { LiveState } from '../../../model/run.ts'
import type { DeletedRun } from '../../operating.ts'
import type { Deleted, DeletionRules, RetentionStore } from '../../retention.ts'
import { mapEach, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { deleteLeftovers } from './leftovers.ts'
import type { Access } from '../database/transaction.ts'

// By primary key: how far the last slice came, and when the next pass begins.
const findPass = `
select
  (select value from counter where name = 'retention_run') as cursor,
  (select value from counter where name = 'retention_at') as dueAt`

const movePass = `update counter set value = case name when 'retention_run' then cast(? as integer) else cast(? as integer) end where name in ('retention_run', 'retention_at')`

// A slice of runs, ended or not, in the order in which they were started; walks the primary key of run, then by primary key.
const findSlice = `
select slice.id as runId, slice.definition, slice.created_at as createdAt, live.run_id is not null as isLive,
  finished.outcome, finished.finished_at as finishedAt,
  exists (select 1 from log where log.run_id = slice.id) as hasLogs,
  exists (select 1 from live as above where above.run_id = slice.parent)
    or exists (select 1 from shared cross join live as fork on fork.run_id = shared.run_id where shared.child = slice.id) as isAwaited
from (select id, definition, created_at, parent from run where id > ? order by id limit ?) as slice
left join live on live.run_id = slice.id
left join finished on finished.run_id = slice.id
  and finished.generation = (select max(newest.generation) from finished as newest where newest.run_id = slice.id)
order by slice.id`

const findPolicies = `select id, retention from definition where retention is not null`

const dropLogs = `delete from log where run_id in (select value from json_each(?))`

/** Every table that has rows of a run beside live, wait and what else goes with its end. */
export const tablesOfRuns = [
  'finished',
  'step',
  'attempt',
  'emitted',
  'log',
  'progress',
  'state',
  'keyed',
  'cancel_request',
  'undoing',
  'token',
  'message',
  'ask',
  'wait',
  'failure',
  'taken',
  'fork_key',
  'shared',
  'investigation',
] as const

const dropRows = tablesOfRuns.map((table) => `delete from ${table} where run_id in (select value from json_each(?))`)

// By public id, then by primary key.
const findState = `
select run.id as runId, live.state from run left join live on live.run_id = run.id where run.public_id = ?`

const dropRuns = `delete from run where id in (select value from json_each(?))`

/** The statements of this file whose plans are tested. */
export const hotRetentionStatements = {
  findPass,
  findSlice,
  findState,
  dropRuns,
  ...Object.fromEntries(tablesOfRuns.map((table, index) => [`drop_${table}`, dropRows[index] ?? ''])),
}

interface SliceRow {
  readonly runId: number
  readonly definition: number
  readonly createdAt: number
  readonly isLive: number
  readonly outcome: RunOutcome | null
  readonly finishedAt: number | null
  readonly hasLogs: number
  /** The run that started it goes on, or a fork of that, and may ask for its result. */
  readonly isAwaited: number
}

export class SqlRetentionStore implements RetentionStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async isDue() {
    const { db, read, now } = this.#access
    return read(function* () {
      const { dueAt } = yield* passOf(db)
      return dueAt <= now()
    })
  }

  deleteExpired(rules: DeletionRules): Promise<Deleted> {
    const { db, write, now } = this.#access
    return write(() => deleteSlice(db, rules, now()))
  }
}

/** Invariant: I3. Deletes those of some runs that have ended. */
export function* deleteEnded(db: Database, ids: readonly string[]): Query<DeletedRun[]> {
  const ended: number[] = []
  const answers = yield* mapEach(ids, function* (id): Query<DeletedRun> {
    const row = yield* db.get<{ runId: number; state: LiveState | null }>(findState, id)
    if (row === undefined) return 'not_found'
    if (row.state !== null) return row.state
    ended.push(row.runId)
    return 'deleted'
  })
  yield* deleteRuns(db, ended)
  return answers
}

/** look at a slice → delete → remember how far it came; past what can have been kept long enough the pass is over. */
function* deleteSlice(db: Database, rules: DeletionRules, now: number): Query<Deleted> {
  const pass = yield* passOf(db)
  // Race: another node may have ended the pass.
  if (pass.dueAt > now) return { runs: 0, audit: 0, events: 0, isPassOver: true }
  const policies = yield* policiesOf(db, rules.defaults)
  const oldestMs = Math.min(
    ...[rules.defaults, ...policies.values()].flatMap((policy) => Object.values(policy).filter((ms) => ms !== null)),
  )
  const rows = yield* db.all<SliceRow>(findSlice, pass.cursor, rules.limit)
  // Invariant: a run ends after it was started, so behind the first that is too young all are.
  const old = rows.filter(({ createdAt }) => createdAt + oldestMs <= now)
  const expired = old.filter((row) => isExpired(row, policies.get(row.definition) ?? rules.defaults, now))
  yield* deleteRuns(
    db,
    expired.map(({ runId }) => runId),
  )
  const logsOf = old.filter(
    (row) => row.hasLogs === 1 && hasOldLogs(row, policies.get(row.definition) ?? rules.defaults, now),
  )
  if (logsOf.length > 0) yield* db.run(dropLogs, JSON.stringify(logsOf.map(({ runId }) => runId)))
  const { audit, events, isOver } = yield* deleteLeftovers(db, rules, now)
  const isPassOver = old.length < rules.limit && isOver
  if (isPassOver) yield* db.run(movePass, 0, Math.ceil(now + rules.pauseMs))
  else yield* db.run(movePass, old.at(-1)?.runId ?? pass.cursor, pass.dueAt)
  return { runs: expired.length, audit, events, isPassOver }
}

function* deleteRuns(db: Database, runIds: readonly number[]): Query<void> {
  if (runIds.length === 0) return
  const ids = JSON.stringify(runIds)
  for (const drop of dropRows) yield* db.run(drop, ids)
  yield* db.run(dropRuns, ids)
}

function* passOf(db: Database): Query<{ readonly cursor: number; readonly dueAt: number }> {
  const pass = yield* db.get<{ cursor: number; dueAt: number }>(findPass)
  return pass ?? { cursor: 0, dueAt: 0 }
}

function* policiesOf(db: Database, defaults: Retention): Query<Map<number, Retention>> {
  const rows = yield* db.all<{ id: number; retention: string }>(findPolicies)
  return new Map(
    rows.map(({ id, retention }) => [id, { ...defaults, ...(JSON.parse(retention) as Partial<Retention>) }]),
  )
}

// Invariant: I3. A run that has not ended, or that was taken up again, is never deleted; nor is one whose result may yet be asked for.
function isExpired({ isLive, isAwaited, outcome, finishedAt }: SliceRow, policy: Retention, now: number): boolean {
  if (isLive === 1 || isAwaited === 1 || outcome === null || finishedAt === null) return false
  const kept = policy[outcome]
  return kept !== null && finishedAt + kept <= now
}

function hasOldLogs({ isLive, finishedAt }: SliceRow, { logs }: Retention, now: number): boolean {
  return isLive === 0 && finishedAt !== null && logs !== null && finishedAt + logs <= now
}
