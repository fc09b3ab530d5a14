// Runs that undo what they did before they end: how they end is decided and kept, and they are ready to come to that.
import type { ErrorRecord } from '../../../lib/error-record.ts'
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import type { DecidedEnd } from '../../undoing.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { backInLine } from '../limiters/limited.ts'
import type { Ends } from './runs.ts'
import { closeTokensOf } from '../steps/tokens.ts'
import { wholeMs } from '../database/times.ts'
import { deleteWaits } from '../steps/waits.ts'

// By primary key. Its own time is over or means nothing any more; and what killed its process is not what undoes.
const beginUndo = `
update live set state = '${runMoves.undo.to}', node = null, due_at = null, deliveries = 0, undo = 2
where run_id = ? and state in (${statesBefore(runMoves.undo)})
returning epoch, limited`

const insertUndoing = `insert into undoing (run_id, outcome, value, at) values (?, ?, ?, ?)`

// By primary key.
const findDecided = `select outcome, value, at from undoing where run_id = ?`

const dropDecided = `delete from undoing where run_id in (select value from json_each(?))`

// It is obeyed, or the run failed before; one to end without undoing anything is still to be heard. By primary key.
const dropHeard = `delete from cancel_request where run_id = ? and skips_undo = 0`

// By primary key.
const findUndo = `select undo from live where run_id = ?`

/** The statements of this file whose plans are tested. */
export const hotUndoStatements = { beginUndo, findDecided, dropDecided, dropHeard, findUndo }

/** What there is to undo in a run. */
export type UndoMark = 'nothing' | 'something' | 'undoing'

const marks: readonly UndoMark[] = ['nothing', 'something', 'undoing']

export function* undoMarkOf(db: Database, runId: number): Query<UndoMark> {
  const live = yield* db.get<{ undo: number }>(findUndo, runId)
  return marks[live?.undo ?? 0] ?? 'nothing'
}

/** Whatever happens from now on, this is how it ends. */
export function* decideEnd(
  ends: Ends,
  { runId, outcome, value }: Omit<DecidedEnd, 'at'> & { readonly runId: number },
): Query<void> {
  const { db, now } = ends
  const begun = yield* db.get<{ epoch: number; limited: number }>(beginUndo, runId)
  if (begun === undefined) throw new Error(`Run ${runId} could not begin to undo`)
  yield* db.run(insertUndoing, runId, outcome, value, wholeMs(now))
  yield* deleteWaits(db, [runId])
  yield* closeTokensOf(db, { runId, epoch: begun.epoch })
  yield* db.run(dropHeard, runId)
  ends.news.woken += 1
  if (begun.limited === 1) yield* backInLine(ends, [{ runId }])
}

export function decidedEndOf(db: Database, runId: number): Query<DecidedEnd | undefined> {
  return db.get<DecidedEnd>(findDecided, runId)
}

/** How a run ends whose undoing was cut short by something else, which is told besides. */
export function* cutShort(db: Database, runId: number, by: string): Query<Omit<DecidedEnd, 'at'> | undefined> {
  const decided = yield* decidedEndOf(db, runId)
  if (decided === undefined) return undefined
  const error = JSON.parse(decided.value) as ErrorRecord
  const errors = [...(error.errors ?? []), JSON.parse(by) as ErrorRecord]
  return { outcome: decided.outcome, value: JSON.stringify({ ...error, errors }) }
}

export function* dropDecidedEnds(db: Database, runIds: readonly number[]): Query<void> {
  if (runIds.length > 0) yield* db.run(dropDecided, JSON.stringify(runIds))
}
