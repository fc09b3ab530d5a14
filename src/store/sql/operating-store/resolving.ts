// Steps whose results people record by hand: the first to be recorded stands, whoever executes it meanwhile.
import { checkpointKey, stateKeyOf, undoPath } from '../../../model/path.ts'
import type { ResolveRecord, Resolved } from '../../operating.ts'
import type { StepKind } from '../../store.ts'
import type { WaitKind } from '../../waits.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { mayGoOn, reopenRuns } from '../runs/generations.ts'
import {
  newestRun,
  isTried,
  recordedStep,
  undoableSteps,
  undoneSteps,
  waitOfStep,
  type NewestRun,
} from '../runs/known.ts'
import type { Ends } from '../runs/runs.ts'
import { markUndoable } from '../steps/steps.ts'
import { wholeMs } from '../database/times.ts'
import { closeTokensOfStep, hasCompletion } from '../steps/tokens.ts'
import { dropState } from '../steps/states.ts'
import { deleteWait } from '../steps/waits.ts'
import { wakeRun } from '../runs/wakes.ts'
import { takeAway } from './taking.ts'

// What waits or failed and has no result; by primary key prefix.
const findOpenSteps = `
select path from wait where run_id = ?1 and kind in ('backoff', 'completion', 'limiter') and path <> ''
union select path from attempt where run_id = ?1 and generation = ?2 and path <> '' and not exists (
  select 1 from step where step.run_id = attempt.run_id and step.generation = attempt.generation and step.path = attempt.path and step.is_error = 0)
union select path from step where run_id = ?1 and generation = ?2 and is_error = 1 and kind in ('step', 'tx') and ?3 = 1
order by path limit 1000`

// Invariant: I1. The key lets one result in. I13: where something was undone, the journal shows that it lacks something, as its code does that anew before this.
// It was nobody's attempt; whether it is undone its code says.
const insertResult = `
insert into step (run_id, generation, path, seq, kind, attempt, is_error, value, epoch, started_at, finished_at, has_undo)
select ?1, ?2, ?3, 1 + coalesce((select max(seq) from step where run_id = ?1 and generation between ?9 and ?2), 0), ?4, 0, ?5, ?6, live.epoch, ?7, ?7, ?8
from live where live.run_id = ?1
returning seq`

/** The statements of this file whose plans are tested. */
export const hotResolveStatements = { findOpenSteps, insertResult }

/** find → is it open → record it → let the run go on */
export function* resolveStep(ends: Ends, record: ResolveRecord, by: string | null): Query<Resolved> {
  const run = yield* newestRun(ends.db, record.id)
  if (run === undefined) return 'not_found'
  return run.state === null ? yield* resolveOfEnded({ ends, run, by }, record) : yield* resolveOfLive(ends, run, record)
}

function* resolveOfLive(ends: Ends, run: NewestRun, record: ResolveRecord): Query<Resolved> {
  const { db } = ends
  const { runId, generation, epoch, state } = run
  const { path } = record
  const undoable = run.undo === 2 ? yield* undoableSteps(db, run) : []
  const isUndo = undoable.map(undoPath).includes(path)
  if (run.undo === 2 && !isUndo) return 'undoing'
  if ((yield* recordedStep(db, run, path)) !== undefined) return 'recorded'
  const wait = yield* waitOfStep(db, run, path)
  if (wait !== undefined && !resolvable.has(wait)) return { waits: wait }
  const isKnown = wait !== undefined || isUndo || (yield* isTried(db, run, path))
  if (!isKnown && !record.isForced) return { open: yield* openOf(db, run, false) }
  // Invariant: I8. What was accepted from outside is its result, and only has to be taken in.
  if (yield* hasCompletion(db, { runId, epoch }, path)) return 'completed'
  yield* insert(ends, run, { ...record, kind: isUndo ? 'undo' : 'step', behind: generation })
  if (state === 'running') yield* takeAway(ends, run)
  else yield* wakeRun(ends, runId, { isDecided: false })
  return 'resolved'
}

const resolvable: ReadonlySet<WaitKind> = new Set<WaitKind>(['backoff', 'completion', 'limiter'])

interface EndedRun {
  readonly ends: Ends
  readonly run: NewestRun
  /** Who resolves a step of it. */
  readonly by: string | null
}

/** It goes on in its next generation, which remembers this as well. */
function* resolveOfEnded({ ends, run, by }: EndedRun, record: ResolveRecord): Query<Resolved> {
  const { db } = ends
  const { generation, outcome } = run
  const { path } = record
  if (outcome === null || !mayGoOn.has(outcome)) return outcome ?? 'not_found'
  const before = yield* recordedStep(db, run, path)
  const isKnown = before === undefined ? yield* isTried(db, run, path) : isStep(before.kind)
  if (!isKnown && (before !== undefined || !record.isForced)) return { open: yield* openOf(db, run, true) }
  const undone = yield* undoneSteps(db, run)
  if (before?.isError === 0 && !undone.includes(path)) return 'recorded'
  yield* reopenRuns(ends, [record.id], by)
  const kind = before?.kind ?? 'step'
  yield* insert(
    ends,
    { ...run, generation: generation + 1 },
    { ...record, kind, behind: undone.length > 0 ? generation : generation + 1 },
  )
  return 'resolved'
}

function isStep(kind: StepKind): boolean {
  return kind === 'step' || kind === 'tx'
}

function* openOf(db: Database, { runId, generation }: NewestRun, hasEnded: boolean): Query<string[]> {
  const rows = yield* db.all<{ path: string }>(findOpenSteps, runId, generation, hasEnded ? 1 : 0)
  return rows.map(({ path }) => path)
}

function* insert(
  { db, now }: Ends,
  run: NewestRun,
  { path, kind, isError, value, behind }: ResolveRecord & { readonly kind: StepKind; readonly behind: number },
): Query<void> {
  const { runId, generation } = run
  const mayHaveUndo = !isError && kind !== 'undo'
  const at = wholeMs(now)
  const isKept = yield* db.has(
    insertResult,
    runId,
    generation,
    path,
    kind,
    isError ? 1 : 0,
    value,
    at,
    mayHaveUndo ? 2 : 0,
    behind,
  )
  if (!isKept) throw new Error(`Step '${path}' of run ${runId} could not be recorded`)
  if (mayHaveUndo) yield* markUndoable(db, runId)
  yield* closeTokensOfStep(db, runId, path)
  yield* dropState(db, runId, stateKeyOf(path, checkpointKey))
  // One that stands in the line of a limiter leaves that with the claim.
  if ((yield* waitOfStep(db, run, path)) === 'backoff') yield* deleteWait(db, runId, path)
}
