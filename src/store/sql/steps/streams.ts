// What a run says while it runs: messages, log lines and progress.
import type { Batch, EmitCursor, EmittedRow } from '../../store.ts'
import type { LogPage, LogRow } from '../../views.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import type { Write } from '../runs/runs.ts'

const insertEmitted = `insert into emitted (run_id, epoch, n, value) values (?, ?, ?, ?)`

// By primary key.
const dropEmitted = `delete from emitted where run_id = ? and epoch = ? and n <= ?`

const insertLog = `insert into log (run_id, epoch, n, level, text, fields, at) values (?, ?, ?, ?, ?, ?, ?)`

// Only the newest progress is kept; by primary key.
const upsertProgress = `
insert into progress (run_id, done, total) values (?, ?, ?)
on conflict (run_id) do update set done = excluded.done, total = excluded.total`

// Messages after a cursor, in the order they were sent; walks the primary key.
const findEmitted = `
select epoch, n, value from emitted
where run_id = (select id from run where public_id = ?) and (epoch, n) > (?, ?)
order by epoch, n
limit ?`

// Lines after a cursor, in the order they were said; walks the primary key.
const findLogs = `
select epoch, n, level, text, fields, at from log
where run_id = (select id from run where public_id = ?) and (epoch, n) > (?, ?)
  and level in (select value from json_each(?) /* texts */)
order by epoch, n
limit ?`

/** The statements of this file whose plans are tested. */
export const hotStreamStatements = { upsertProgress, findEmitted, findLogs, dropEmitted }

export function* recordStreams(write: Write, batch: Batch): Query<void> {
  for (const { held, n, value } of yield* write.fence.letIn(batch.emits)) {
    yield* write.db.run(insertEmitted, held.runId, held.epoch, n, value)
  }
  for (const { held, through } of yield* write.fence.letIn(batch.drops)) {
    yield* write.db.run(dropEmitted, held.runId, held.epoch, through)
  }
  for (const { held, n, level, text, fields, at } of yield* write.fence.letIn(batch.logs)) {
    yield* write.db.run(insertLog, held.runId, held.epoch, n, level, text, fields, at)
  }
  for (const { held, done, total } of yield* write.fence.letIn(batch.progress)) {
    yield* write.db.run(upsertProgress, held.runId, done, total)
  }
}

export interface EmittedSlice {
  readonly id: string
  readonly after: EmitCursor
  readonly limit: number
}

export function listEmitted(db: Database, { id, after, limit }: EmittedSlice): Query<EmittedRow[]> {
  return db.all<EmittedRow>(findEmitted, id, after.epoch, after.n, limit)
}

export function listLogs(db: Database, id: string, { after, levels, limit }: LogPage): Query<LogRow[]> {
  return db.all<LogRow>(findLogs, id, after.epoch, after.n, JSON.stringify(levels), limit)
}
