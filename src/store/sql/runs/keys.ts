// Keys of starts: the run that has one, and what is changed of it while nobody has begun it.
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import { scopeOf, type KeyedState, type StartKey } from '../../../model/start-key.ts'
import type { StartRecord } from '../../start.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { backInLine } from '../limiters/limited.ts'
import { readyUntil, type Ends } from './runs.ts'
import { wholeMs, wholeOrNull } from '../database/times.ts'

// The first definition of a name; by the unique name, and the name by primary key.
const findFirst = `
select min(first.id) as id from definition cross join definition as first on first.name = definition.name
where definition.id = ?`

// The run of a key and what has become of it; by primary key throughout.
const findKeyed = `
select keyed.run_id as runId, keyed.ahead, run.parent, run.is_detached as isDetached, run.public_id as id, definition.name, run.created_at as createdAt, live.state, live.epoch,
  live.started_at as startedAt, live.generation, finished.outcome, finished.finished_at as finishedAt
from keyed
join run on run.id = keyed.run_id
join definition on definition.id = run.definition
left join live on live.run_id = run.id
left join finished on finished.run_id = run.id and live.run_id is null
  and finished.generation = (select max(newest.generation) from finished as newest where newest.run_id = run.id)
where keyed.scope = ? and keyed.definition = ? and keyed.key = ?`

// By primary key.
const giveKey = `
insert into keyed (scope, definition, key, run_id, ahead) values (?, ?, ?, ?, ?)
on conflict (scope, definition, key) do update set run_id = excluded.run_id, ahead = excluded.ahead`

const detach = `update run set is_detached = 1, depth = 0 where id = ?`

const findInput = `select input from run where id = ?`

const amendInput = `update run set input = ?, is_unchecked = ? where id = ?`

const appendInput = `update run set input = ?, is_unchecked = coalesce(is_unchecked, ?) where id = ?`

// Its time counts from the call that gave it.
const amendTimes = `update run set deadline_at = ?, expires_at = ?, opened_at = ? where id = ?`

// By primary key.
const postponeRun = `update live set due_at = ? where run_id = ? and state = 'scheduled' and started_at is null`

// By primary key; what waits for its turn is due when its time is up.
const renewLimit = `update live set due_at = ${readyUntil} where run_id = ? and state <> 'running' and started_at is null`

// Makes ready what waits for a time or for another run and was never begun; by primary key.
const wakeUnbegun = `
update live set state = 'ready', due_at = ${readyUntil}
where run_id in (select value from json_each(?)) and started_at is null and state in (${statesBefore(runMoves.wake)})
returning run_id as runId, limited`

/** Of a row of live: it waits for the end of another run, whose key it has; by the index on the runs of keys. */
export const isFollower = `exists (
  select 1 from keyed cross join live as first on first.run_id = keyed.ahead where keyed.run_id = live.run_id)`

const markFollowed = `update live set is_followed = 1 where run_id = ?`

// By the index on ahead.
const takeFollowers = `update keyed set ahead = null where ahead in (select value from json_each(?)) returning run_id as runId`

/** The statements of this file whose plans are tested. */
export const hotKeyStatements = { findFirst, findKeyed, findInput, wakeUnbegun, takeFollowers }

/** The run of a key. */
export interface Keyed {
  readonly runId: number
  readonly id: string
  readonly name: string
  readonly state: Exclude<KeyedState, 'none'>
  /** Its state while it is unfinished. */
  readonly place: string
  /** Of its latest claim; null once it has ended. */
  readonly epoch: number | null
  readonly createdAt: number
  readonly finishedAt: number | null
  /** The run it waits for, or waited for when it was cancelled. */
  readonly ahead: number | null
  /** The run that it ends with. */
  readonly endsWith: number | null
}

interface KeyedRow extends Omit<Keyed, 'state' | 'place' | 'endsWith'> {
  readonly parent: number | null
  readonly isDetached: number
  readonly state: string | null
  readonly startedAt: number | null
  readonly generation: number | null
  readonly outcome: string | null
}

/** Whose keys those of a start are. */
export function* ownerOf(db: Database, { rule }: StartKey, definitionId: number): Query<number> {
  if (rule === 'cache') return definitionId
  const first = yield* db.get<{ id: number }>(findFirst, definitionId)
  return first?.id ?? definitionId
}

export function* findRunOfKey(db: Database, { rule, key }: StartKey, owner: number): Query<Keyed | undefined> {
  const row = yield* db.get<KeyedRow>(findKeyed, scopeOf(rule), owner, key)
  if (row === undefined) return undefined
  const { runId, id, name, epoch, createdAt, finishedAt, ahead, parent } = row
  const endsWith = row.isDetached === 1 ? null : parent
  return { runId, id, name, state: stateOf(row), place: row.state ?? '', epoch, createdAt, finishedAt, ahead, endsWith }
}

/** Gives a key to a run, which may wait for the end of another. */
export function* keepKey(
  db: Database,
  { rule, key }: StartKey,
  run: { readonly owner: number; readonly runId: number; readonly ahead: number | null },
): Query<void> {
  yield* db.run(giveKey, scopeOf(rule), run.owner, key, run.runId, run.ahead)
  if (run.ahead !== null) yield* db.run(markFollowed, run.ahead)
}

/** It goes on when the run that started it ends, as others wait for it too; depth is counted from it. */
export function detachRun(db: Database, runId: number): Query<unknown> {
  return db.run(detach, runId)
}

export function* inputOf(db: Database, runId: number): Query<string> {
  const row = yield* db.get<{ input: string }>(findInput, runId)
  return row?.input ?? 'u'
}

export function changeInput(db: Database, runId: number, { input, isUnchecked }: NewInput): Query<unknown> {
  return db.run(amendInput, input, isUnchecked === true ? 1 : null, runId)
}

/** The same for one that holds what was there before. */
export function extendInput(db: Database, runId: number, { input, isUnchecked }: NewInput): Query<unknown> {
  return db.run(appendInput, input, isUnchecked === true ? 1 : null, runId)
}

type NewInput = Pick<StartRecord, 'input' | 'isUnchecked'>

/** Gives a run the times of a later start. Only what is still scheduled starts later; what is ready stays where it is. */
export function* changeTimes(
  { db, now }: Pick<Ends, 'db' | 'now'>,
  { runId, place, ahead }: Keyed,
  { dueAt, deadlineAt, expiresAt }: Pick<StartRecord, 'dueAt' | 'deadlineAt' | 'expiresAt'>,
): Query<void> {
  yield* db.run(amendTimes, wholeOrNull(deadlineAt), wholeOrNull(expiresAt), now, runId)
  if (place === 'scheduled' && dueAt !== null) yield* db.run(postponeRun, wholeMs(dueAt), runId)
  if (place === 'ready' || ahead !== null) yield* db.run(renewLimit, runId)
}

/** Makes ready runs that nobody has begun and that wait for a time or for another run. */
export function* wakeUnbegunRuns(waking: Waking, runIds: readonly number[]): Query<number> {
  if (runIds.length === 0) return 0
  const woken = yield* waking.db.all<{ runId: number; limited: number }>(wakeUnbegun, JSON.stringify(runIds))
  yield* backInLine(
    waking,
    woken.filter(({ limited }) => limited === 1),
  )
  return woken.length
}

type Waking = Pick<Ends, 'db' | 'admission'>

/** Makes ready what waited for the end of these runs. */
export function* wakeFollowers(waking: Waking, ended: readonly number[]): Query<number> {
  if (ended.length === 0) return 0
  const followers = yield* waking.db.all<{ runId: number }>(takeFollowers, JSON.stringify(ended))
  return yield* wakeUnbegunRuns(
    waking,
    followers.map(({ runId }) => runId),
  )
}

function stateOf({ state, startedAt, generation, outcome }: KeyedRow): Keyed['state'] {
  if (state === null) return outcome === 'succeeded' ? 'succeeded' : 'failed'
  return startedAt === null && generation === 1 && state !== 'running' ? 'waiting' : 'under_way'
}
