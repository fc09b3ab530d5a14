// Runs that were set aside, because their code did not fit their journal: a person lets them be tried at once.
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import type { WokenAside } from '../../operating.ts'
import { filterEach, mapEach, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { newestRun, type NewestRun } from '../runs/known.ts'
import { backInLine } from '../limiters/limited.ts'
import { readyUntil, type Ends } from '../runs/runs.ts'

// By primary key prefix.
const findDiverged = `select 1 from wait where run_id = ? and kind || '' = 'diverged'`

// By primary key. What it waits for stays: it is kept for code that fits.
const wakeSetAside = `
update live set state = '${runMoves.wake.to}', due_at = ${readyUntil}
where run_id = ? and state in (${statesBefore(runMoves.wake)})
returning limited`

/** The statements of this file whose plans are tested. */
export const hotSettingAsideStatements = { findDiverged, wakeSetAside }

/** Makes ready what was set aside; tells of each what became of it. */
export function* wakeRunsSetAside(ends: Pick<Ends, 'db' | 'admission'>, ids: readonly string[]): Query<WokenAside[]> {
  return yield* mapEach(ids, function* (id): Query<WokenAside> {
    const run = yield* newestRun(ends.db, id)
    if (run === undefined) return 'not_found'
    if (!(yield* isSetAside(ends.db, run))) return run.state ?? run.outcome ?? 'not_found'
    const woken = yield* ends.db.get<{ limited: number }>(wakeSetAside, run.runId)
    if (woken?.limited === 1) yield* backInLine(ends, [run])
    return 'woken'
  })
}

/** Those of some runs that were set aside. */
export function* listSetAside(db: Database, ids: readonly string[]): Query<string[]> {
  return yield* filterEach(ids, function* (id) {
    return yield* isSetAside(db, yield* newestRun(db, id))
  })
}

function* isSetAside(db: Database, run: NewestRun | undefined): Query<boolean> {
  return run?.state === 'parked' && (yield* db.has(findDiverged, run.runId))
}
