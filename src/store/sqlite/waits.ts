// What parked runs wait for.
import type { WaitRecord } from '../waits.ts'
import type { Connection } from './connection.ts'
import { wholeOrNull } from './times.ts'

const insertWait = `
insert into wait (run_id, path, kind, name, key, due_at) values (?, ?, ?, ?, ?, ?)`

// By primary key prefix.
const findWaits = `select path, kind, name, key, due_at as dueAt from wait where run_id = ?`

const dropWaits = `delete from wait where run_id = ?`

// By primary key prefix.
const dropWaitsOf = `delete from wait where run_id in (select value from json_each(?))`

/** The statements of this file whose plans are tested. */
export const hotWaitStatements = { findWaits, dropWaits, dropWaitsOf }

export function replaceWaits(db: Connection, runId: number, waits: readonly WaitRecord[]): void {
  db.run(dropWaits, runId)
  for (const { path, kind, name, key, dueAt } of waits) {
    db.run(insertWait, runId, path, kind, name, key ?? null, wholeOrNull(dueAt))
  }
}

export function waitsOf(db: Connection, runId: number): WaitRecord[] {
  const rows = db.all<Omit<WaitRecord, 'key'> & { key: string | null }>(findWaits, runId)
  return rows.map(({ key, ...wait }) => (key === null ? wait : { ...wait, key }))
}

export function deleteWaits(db: Connection, runIds: readonly number[]): void {
  if (runIds.length > 0) db.run(dropWaitsOf, JSON.stringify(runIds))
}
