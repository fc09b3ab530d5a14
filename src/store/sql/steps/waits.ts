// What parked runs wait for, and others whose waits last.
import type { KeepRecord, WaitRecord } from '../../waits.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import type { Write } from '../runs/runs.ts'
import { wholeOrNull } from '../database/times.ts'

export type WaitRow = Omit<WaitRecord, 'key'> & { readonly key: string | null }

const insertWait = `
insert into wait (run_id, path, kind, name, key, due_at) values (?, ?, ?, ?, ?, ?)`

// By primary key. A step that pauses again waits under the path of its last pause.
const keepWait = `
insert into wait (run_id, path, kind, name, key, due_at) values (?, ?, ?, ?, ?, ?)
on conflict (run_id, path) do update set kind = excluded.kind, name = excluded.name, key = excluded.key, due_at = excluded.due_at`

// By primary key.
const dropWait = `delete from wait where run_id = ? and path = ?`

// What is in a scope: 0 follows the slash after it; by primary key.
const dropWaitsWithin = `delete from wait where run_id = ? and path > ? and path < ?`

// By primary key prefix.
const findWaits = `select path, kind, name, key, due_at as dueAt from wait where run_id = ? order by path`

const dropWaits = `delete from wait where run_id = ?`

// By primary key prefix.
const dropWaitsOf = `delete from wait where run_id in (select value from json_each(?))`

/** The statements of this file whose plans are tested. */
export const hotWaitStatements = { findWaits, dropWait, dropWaitsWithin, dropWaits, dropWaitsOf }

/** Keeps what runs wait for that go on: whoever claims one next finds the times of its waits. */
export function* keepWaits({ db, fence }: Write, keeps: readonly KeepRecord[]): Query<void> {
  for (const { held, waits } of yield* fence.letIn(keeps)) {
    for (const { path, kind, name, key, dueAt } of waits) {
      yield* db.run(keepWait, held.runId, path, kind, name, key ?? null, wholeOrNull(dueAt))
    }
  }
}

/** What was waited for is there. */
export function deleteWait(db: Database, runId: number, path: string): Query<unknown> {
  return db.run(dropWait, runId, path)
}

/** Nothing in this scope is waited for any more. */
export function deleteWaitsWithin(db: Database, runId: number, scope: string): Query<unknown> {
  return db.run(dropWaitsWithin, runId, `${scope}/`, `${scope}0`)
}

export function* replaceWaits(db: Database, runId: number, waits: readonly WaitRecord[]): Query<void> {
  yield* db.run(dropWaits, runId)
  for (const { path, kind, name, key, dueAt } of waits) {
    yield* db.run(insertWait, runId, path, kind, name, key ?? null, wholeOrNull(dueAt))
  }
}

export function* waitsOf(db: Database, runId: number): Query<WaitRecord[]> {
  const rows = yield* db.all<WaitRow>(findWaits, runId)
  return rows.map(waitRecord)
}

export function waitRecord({ key, ...wait }: WaitRow): WaitRecord {
  return key === null ? wait : { ...wait, key }
}

export function* deleteWaits(db: Database, runIds: readonly number[]): Query<void> {
  if (runIds.length > 0) yield* db.run(dropWaitsOf, JSON.stringify(runIds))
}
