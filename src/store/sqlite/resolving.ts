// Steps whose results people record by hand: the first to be recorded stands, whoever executes it meanwhile.
import { undonePath } from '../../model/path.ts'
import { generationMoves, type LiveState, type RunOutcome } from '../../model/run.ts'
import type { ResolveRecord, Resolved } from '../interventions.ts'
import type { StepKind } from '../store.ts'
import type { WaitKind } from '../waits.ts'
import type { Connection } from './connection.ts'
import { reopenRuns } from './generations.ts'
import { giveBack } from './moves.ts'
import type { Ends } from './runs.ts'
import { markUndoable } from './steps.ts'
import { wholeMs } from './times.ts'
import { closeTokensOfStep, hasCompletion } from './tokens.ts'
import { undoMarkOf } from './undoing.ts'
import { deleteWait } from './waits.ts'
import { wakeRun } from './wakes.ts'

// By the unique public id, then by primary key; the newest of its generations.
const findRun = `
select run.id as runId, live.state, live.epoch, live.node, coalesce(live.generation, finished.generation) as generation, finished.outcome
from run
left join live on live.run_id = run.id
left join finished on finished.run_id = run.id and live.run_id is null
where run.public_id = ?
order by finished.generation desc
limit 1`

// By primary key.
const findRecordedStep = `select is_error as isError, kind from step where run_id = ? and generation = ? and path = ?`

// By primary keys.
const isTried = `select 1 from attempt where run_id = ? and generation = ? and path = ? limit 1`
const findWait = `select kind from wait where run_id = ? and path = ?`
const findUndoable = `select 1 from step where run_id = ? and generation = ? and path = ? and has_undo > 0 and path || '/undo' = ?`
const wasUndone = `select 1 from step where run_id = ? and generation = ? and path = ? || '/undo' and kind = 'undo' and is_error = 0`

// By primary key prefix.
const findAnyUndone = `select 1 from step where run_id = ? and generation = ? and kind = 'undo' and is_error = 0 limit 1`

// What waits or failed and has no result; by primary key prefix.
const findOpenSteps = `
select path from wait where run_id = ?1 and kind in ('backoff', 'completion', 'limiter') and path <> ''
union select path from attempt where run_id = ?1 and generation = ?2 and path <> '' and not exists (
  select 1 from step where step.run_id = attempt.run_id and step.generation = attempt.generation and step.path = attempt.path and step.is_error = 0)
union select path from step where run_id = ?1 and generation = ?2 and is_error = 1 and kind in ('step', 'tx') and ?3 = 1
limit 1000`

// Invariant: I1. The key lets one result in. I13: where something was undone, the journal shows that it lacks something, as its code does that anew before this.
// It was nobody's attempt; whether it is undone its code says.
const insertResult = `
insert into step (run_id, generation, path, seq, kind, attempt, is_error, value, epoch, started_at, finished_at, has_undo)
select ?1, ?2, ?3, 1 + ifnull((select max(seq) from step where run_id = ?1 and generation between ?9 and ?2), 0), ?4, 0, ?5, ?6, live.epoch, ?7, ?7, ?8
from live where live.run_id = ?1
returning seq`

// Its node reads it with its next commit; by primary key.
const insertTaken = `insert into taken (node, run_id, epoch) values (?, ?, ?) on conflict do nothing`

// Of nodes that are gone; the table is empty most of the time.
const dropDeaf = `delete from taken where node not in (select id from node)`

/** The statements of this file whose plans are tested. */
export const hotResolveStatements = {
  findResolved: findRun,
  findRecordedStep,
  isTried,
  findOpenSteps,
  findUndoable,
  wasUndone,
  insertResult,
}

interface Found {
  readonly runId: number
  readonly generation: number
  readonly state: LiveState | null
  readonly epoch: number
  readonly node: number | null
  readonly outcome: RunOutcome | null
}

/** find → is it open → record it → let the run go on */
export function resolveStep(ends: Ends, record: ResolveRecord): Resolved {
  const run = ends.db.get<Found>(findRun, record.id)
  if (run === undefined) return 'not_found'
  return run.state === null ? resolveOfEnded(ends, run, record) : resolveOfLive(ends, run, record)
}

function resolveOfLive(ends: Ends, run: Found, record: ResolveRecord): Resolved {
  const { db } = ends
  const { runId, generation, epoch, state } = run
  const { path } = record
  const mark = undoMarkOf(db, runId)
  const isUndo = mark === 'undoing' && db.get(findUndoable, runId, generation, undonePath(path), path) !== undefined
  if (mark === 'undoing' && !isUndo) return 'undoing'
  if (db.get(findRecordedStep, runId, generation, path) !== undefined) return 'recorded'
  const wait = db.get<{ kind: WaitKind }>(findWait, runId, path)?.kind
  if (wait !== undefined && !resolvable.has(wait)) return { waits: wait }
  const isKnown = wait !== undefined || isUndo || db.get(isTried, runId, generation, path) !== undefined
  if (!isKnown && !record.isForced) return { open: openOf(db, run, false) }
  // Invariant: I8. What was accepted from outside is its result, and only has to be taken in.
  if (hasCompletion(db, { runId, epoch }, path)) return 'completed'
  insert(ends, run, { ...record, kind: isUndo ? 'undo' : 'step', behind: generation })
  if (state === 'running') takeAway(ends, run)
  else wakeRun(ends, runId, { isDecided: false })
  return 'resolved'
}

const resolvable: ReadonlySet<WaitKind> = new Set<WaitKind>(['backoff', 'completion', 'limiter'])

/** It goes on in its next generation, which remembers this as well. */
function resolveOfEnded(ends: Ends, run: Found, record: ResolveRecord): Resolved {
  const { db } = ends
  const { runId, generation, outcome } = run
  const { path } = record
  if (outcome === null || !mayGoOn.has(outcome)) return outcome ?? 'not_found'
  const before = db.get<{ isError: number; kind: StepKind }>(findRecordedStep, runId, generation, path)
  const isKnown = before === undefined ? db.get(isTried, runId, generation, path) !== undefined : isStep(before.kind)
  if (!isKnown && (before !== undefined || !record.isForced)) return { open: openOf(db, run, true) }
  if (before?.isError === 0 && db.get(wasUndone, runId, generation, path) === undefined) return 'recorded'
  const hasUndone = db.get(findAnyUndone, runId, generation) !== undefined
  reopenRuns(ends, [record.id])
  const kind = before?.kind ?? 'step'
  insert(
    ends,
    { ...run, generation: generation + 1 },
    { ...record, kind, behind: hasUndone ? generation : generation + 1 },
  )
  return 'resolved'
}

const mayGoOn: ReadonlySet<RunOutcome> = new Set<RunOutcome>(generationMoves.again.from)

function isStep(kind: StepKind): boolean {
  return kind === 'step' || kind === 'tx'
}

function openOf(db: Connection, { runId, generation }: Found, hasEnded: boolean): string[] {
  return db.all<{ path: string }>(findOpenSteps, runId, generation, hasEnded ? 1 : 0).map(({ path }) => path)
}

function insert(
  { db, now }: Ends,
  { runId, generation }: Found,
  { path, kind, isError, value, behind }: ResolveRecord & { readonly kind: StepKind; readonly behind: number },
): void {
  const mayHaveUndo = !isError && kind !== 'undo'
  const at = wholeMs(now)
  const seq = db.get(
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
  if (seq === undefined) throw new Error(`Step '${path}' of run ${runId} could not be recorded`)
  if (mayHaveUndo) markUndoable(db, runId)
  closeTokensOfStep(db, runId, path)
  // One that stands in the line of a limiter leaves that with the claim.
  if (db.get<{ kind: WaitKind }>(findWait, runId, path)?.kind === 'backoff') deleteWait(db, runId, path)
}

/** Invariant: I5. What its node still writes under its claim is refused, and it is told that it may give up. */
function takeAway(ends: Ends, { runId, epoch, node }: Found): void {
  ends.db.run(dropDeaf)
  giveBack(ends, runId)
  if (node !== null) ends.db.run(insertTaken, node, runId, epoch)
}
