// Runs that go on as new ones: with another input and an empty journal, in the same commit.
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import type { ContinueRecord } from '../../waits.ts'
import type { Query } from '../../query.ts'
import { reopenAsks } from '../steps/asks.ts'
import { changeInput } from './keys.ts'
import { backInLine, changeLimits } from '../limiters/limited.ts'
import { readyUntil, type Write } from './runs.ts'
import { closeTokensOf } from '../steps/tokens.ts'
import { deleteWaits } from '../steps/waits.ts'

// By primary key.
const beginAnew = `
update live set state = '${runMoves.continue.to}', node = null, generation = generation + 1, attempt = 1, deliveries = 0, undo = 0, due_at = ${readyUntil}
where run_id = ? and state in (${statesBefore(runMoves.continue)})
returning has_slots as hasSlots`

// By primary key prefix.
const forgetJournal = `delete from step where run_id = ? and generation = ?`

// By primary keys. What it does from now on is told apart from what it did before.
const markAnew = `update run set anew_in = (select generation from live where live.run_id = run.id) where id = ?`

/** The statements of this file whose plans are tested. */
export const hotContinueStatements = { beginAnew, forgetJournal, markAnew }

export function* continueRuns(write: Write, continues: readonly ContinueRecord[]): Query<void> {
  for (const { held, ...anew } of yield* write.fence.letIn(continues)) {
    const { runId, generation } = held
    yield* changeInput(write.db, runId, anew)
    yield* changeLimits(write, { runId, isReady: false }, anew)
    yield* deleteWaits(write.db, [runId])
    // Invariant: I8. It keeps the epoch of this claim until the next, and a step of another life may have the same path.
    yield* closeTokensOf(write.db, held)
    yield* reopenAsks(write.db, runId)
    const left = yield* write.db.get<{ hasSlots: number }>(beginAnew, runId)
    yield* write.db.run(forgetJournal, runId, generation)
    yield* write.db.run(markAnew, runId)
    write.news.woken += 1
    if (left?.hasSlots === 1) yield* backInLine(write, [{ runId }])
  }
}
