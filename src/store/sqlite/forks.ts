// Runs made of what others did: a journal up to a step is copied, as it was when that had not been recorded.
import type { ForkRecord, Forked } from '../interventions.ts'
import { usesText } from './admission.ts'
import type { Connection } from './connection.ts'
import { takeFrom } from './counters.ts'
import { lineUp } from './limited.ts'
import type { Ends } from './runs.ts'
import { childOfStep, forgetUndone, isOfDeadChild, undoneSteps } from './steps.ts'

// By the unique public id, then by primary key; the newest of its generations.
const findSource = `
select run.id as runId, coalesce(live.generation, finished.generation) as generation, live.run_id is null as hasEnded,
  finished.outcome, ifnull(live.undo, 0) as undo, coalesce(live.priority, finished.priority, 0) as priority
from run
left join live on live.run_id = run.id
left join finished on finished.run_id = run.id and live.run_id is null
where run.public_id = ?
order by finished.generation desc
limit 1`

// By primary key.
const findRecorded = `select seq from step where run_id = ? and generation = ? and path = ? and kind <> 'undo'`

// It was begun and has not been recorded; by primary keys.
const findBegun = `
select 1 from (select ? as run_id, ? as generation, ? as path) as asked where asked.path <> '' and (
  exists (select 1 from wait where wait.run_id = asked.run_id and wait.path = asked.path)
  or exists (select 1 from attempt where attempt.run_id = asked.run_id and attempt.generation = asked.generation and attempt.path = asked.path))`

// By primary key prefix.
const findKnown = `
select path from step where run_id = ?1 and generation = ?2 and kind <> 'undo'
union select path from wait where run_id = ?1 and path <> ''
union select path from attempt where run_id = ?1 and generation = ?2 and path <> ''
limit 1000`

// By primary key prefix.
const countSteps = `select count(*) as steps from step where run_id = ? and generation = ? and kind <> 'undo' and seq < ?`

const columns = 'path, seq, kind, attempt, is_error, value, epoch, started_at, finished_at'

const copied = `insert into step (run_id, generation, ${columns}) select ?1, ?2, ${columns} from step where run_id = ?3 and generation = ?4 and kind <> 'undo'`

// What succeeded is remembered; by primary key prefix.
const copySucceeded = `${copied} and is_error = 0 and not (${isOfDeadChild})`

const resultOfStep = `
select 1 from step as result
where result.run_id = step.run_id and result.generation = step.generation and result.kind = 'result'
  and result.path >= step.path || '/result' and result.path < step.path || '/result$'`

// It did not succeed and does not go on to, and its result would be asked for: another takes its place. One that is detached had a life of its own.
// By the unique public id and by primary keys.
const isLostChild = `kind = 'child' and is_error = 0 and not exists (${resultOfStep} and result.seq < ?5) and case
  when exists (select 1 from run where ${childOfStep}) then exists (
    select 1 from run where ${childOfStep} and is_detached = 0
      and not exists (select 1 from live where live.run_id = run.id and live.run_id not in (select run_id from cancel_request))
      and ifnull((select outcome from finished where finished.run_id = run.id order by generation desc limit 1), '') <> 'succeeded')
  else exists (${resultOfStep}) end`

// As the journal was before the step was recorded; by primary key prefix.
const copyBefore = `${copied} and seq < ?5 and not (${isLostChild})`

// By primary key prefix.
const findUndoable = `select path from step where run_id = ? and generation = ? and has_undo > 0`

// Runs that both wait for end with neither; by the unique public id, then by primary keys.
const shareChildren = `
update run set is_detached = 1, depth = 0
where +parent is not null and is_detached = 0 and id in (
  select run.id from step cross join run on ${childOfStep}
  where step.run_id = ? and step.generation = ? and step.kind = 'child' and step.is_error = 0)
  and exists (select 1 from live where live.run_id = run.id)`

// It has as much time as the other was given; by primary key.
const insertRun = `
insert into run (
  id, public_id, definition, queue, input, tags, created_at, deadline_at, limits, correlation_id, retry, is_unchecked, forked_from
)
select ?1, ?2, definition, queue, coalesce(?4, input), tags, ?3, ?3 + deadline_at - coalesce(opened_at, created_at),
  case when ?4 is null then limits else ?5 end, correlation_id, retry, case when ?4 is null then is_unchecked else ?6 end, public_id
from run where id = ?7`

const copyStates = `insert into state (run_id, key, value) select ?, key, value from state where run_id = ?`

// It has had an epoch: a claim reads what it remembers. By primary key.
const insertLive = `
insert into live (
  run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at, has_state, limited, has_slots
)
select id, ?, 'ready', queue, definition, ?, deadline_at, null, ?, 1, 0, null, ?, limits is not null, limits is not null
from run where id = ?`

/** The statements of this file whose plans are tested. */
export const hotForkStatements = {
  findSource,
  findRecorded,
  findBegun,
  copySucceeded,
  copyBefore,
  shareChildren,
}

interface Source {
  readonly runId: number
  readonly generation: number
  readonly outcome: string | null
  readonly undo: number
  readonly priority: number
}

/** find → make the run → copy what it remembers → let it be ready */
export function forkRun({ db, now, admission }: Pick<Ends, 'db' | 'now' | 'admission'>, fork: ForkRecord): Forked {
  const source = db.get<Source>(findSource, fork.from)
  if (source === undefined) return 'not_found'
  const before = placeOf(db, source, fork.step)
  if (before === undefined) return { known: knownOf(db, source) }
  const runId = takeFrom(db, 'run', 1)
  const { value = null, limits = null, isUnchecked = false } = fork.input ?? {}
  const uses = limits === null ? null : usesText(limits)
  db.run(insertRun, runId, fork.id, now, value, uses, isUnchecked ? 1 : null, source.runId)
  const generation = copyJournal(db, source, { runId, before, isTriedAgain: fork.step === null })
  const states = db.run(copyStates, runId, source.runId)
  db.run(insertLive, generation, source.priority, takeFrom(db, 'epoch', 1), states > 0 ? 1 : 0, runId)
  db.run(shareChildren, runId, generation)
  lineUp({ db, admission }, [runId])
  return 'forked'
}

/** Steps are kept that were recorded before this; undefined when nothing is known of the step. */
function placeOf(db: Connection, { runId, generation }: Source, step: string | null): number | undefined {
  if (step === null) return Number.MAX_SAFE_INTEGER
  const recorded = db.get<{ seq: number }>(findRecorded, runId, generation, step)
  if (recorded !== undefined) return recorded.seq
  return db.get(findBegun, runId, generation, step) === undefined ? undefined : Number.MAX_SAFE_INTEGER
}

function knownOf(db: Connection, { runId, generation }: Source): string[] {
  return db.all<{ path: string }>(findKnown, runId, generation).map(({ path }) => path)
}

interface Copy {
  readonly runId: number
  readonly before: number
  /** What failed is done anew, wherever it stands. */
  readonly isTriedAgain: boolean
}

/**
 * Gives the generation of the new run: that of the other, whose journal it has, or the next one.
 * Invariant: I13. Where something is left out, its code may rightly take another way: as that of one that is tried again.
 */
function copyJournal(db: Connection, source: Source, { runId, before, isTriedAgain }: Copy): number {
  const all = db.get<{ steps: number }>(countSteps, source.runId, source.generation, before)?.steps ?? 0
  const undone = undoneBy(db, source)
  const next = source.generation + 1
  const ofFailed = isTriedAgain && source.outcome === 'failed'
  const kept = ofFailed
    ? db.run(copySucceeded, runId, next, source.runId, source.generation)
    : db.run(copyBefore, runId, next, source.runId, source.generation, before)
  const forgotten = undone.reduce((sum, path) => sum + forgetUndone(db, { runId, generation: next, path }), 0)
  if (kept < all || forgotten > 0) return next
  db.run(setGeneration, source.generation, runId, next)
  return source.generation
}

// By primary key prefix.
const setGeneration = `update step set generation = ? where run_id = ? and generation = ?`

/** One that undoes has yet to come to some of it. */
function undoneBy(db: Connection, source: Source): string[] {
  const { runId, generation, undo } = source
  if (undo !== 2) return undoneSteps(db, source)
  return db.all<{ path: string }>(findUndoable, runId, generation).map(({ path }) => path)
}
