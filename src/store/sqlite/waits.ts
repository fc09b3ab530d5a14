// What parked runs wait for.
import type { WaitRecord } from '../waits.ts'
import type { Connection } from './connection.ts'
import { wholeOrNull } from './times.ts'

const insertWait = `
insert into wait (run_id, path, kind, name, due_at) values (?, ?, ?, ?, ?)`

// By primary key prefix.
const findWaits = `select path, kind, name, due_at as dueAt from wait where run_id = ?`

const dropWaits = `delete from wait where run_id = ?`

// By primary key prefix.
const dropWaitsOf = `delete from wait where run_id in (select value from json_each(?))`

/** The statements of this file whose plans are tested. */
export const hotWaitStatements = { findWaits, dropWaits, dropWaitsOf }

export function replaceWaits(db: Connection, runId: number, waits: readonly WaitRecord[]): void {
  db.run(dropWaits, runId)
  for (const { path, kind, name, dueAt } of waits) {
    db.run(insertWait, runId, path, kind, name, wholeOrNull(dueAt))
  }
}

export function waitsOf(db: Connection, runId: number): WaitRecord[] {
  return db.all<WaitRecord>(findWaits, runId)
}

export function deleteWaits(db: Connection, runIds: readonly number[]): void {
  if (runIds.length > 0) db.run(dropWaitsOf, JSON.stringify(runIds))
}
