// Runs that are taken away from the node that executes them, which is told so with its next commit.
import { giveBack } from '../runs/moves.ts'
import type { Query } from '../../query.ts'
import type { Ends } from '../runs/runs.ts'

// Its node reads it with its next commit; by primary key.
const insertTaken = `insert into taken (node, run_id, epoch) values (?, ?, ?) on conflict do nothing`

// Of nodes that are gone; the table is empty most of the time.
const dropDeaf = `delete from taken where node not in (select id from node)`

export interface ExecutedRun {
  readonly runId: number
  readonly epoch: number
  readonly node: number | null
}

/** Invariant: I5. What its node still writes under its claim is refused, and it is told that it may give up. */
export function* takeAway(ends: Ends, { runId, epoch, node }: ExecutedRun): Query<void> {
  yield* ends.db.run(dropDeaf)
  yield* giveBack(ends, runId)
  if (node !== null) yield* ends.db.run(insertTaken, node, runId, epoch)
}
