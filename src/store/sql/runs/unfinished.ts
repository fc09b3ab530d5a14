// The unfinished runs with their journals, for those who only look at them: nothing is claimed or moved.
import type { LiveState } from '../../../model/run.ts'
import type { UnfinishedPage, UnfinishedRun } from '../../definitions.ts'
import { mapEach, type Query } from '../../query.ts'
import { loadRun } from './claims.ts'
import type { Database } from '../database/database.ts'
import { atMost, fromLive, loaded, type LiveRun } from './live-runs.ts'
import { packed } from '../database/packed.ts'

interface UnfinishedRow extends LiveRun {
  readonly state: LiveState
  readonly name: string
  readonly version: string
}

// In the order of their keys; by primary key.
const findUnfinished = packed<UnfinishedRow>(
  { ...loaded, state: 'live.state', name: 'definition.name', version: 'definition.version' },
  `${fromLive} cross join definition on definition.id = live.definition
where live.run_id > ? order by live.run_id
${atMost}`,
)

/** The statements of this file whose plans are tested. */
export const hotUnfinishedStatements = { findUnfinished: findUnfinished.sql }

export function* listUnfinished(db: Database, { after, limit }: UnfinishedPage, now: number): Query<UnfinishedRun[]> {
  const rows = yield* db.allPacked(findUnfinished, after, limit)
  return yield* mapEach(rows, function* (live) {
    const { runId, state, name, version, epoch } = live
    // Under its own claim nothing is moved.
    const claimed = yield* loadRun(db, live, { epoch, claimedAt: now, hasBegun: live.hasBegun === 1 })
    return { runId, state, name, version, claimed }
  })
}
