// Starts: the rows of new runs, and the run that an idempotency key already names.
import type { Started, StartRecord } from '../store.ts'
import { takeFrom } from './counters.ts'
import { NewRuns, type Beginning } from './new-runs.ts'
import type { Write } from './runs.ts'
import { wholeMs } from './waits.ts'

// The run that was started with an idempotency key before; by primary key of keyed.
const findKeyed = `
select run.id as run_id, run.public_id as id, run.created_at as created_at
from keyed join run on run.id = keyed.run_id
where keyed.definition = ? and keyed.key = ?`

const insertKeyed = `insert into keyed (definition, key, run_id) values (?, ?, ?)`

/** The statements of this file whose plans are tested. */
export const hotStartStatements = { findKeyed }

export function insertRuns(write: Write, starts: readonly StartRecord[]): Started[] {
  if (starts.length === 0) return []
  const runs = new NewRuns(write)
  let runId = takeFrom(write.db, 'run', starts.length)
  const started: Started[] = []
  for (const start of starts) {
    const number = runId++
    started.push(
      (start.idempotencyKey === null ? undefined : joinKeyed(write, { start, runs }, number)) ??
        begin(write, { start, runs }, number),
    )
  }
  runs.write()
  return started
}

interface Beginner {
  readonly start: StartRecord
  readonly runs: NewRuns
}

function begin({ now, epoch, paused }: Write, { start, runs }: Beginner, runId: number): Started {
  const isDirect = start.directly && !paused.has(start.queueId)
  runs.add(runId, start, beginningOf(start, isDirect))
  const held = isDirect ? { runId, generation: 1, epoch } : undefined
  return { id: start.id, runId, isNew: true, held, createdAt: now }
}

function beginningOf({ priority, dueAt, deadlineAt }: StartRecord, isDirect: boolean): Beginning {
  // Invariant: only what waits for a time is in live_due; a run that runs would be found there in vain.
  if (isDirect) return { state: 'running', priority, dueAt: null }
  if (dueAt !== null) return { state: 'scheduled', priority, dueAt: wholeMs(dueAt) }
  return { state: 'ready', priority, dueAt: deadlineAt === null ? null : wholeMs(deadlineAt) }
}

/** The run that has the key of this start; without one the key is given to `runId`. */
function joinKeyed({ db }: Write, { start, runs }: Beginner, runId: number): Started | undefined {
  // Race: it may be one of those that begin beside it.
  runs.write()
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
