// The rows of runs that ended, many to a statement.
import type { SettleRecord } from '../store.ts'
import type { Connection } from './connection.ts'
import type { SqlValue } from './driver.ts'

// Measured: with 16 rows a statement that takes the rest from live, half the time of one row of eleven values each.
const rowsAtOnce = 16
const valuesOfRow = 6
const valuesRow = `(${Array.from({ length: valuesOfRow }, () => '?').join(', ')})`

// Invariant: I11. The key of finished lets exactly one outcome in. Live rows by primary key.
const insertFinished = (rows: number): string => `
with ended (run_id, outcome, code, fingerprint, value, attempt) as (values ${Array.from({ length: rows }, () => valuesRow).join(', ')})
insert into finished (run_id, generation, outcome, code, fingerprint, value, attempt, epoch, started_at, finished_at, priority)
select live.run_id, live.generation, ended.outcome, ended.code, ended.fingerprint, ended.value, ended.attempt, live.epoch, live.started_at, ?,
  iif(ended.outcome = 'succeeded', null, live.priority)
from ended cross join live on live.run_id = ended.run_id`

const insertMany = insertFinished(rowsAtOnce)
const insertOne = insertFinished(1)

/** The statements of this file whose plans are tested. */
export const hotFinishedStatements = { insertFinished: insertMany }

export interface EndedRow {
  readonly live: { readonly runId: number }
  readonly end: Pick<SettleRecord, 'outcome' | 'code' | 'fingerprint' | 'value' | 'attempt'>
}

/** Keeps the outcomes of runs whose live rows are still there. */
export function insertFinishedRows(db: Connection, ended: readonly EndedRow[], now: number): void {
  const values: SqlValue[] = []
  let kept = 0
  for (const { live, end } of ended) {
    const { outcome, code, fingerprint, value, attempt } = end
    values.push(live.runId, outcome, code, fingerprint, value, attempt)
    if (values.length === rowsAtOnce * valuesOfRow) kept += db.run(insertMany, ...values.splice(0), now)
  }
  for (let at = 0; at < values.length; at += valuesOfRow) {
    kept += db.run(insertOne, ...values.slice(at, at + valuesOfRow), now)
  }
  if (kept !== ended.length) throw new Error(`Of ${ended.length} ended runs ${kept} were unfinished`)
}
