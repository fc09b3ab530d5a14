// The mark of a batch: issued twice, a batch is written once, and the second time only its answer is told.
import type { Batch, Claimed, Committed, Held, Started } from '../store.ts'
import { listCancelRequests } from './cancels.ts'
import type { Connection } from './connection.ts'
import { loadRun } from './runs.ts'

// By primary key; changes nothing when this batch was committed before.
const insertMark = `
insert into mark (node, seq, epoch) values (?, ?, ?)
on conflict (node) do update set seq = excluded.seq, epoch = excluded.epoch where excluded.seq > mark.seq
returning seq`

const findMark = `select epoch from mark where node = ?`

const findStarted = `
select run.id as runId, run.created_at as createdAt, live.epoch, live.node
from run left join live on live.run_id = run.id
where run.public_id = ?`

const findKeyed = `
select run.public_id as id, run.id as runId, run.created_at as createdAt
from keyed join run on run.id = keyed.run_id
where keyed.definition = ? and keyed.key = ?`

// Still under this epoch, unfinished or finished; both by primary key.
const checkEpoch = `
select 1 as is_ours from live where run_id = ? and epoch = ?
union all
select 1 from finished where run_id = ? and generation = ? and epoch = ?`

const findClaimed = `
select live.run_id as runId, live.generation, live.attempt, live.deliveries, live.queue, live.definition
from live where live.node = ? and live.epoch = ? and live.state = 'running'`

interface ClaimedRow {
  readonly runId: number
  readonly generation: number
  readonly attempt: number
  readonly deliveries: number
  readonly queue: number
  readonly definition: number
}

/** Marks a batch as committed; false when it was before. */
export function markBatch(db: Connection, batch: Batch, epoch: number): boolean {
  return db.get(insertMark, batch.nodeId, batch.seq, epoch) !== undefined
}

/** The answer to a batch that was committed and whose answer was lost. */
export function answerAgain(db: Connection, batch: Batch): Committed {
  const epoch = db.get<{ epoch: number }>(findMark, batch.nodeId)?.epoch ?? 0
  const started = batch.starts.map((start): Started => {
    const own = db.get<{ runId: number; createdAt: number; epoch: number | null; node: number | null }>(findStarted, start.id)
    if (own === undefined) {
      const keyed = db.get<{ id: string; runId: number; createdAt: number }>(findKeyed, start.definitionId, start.idempotencyKey)
      if (keyed === undefined) throw new Error(`Batch ${batch.seq} is marked and its run ${start.id} is not there`)
      return { ...keyed, isNew: false, held: undefined }
    }
    const isHere = own.node === batch.nodeId && own.epoch === epoch
    const held = isHere ? { runId: own.runId, generation: 1, epoch } : undefined
    return { id: start.id, runId: own.runId, isNew: true, held, createdAt: own.createdAt }
  })
  const lost = new Set(heldOf(batch).filter((held) => !isOurs(db, held)))
  return {
    isNodeLost: false,
    lost,
    started,
    cancels: batch.cancels.map(() => 'asked'),
    claimed: claimedAgain(db, batch, { epoch, started }),
    cancelRequests: listCancelRequests(db, batch.nodeId),
  }
}

function heldOf(batch: Batch): Held[] {
  const records = [...batch.steps, ...batch.attempts, ...batch.emits, ...batch.logs, ...batch.progress]
  const moves = [...batch.settles, ...batch.retries, ...batch.parks]
  return [...records.map(({ held }) => held), ...moves.map(({ held }) => held), ...batch.releases]
}

function isOurs(db: Connection, { runId, generation, epoch }: Held): boolean {
  return db.get(checkEpoch, runId, epoch, runId, generation, epoch) !== undefined
}

function claimedAgain(
  db: Connection,
  batch: Batch,
  known: { epoch: number; started: readonly Started[] },
): Claimed[][] {
  const startedIds = new Set(known.started.map(({ runId }) => runId))
  const rows = db.all<ClaimedRow>(findClaimed, batch.nodeId, known.epoch)
  const claimed = rows.filter(({ runId }) => !startedIds.has(runId))
  return batch.claims.map((claim) =>
    claimed
      .filter((row) => claim.queueIds.includes(row.queue) && claim.definitionIds.includes(row.definition))
      .map(({ runId, generation, attempt, deliveries }) =>
        loadRun(db, { runId, generation, epoch: known.epoch }, attempt, deliveries),
      ),
  )
}
