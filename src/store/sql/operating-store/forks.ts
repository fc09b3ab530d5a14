// Runs made of what others did: a journal up to a step is copied, as it was when that had not been recorded.
import type { ForkRecord, Forked } from '../../operating.ts'
import { filterEach, type Query } from '../../query.ts'
import { checkpointKey, stateKeyOf } from '../../../model/path.ts'
import { usesText } from '../limiters/admission.ts'
import type { Database } from '../database/database.ts'
import { takeFrom } from '../counters.ts'
import { childOfStep, copyJournal } from '../runs/journal-copies.ts'
import {
  newestRun,
  isTried,
  recordedStep,
  undoableSteps,
  undoneSteps,
  waitOfStep,
  type NewestRun,
} from '../runs/known.ts'
import { lineUp } from '../limiters/limited.ts'
import type { Ends } from '../runs/runs.ts'

// By primary key prefix.
const findKnown = `
select path from step where run_id = ?1 and generation = ?2 and kind <> 'undo'
union select path from wait where run_id = ?1 and path <> ''
union select path from attempt where run_id = ?1 and generation = ?2 and path <> ''
order by path limit 1000`

// By primary key prefix.
const countSteps = `select count(*) as steps from step where run_id = ? and generation = ? and kind <> 'undo' and seq < ?`

// Runs that both wait for end with neither; by the unique public id, then by primary keys.
const shareChildren = `
update run set is_detached = 1, depth = 0
where +parent is not null and is_detached = 0 and id in (
  select run.id from step cross join run on ${childOfStep}
  where step.run_id = ? and step.generation = ? and step.kind = 'child' and step.is_error = 0)
  and exists (select 1 from live where live.run_id = run.id)`

// They are kept as long as it may ask for their results; by the unique public id.
const keepChildren = `
insert into shared (child, run_id)
select run.id, step.run_id from step cross join run on ${childOfStep}
where step.run_id = ? and step.generation = ? and step.kind = 'child' and step.is_error = 0
on conflict (child, run_id) do nothing`

// By primary keys.
const findForkOfKey = `
select run.public_id as id from fork_key cross join run on run.id = fork_key.run_id
where fork_key.source = ? and fork_key.key = ?`

// Walks fork_key_run.
const findOwnKey = `select 1 from fork_key where run_id = ? and key = ?`

const insertForkKey = `insert into fork_key (source, key, run_id) values (?, ?, ?)`

// It has as much time as the other was given; by primary key.
const insertRun = `
insert into run (
  id, public_id, definition, queue, input, tags, created_at, deadline_at, limits, correlation_id, retry, is_unchecked, forked_from
)
select ?1, ?2, definition, queue, coalesce(?4, input), tags, ?3, ?3 + deadline_at - coalesce(opened_at, created_at),
  case when ?4 is null then limits else ?5 end, correlation_id, retry, case when ?4 is null then is_unchecked else ?6 end, public_id
from run where id = ?7`

// How far the step had come from which it begins means nothing in it.
const copyStates = `
insert into state (run_id, key, value) select cast(?1 as integer), key, value from state where run_id = ?2 and (cast(?3 as text) is null or key <> ?3)`

// It has had an epoch: a claim reads what it remembers. By primary key.
const insertLive = `
insert into live (
  run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at, has_state, limited, has_slots
)
select id, ?, 'ready', queue, definition, ?, deadline_at, null, ?, 1, 0, null, ?, case when limits is null then 0 else 1 end, case when limits is null then 0 else 1 end
from run where id = ?`

// By primary key prefix.
const setGeneration = `update step set generation = ? where run_id = ? and generation = ?`

/** The statements of this file whose plans are tested. */
export const hotForkStatements = { findKnown, shareChildren, keepChildren, findForkOfKey, findOwnKey }

/** find → make the run → copy what it remembers → let it be ready */
export function* forkRun(
  { db, now, admission }: Pick<Ends, 'db' | 'now' | 'admission'>,
  fork: ForkRecord,
): Query<Forked> {
  const source = yield* newestRun(db, fork.from)
  if (source === undefined) return 'not_found'
  const joined = yield* joinedBy(db, source, fork)
  if (joined !== undefined) return { joined }
  const before = yield* placeOf(db, source, fork.step)
  if (before === undefined) return { known: yield* knownOf(db, source) }
  const runId = yield* takeFrom(db, 'run', 1)
  const { value = null, limits = null, isUnchecked = false } = fork.input ?? {}
  const uses = limits === null ? null : usesText(limits)
  yield* db.run(insertRun, runId, fork.id, now, value, uses, isUnchecked ? 1 : null, source.runId)
  const generation = yield* remember(db, source, { runId, before, isTriedAgain: fork.step === null })
  const anew = fork.step === null ? null : stateKeyOf(fork.step, checkpointKey)
  const states = yield* db.change(copyStates, runId, source.runId, anew)
  const epoch = yield* takeFrom(db, 'epoch', 1)
  yield* db.run(insertLive, generation, source.priority, epoch, states > 0 ? 1 : 0, runId)
  yield* db.run(keepChildren, runId, generation)
  yield* db.run(shareChildren, runId, generation)
  if (fork.key !== undefined) yield* db.run(insertForkKey, source.runId, fork.key.text, runId)
  yield* lineUp({ db, admission }, [runId])
  return 'forked'
}

/** The run that was forked under the key before; of what is left alone, that run itself. */
function* joinedBy(db: Database, { runId }: NewestRun, { from, key }: ForkRecord): Query<string | undefined> {
  if (key === undefined) return undefined
  if (key.leavesOwn && (yield* db.has(findOwnKey, runId, key.text))) return from
  const row = yield* db.get<{ id: string }>(findForkOfKey, runId, key.text)
  return row?.id
}

/** Those of some runs of which a step is known. */
export function* listForkable(db: Database, ids: readonly string[], step: string): Query<string[]> {
  return yield* filterEach(ids, function* (id) {
    const source = yield* newestRun(db, id)
    return source !== undefined && (yield* placeOf(db, source, step)) !== undefined
  })
}

/** Steps are kept that were recorded before this; undefined when nothing is known of the step. */
function* placeOf(db: Database, source: NewestRun, step: string | null): Query<number | undefined> {
  if (step === null) return Number.MAX_SAFE_INTEGER
  const recorded = yield* recordedStep(db, source, step)
  if (recorded !== undefined && recorded.kind !== 'undo') return recorded.seq
  if (step === '') return undefined
  const isBegun = (yield* waitOfStep(db, source, step)) !== undefined || (yield* isTried(db, source, step))
  return isBegun ? Number.MAX_SAFE_INTEGER : undefined
}

function* knownOf(db: Database, { runId, generation }: NewestRun): Query<string[]> {
  const rows = yield* db.all<{ path: string }>(findKnown, runId, generation)
  return rows.map(({ path }) => path)
}

interface Fork {
  readonly runId: number
  readonly before: number
  /** What failed is done anew, wherever it stands. */
  readonly isTriedAgain: boolean
}

/**
 * Gives the generation of the new run: that of the other, whose journal it has, or the next one.
 * Invariant: I13. Where something is left out, its code may rightly take another way: as that of one that is tried again.
 */
function* remember(db: Database, source: NewestRun, { runId, before, isTriedAgain }: Fork): Query<number> {
  const all = yield* db.get<{ steps: number }>(countSteps, source.runId, source.generation, before)
  const next = source.generation + 1
  const kept = yield* copyJournal(db, {
    from: source,
    to: { runId, generation: next },
    before: isTriedAgain && source.outcome === 'failed' ? undefined : before,
    // One that undoes has yet to come to some of it.
    undone: source.undo === 2 ? yield* undoableSteps(db, source) : yield* undoneSteps(db, source),
  })
  if (kept < (all?.steps ?? 0)) return next
  yield* db.run(setGeneration, source.generation, runId, next)
  return source.generation
}
