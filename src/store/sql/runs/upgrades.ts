// Runs that code of another version takes over: they are of that version from then on, in one commit.
import type { UpgradeRecord } from '../../definitions.ts'
import type { Query } from '../../query.ts'
import type { Write } from './runs.ts'

// By primary key.
const moveLive = `update live set definition = ? where run_id = ?`

// By primary key.
const moveRun = `update run set definition = ?, input = ?, is_unchecked = null where id = ?`

// By primary key.
const renewStep = `update step set value = ? where run_id = ? and generation = ? and path = ?`

/** The statements of this file whose plans are tested. */
export const hotUpgradeStatements = { moveLive, moveRun, renewStep }

export function* upgradeRuns(write: Write, upgrades: readonly UpgradeRecord[]): Query<void> {
  for (const { held, definitionId, input, steps } of yield* write.fence.letIn(upgrades)) {
    const { runId, generation } = held
    yield* write.db.run(moveLive, definitionId, runId)
    yield* write.db.run(moveRun, definitionId, input, runId)
    for (const { path, value } of steps) yield* write.db.run(renewStep, value, runId, generation, path)
  }
}
