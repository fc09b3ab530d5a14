// Cancelling: a run that is not running ends at once, one that runs is asked to.
import type { CancelAnswer, CancelRecord, CancelRequested } from '../cancels.ts'
import type { Connection } from './connection.ts'
import { cancelRun, forgetRequests } from './moves.ts'
import type { Write } from './runs.ts'

// By the unique public id, then by primary key.
const findLive = `
select run.id as run_id, live.state, live.epoch
from run left join live on live.run_id = run.id
where run.public_id = ?`

// Requests for runs that this node runs; the table is empty but for them. Every commit asks, so it must be walked first:
// that is what cross join says to SQLite, which would scan live otherwise. And what was taken away from it: seldom anything.
const findRequests = `
select cancel_request.run_id, cancel_request.reason, cancel_request.skips_undo, null as epoch
from cancel_request cross join live on live.run_id = cancel_request.run_id
where live.node = ?1
union all
select run_id, '', 0, epoch from taken where node = ?1`

// A scan of what is empty but for that.
const dropTaken = `delete from taken where node = ?`

interface RequestRow {
  readonly run_id: number
  readonly reason: string
  readonly skips_undo: number
  readonly epoch: number | null
}

interface LiveRow {
  readonly run_id: number
  readonly state: string | null
  readonly epoch: number | null
}

/** The statements of this file whose plans are tested. */
export const hotCancelStatements = { findLive, findRequests }

export function cancelRuns(write: Write, cancels: readonly CancelRecord[]): CancelAnswer[] {
  if (cancels.length > 0) forgetRequests(write.db)
  return cancels.map((cancel) => cancelOne(write, cancel))
}

export function listCancelRequests(db: Connection, nodeId: number): CancelRequested[] {
  const rows = db.all<RequestRow>(findRequests, nodeId)
  if (rows.some(({ epoch }) => epoch !== null)) db.run(dropTaken, nodeId)
  return rows.map(({ run_id: runId, reason, skips_undo, epoch }) => {
    const request = { runId, reason, skipsUndo: skips_undo === 1 }
    return epoch === null ? request : { ...request, takenEpoch: epoch }
  })
}

function cancelOne(write: Write, cancel: CancelRecord): CancelAnswer {
  const row = write.db.get<LiveRow>(findLive, cancel.id)
  if (row === undefined) return 'not_found'
  return row.state === null
    ? 'finished'
    : cancelRun(write, { runId: row.run_id, state: row.state, epoch: row.epoch }, cancel)
}
