// Runs of schedules that wait for the one before to end.
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import { lineUp } from '../limiters/limited.ts'
import type { Query } from '../../query.ts'
import { readyUntil, type Ends } from '../runs/runs.ts'

/** Of a row of live: scheduled, and for no time. */
export const isBuffered = `(live.state = 'scheduled' and live.due_at is null)`

// The oldest that waits, when nothing else of its schedule is unfinished; walks live_schedule.
const wakeBuffered = `
update live set state = 'ready', due_at = ${readyUntil}
where run_id = (select min(run_id) from live where schedule = ?1 and ${isBuffered})
  and state in (${statesBefore(runMoves.wake)})
  and not exists (select 1 from live where schedule = ?1 and not ${isBuffered})
returning run_id as runId, limited`

/** The statements of this file whose plans are tested. */
export const hotBufferedStatements = { wakeBuffered }

interface Woken {
  readonly runId: number
  readonly limited: number
}

/** Makes ready what waited for the last unfinished runs of these schedules, one of each; counts them. */
export function* wakeBufferedRuns(
  waking: Pick<Ends, 'db' | 'admission'>,
  scheduleIds: Iterable<number>,
): Query<number> {
  const woken: Woken[] = []
  for (const scheduleId of scheduleIds) woken.push(...(yield* waking.db.all<Woken>(wakeBuffered, scheduleId)))
  yield* lineUp(
    waking,
    woken.flatMap(({ runId, limited }) => (limited === 1 ? [runId] : [])),
  )
  return woken.length
}
