// Starts: the rows of new runs, and the run that an idempotency key already names.
import type { Started, StartRecord } from '../store.ts'
import { takeFrom } from './counters.ts'
import type { Write } from './runs.ts'
import { wholeMs } from './waits.ts'

// The run that was started with an idempotency key before; by primary key of keyed.
const findKeyed = `
select run.id as run_id, run.public_id as id, run.created_at as created_at
from keyed join run on run.id = keyed.run_id
where keyed.definition = ? and keyed.key = ?`

const insertKeyed = `insert into keyed (definition, key, run_id) values (?, ?, ?)`

const insertRun = `
insert into run (id, public_id, definition, queue, input, tags, created_at, deadline_at)
values (?, ?, ?, ?, ?, ?, ?, ?)`

const insertLive = `
insert into live (run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at)
values (?, 1, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?)`

/** The statements of this file whose plans are tested. */
export const hotStartStatements = { findKeyed }

export function insertRuns(write: Write, starts: readonly StartRecord[]): Started[] {
  if (starts.length === 0) return []
  let runId = takeFrom(write.db, 'run', starts.length)
  return starts.map((start) => insertOne(write, start, runId++))
}

function insertOne(write: Write, start: StartRecord, runId: number): Started {
  const known = start.idempotencyKey === null ? undefined : joinKeyed(write, start, runId)
  if (known !== undefined) return known
  const { db, now, nodeId, epoch } = write
  const { id, definitionId, queueId, priority } = start
  const deadlineAt = start.deadlineAt === null ? null : wholeMs(start.deadlineAt)
  db.run(insertRun, runId, id, definitionId, queueId, start.input, start.tags, now, deadlineAt)
  // Invariant: only what waits for a time is in live_due; a run that runs would be found there in vain.
  const laterAt = start.directly || start.dueAt === null ? null : wholeMs(start.dueAt)
  const state = start.directly ? 'running' : laterAt === null ? 'ready' : 'scheduled'
  const dueAt = start.directly ? null : (laterAt ?? deadlineAt)
  const held = start.directly ? { runId, generation: 1, epoch } : undefined
  db.run(
    insertLive,
    runId,
    state,
    queueId,
    definitionId,
    priority,
    dueAt,
    held ? nodeId : null,
    held ? epoch : 0,
    held ? now : null,
  )
  return { id, runId, isNew: true, held, createdAt: now }
}

/** The run that has the key of this start; without one the key is given to `runId`. */
function joinKeyed({ db }: Write, start: StartRecord, runId: number): Started | undefined {
  const known = db.get<{ run_id: number; id: string; created_at: number }>(
    findKeyed,
    start.definitionId,
    start.idempotencyKey,
  )
  if (known === undefined) {
    db.run(insertKeyed, start.definitionId, start.idempotencyKey, runId)
    return undefined
  }
  return { id: known.id, runId: known.run_id, isNew: false, held: undefined, createdAt: known.created_at }
}
