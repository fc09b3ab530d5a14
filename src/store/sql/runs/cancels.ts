// Cancelling: a run that is not running ends at once, one that runs is asked to.
import type { AskedOfNode, CancelAnswer, CancelRecord, CancelRequested, TakenRun } from '../../cancels.ts'
import { mapEach, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { cancelRun, forgetRequests } from './moves.ts'
import type { Write } from './runs.ts'

// By the unique public id, then by primary key.
const findLive = `
select run.id as run_id, live.state, live.epoch
from run left join live on live.run_id = run.id
where run.public_id = ?`

// Requests for runs that this node runs; the table is empty but for them. Every commit asks, so it is walked first, and live by primary key.
// In the same breath what was taken away from it: seldom anything.
const findAsked = `
select run_id, reason, skips_undo, null as epoch
from cancel_request where (select live.node from live where live.run_id = cancel_request.run_id) = ?1
union all
select run_id, '', 0, epoch from taken where node = ?1`

// A scan of what is empty but for that.
const dropTaken = `delete from taken where node = ?`

interface AskedRow {
  readonly run_id: number
  readonly reason: string
  readonly skips_undo: number
  /** Set for what was taken away. */
  readonly epoch: number | null
}

interface LiveRow {
  readonly run_id: number
  readonly state: string | null
  readonly epoch: number | null
}

/** The statements of this file whose plans are tested. */
export const hotCancelStatements = { findLive, findAsked }

export function* cancelRuns(write: Write, cancels: readonly CancelRecord[]): Query<CancelAnswer[]> {
  if (cancels.length > 0) yield* forgetRequests(write.db)
  return yield* mapEach(cancels, (cancel) => cancelOne(write, cancel))
}

const nothingAsked: AskedOfNode = { cancelRequests: [], taken: [] }

/** What others ask of a node, and what they took away from it, which `forgetTaken` is for once it is told. */
export function* askedOfNode(db: Database, nodeId: number): Query<AskedOfNode> {
  const rows = yield* db.all<AskedRow>(findAsked, nodeId)
  if (rows.length === 0) return nothingAsked
  const cancelRequests: CancelRequested[] = []
  const taken: TakenRun[] = []
  for (const { run_id: runId, reason, skips_undo, epoch } of rows) {
    if (epoch === null) cancelRequests.push({ runId, reason, skipsUndo: skips_undo === 1 })
    else taken.push({ runId, epoch })
  }
  return { cancelRequests, taken }
}

/** A node is told once. */
export function* forgetTaken(db: Database, nodeId: number, taken: readonly TakenRun[]): Query<void> {
  if (taken.length > 0) yield* db.run(dropTaken, nodeId)
}

function* cancelOne(write: Write, cancel: CancelRecord): Query<CancelAnswer> {
  const row = yield* write.db.get<LiveRow>(findLive, cancel.id)
  if (row === undefined) return 'not_found'
  if (row.state === null) return 'finished'
  return yield* cancelRun(write, { runId: row.run_id, state: row.state, epoch: row.epoch }, cancel)
}
