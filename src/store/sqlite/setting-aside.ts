// Runs that were set aside, because their code did not fit their journal: a person lets them be tried at once.
import { statesBefore } from '../../model/moves.ts'
import { runMoves, type RunState } from '../../model/run.ts'
import type { Resumed } from '../interventions.ts'
import type { Connection } from './connection.ts'
import { backInLine } from './limited.ts'
import { readyUntil, type Ends } from './runs.ts'

// By the unique public id, then by primary keys.
const findSetAside = `
select run.id as runId, live.state = 'parked' and exists (
    select 1 from wait where wait.run_id = run.id and +wait.kind = 'diverged') as isSetAside,
  coalesce(live.state, (select outcome from finished where finished.run_id = run.id order by generation desc limit 1)) as state
from run left join live on live.run_id = run.id
where run.public_id = ?`

// By primary key. What it waits for stays: it is kept for code that fits.
const resumeRun = `
update live set state = '${runMoves.wake.to}', due_at = ${readyUntil}
where run_id = ? and state in (${statesBefore(runMoves.wake)})
returning limited`

/** The statements of this file whose plans are tested. */
export const hotSettingAsideStatements = { findSetAside, resumeRun }

interface Found {
  readonly runId: number
  readonly isSetAside: number | null
  readonly state: RunState
}

/** Makes ready what was set aside; tells of each what became of it. */
export function resumeRuns(ends: Pick<Ends, 'db' | 'admission'>, ids: readonly string[]): Resumed[] {
  return ids.map((id) => {
    const run = ends.db.get<Found>(findSetAside, id)
    if (run === undefined) return 'not_found'
    if (run.isSetAside !== 1) return run.state
    const { limited } = ends.db.get<{ limited: number }>(resumeRun, run.runId) ?? { limited: 0 }
    if (limited === 1) backInLine(ends, [run])
    return 'resumed'
  })
}

/** Those of some runs that were set aside. */
export function listSetAside(db: Connection, ids: readonly string[]): string[] {
  return ids.filter((id) => db.get<Found>(findSetAside, id)?.isSetAside === 1)
}
