// Wakes: a run that waits for a thing becomes ready, because the thing is there.
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import { backInLine } from '../limiters/limited.ts'
import type { Query } from '../../query.ts'
import { readyUntil, type Write } from './runs.ts'

// By primary key. A run that is ready already stays so, and what is decided does not run out of time.
const wakeWaiting = `
update live set state = 'ready', due_at = case when ? = 1 then null else ${readyUntil} end
where run_id = ? and state in (${statesBefore(runMoves.wake)}, 'ready')
returning limited`

/** The statements of this file whose plans are tested. */
export const hotWakeStatements = { wakeWaiting }

/** `isDecided`: its end came from outside and only has to be taken in. */
export function* wakeRun(
  write: Pick<Write, 'db' | 'news' | 'admission'>,
  runId: number,
  { isDecided }: { readonly isDecided: boolean },
): Query<void> {
  const woken = yield* write.db.get<{ limited: number }>(wakeWaiting, isDecided ? 1 : 0, runId)
  if (woken === undefined) return
  write.news.woken++
  if (woken.limited === 1) yield* backInLine(write, [{ runId }])
}
