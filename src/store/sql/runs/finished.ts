// The rows of runs that ended, many to a statement.
import type { SettleRecord } from '../../store.ts'
import type { Query } from '../../query.ts'
import type { Database, SqlValue } from '../database/database.ts'
import { ManyRows } from '../database/many-rows.ts'

// Invariant: I11. The key of finished lets exactly one outcome in. Live rows by primary key.
// Measured: taking the rest from live, half the time of a row of eleven values each.
const insertFinished = new ManyRows(
  ['integer', 'text', 'text', 'text', 'text', 'integer'],
  (rows) => `
with ended (run_id, outcome, code, fingerprint, value, attempt) as (${rows})
insert into finished (run_id, generation, outcome, code, fingerprint, value, attempt, epoch, started_at, finished_at, priority)
select live.run_id, live.generation, ended.outcome, ended.code, ended.fingerprint, ended.value, cast(ended.attempt as integer), live.epoch, live.started_at, cast(? as integer),
  case when ended.outcome = 'succeeded' then null else live.priority end
from ended cross join live on live.run_id = cast(ended.run_id as integer)`,
)

/** The statements of this file whose plans are tested. */
export const hotFinishedStatements = { insertFinished: insertFinished.sqlFor(16) }

export interface EndedRow {
  readonly live: { readonly runId: number }
  readonly end: Pick<SettleRecord, 'outcome' | 'code' | 'fingerprint' | 'value' | 'attempt'>
}

/** Keeps the outcomes of runs whose live rows are still there. */
export function* insertFinishedRows(db: Database, ended: readonly EndedRow[], now: number): Query<void> {
  const values: SqlValue[] = []
  for (const { live, end } of ended) {
    const { outcome, code, fingerprint, value, attempt } = end
    values.push(live.runId, outcome, code, fingerprint, value, attempt)
  }
  yield* insertFinished.write(db, values, now)
}
