// The next generation of a run that has ended: the same run, its key, its journal of what succeeded, its attempts counted anew.
import { generationMoves, type RunOutcome } from '../../../model/run.ts'
import type { Reopened } from '../../operating.ts'
import { mapEach, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { closeInvestigations } from '../operating-store/investigations.ts'
import { endRest } from './endings.ts'
import { openGeneration } from './journal-copies.ts'
import { newestRun } from './known.ts'
import { lineUp } from '../limiters/limited.ts'
import { cancelAll } from './moves.ts'
import { uncount } from '../views/rollup.ts'
import { closeTokensOf } from '../steps/tokens.ts'
import type { Ends } from './runs.ts'

// As it was started, but that its claims go on counting, and that it may end with what it started before; by primary key, then by the index on parents.
const insertLive = `
insert into live (
  run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at, has_state, limited, has_slots, schedule, has_children, undo
)
select run.id, finished.generation + 1, '${generationMoves.again.to}', run.queue, run.definition,
  coalesce(finished.priority, 0), run.deadline_at, null, finished.epoch, 1, 0, null,
  case when exists (select 1 from state where state.run_id = run.id) then 1 else 0 end,
  case when run.limits is null then 0 else 1 end, case when run.limits is null then 0 else 1 end, run.schedule,
  case when exists (select 1 from run as child where child.parent = run.id and child.is_detached = 0) then 1 else 0 end,
  case when exists (
    select 1 from step where step.run_id = run.id and step.generation = finished.generation and step.has_undo > 0
  ) then 1 else 0 end
from run cross join finished on finished.run_id = run.id
where run.id = ? and finished.generation = ?`

// It has as much time as it was given first; by primary key.
const openAgain = `
update run set deadline_at = ?1 + deadline_at - coalesce(opened_at, created_at), opened_at = ?1
where id = ?2`

// Its outcome stays to be read, and is not the last any more; by primary key.
const forgetDead = `update finished set fingerprint = null where run_id = ? and fingerprint || '' is not null`

// What was asked of it before its end; by primary key.
const dropRequest = `delete from cancel_request where run_id = ?`

/** The statements of this file whose plans are tested. */
export const hotGenerationStatements = { insertLive, openAgain, forgetDead }

/** Makes ready again what failed or was cancelled, each in its next generation; tells of each what became of it. */
export function reopenRuns(ends: Ends, ids: readonly string[], by: string | null = null): Query<Reopened[]> {
  return mapEach(ids, (id) => reopenOne(ends, id, by))
}

function* reopenOne(ends: Ends, id: string, by: string | null): Query<Reopened> {
  const { db, admission, now } = ends
  const newest = yield* newestRun(db, id)
  if (newest === undefined) return 'not_found'
  const { runId, definition, state, generation, epoch, outcome, code } = newest
  if (state !== null) return state
  yield* endRest(ends, runId, cancelAll)
  if (outcome === null) return 'not_found'
  if (!mayGoOn.has(outcome)) return outcome
  yield* db.run(openAgain, now, runId)
  yield* db.run(insertLive, runId, generation)
  yield* lineUp({ db, admission }, [runId])
  // Invariant: I8. It keeps the epoch of its last claim, and what was given out under that is of the past.
  yield* closeTokensOf(db, { runId, epoch })
  yield* openGeneration(db, newest)
  yield* leaveTheDead(db, runId)
  yield* closeInvestigations(ends, runId, by)
  yield* db.run(dropRequest, runId)
  const elapsedMs = (newest.finishedAt ?? 0) - (newest.startedAt ?? 0)
  yield* uncount(db, { definition, outcome, code, elapsedMs })
  return 'reopened'
}

/** Nobody has to see to its failure any more. */
export function leaveTheDead(db: Database, runId: number): Query<unknown> {
  return db.run(forgetDead, runId)
}

/** How a run has to have ended that is tried again. */
export const mayGoOn: ReadonlySet<RunOutcome> = new Set<RunOutcome>(generationMoves.again.from)
