// What is remembered of a journal elsewhere: in the next generation of its run, or by a run that was forked from that.
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { undoneSteps, type Generation } from './known.ts'

const columns = 'path, seq, kind, attempt, is_error, value, epoch, started_at, finished_at'

// Another run undoes nothing of it; by primary key prefix.
const copied = `
insert into step (run_id, generation, ${columns}, has_undo)
select ?1, ?2, ${columns}, case when cast(?1 as integer) = ?3 then has_undo else 0 end from step
where run_id = ?3 and generation = ?4 and kind <> 'undo'`

/** The run that a step of kind `child` started, beside that step. */
export const childOfStep = `run.public_id = substr(step.value, 3, length(step.value) - 3)`

const resultsOfStep = `
from step as result
where result.run_id = step.run_id and result.generation = step.generation and result.kind = 'result'
  and result.path >= step.path || '/result' and result.path < step.path || '/result$'`

// One that undoes what it did ends as was decided; by primary keys.
const goesOn = `exists (
  select 1 from live where live.run_id = run.id and live.undo < 2 and live.run_id not in (select run_id from cancel_request))`
const lastOutcome = `coalesce((select outcome from finished where finished.run_id = run.id order by generation desc limit 1), '')`

// A child that has not succeeded and does not go on to, by the unique public id: its parent starts another.
// What became of one that was deleted is known by the results that its parent remembers, by primary key.
const isOfDeadChild = `kind = 'child' and case
  when exists (select 1 from run where ${childOfStep}) then not exists (
    select 1 from run where ${childOfStep} and (${goesOn} or ${lastOutcome} = 'succeeded'))
  else exists (select 1 ${resultsOfStep}) and not exists (select 1 ${resultsOfStep} and result.is_error = 0) end`

// It did not succeed and does not go on to, and its result would be asked for: another takes its place. One that is detached had a life of its own.
// By the unique public id and by primary keys.
const isLostChild = `kind = 'child' and is_error = 0 and not exists (select 1 ${resultsOfStep} and result.seq < ?5) and case
  when exists (select 1 from run where ${childOfStep}) then exists (
    select 1 from run where ${childOfStep} and is_detached = 0 and not ${goesOn} and ${lastOutcome} <> 'succeeded')
  else exists (select 1 ${resultsOfStep}) end`

// What succeeded.
const copySucceeded = `${copied} and is_error = 0 and not (${isOfDeadChild})`

// As the journal was before a step was recorded.
const copyBefore = `${copied} and seq < ?5 and not (${isLostChild})`

// A step, and what is remembered of the end of a run that it started; by primary key.
const forgetUndone = `
delete from step where run_id = ?1 and generation = ?2 and (path = ?3 or (path >= ?3 || '/result' and path < ?3 || '/result$'))`

// A step that failed for good: its run can only go on without it in the next generation; by primary key prefix.
const findFailedStep = `
select 1 as has_failed from step
where run_id = ? and generation = ? and is_error = 1
limit 1`

/** The statements of this file whose plans are tested. */
export const hotJournalCopyStatements = { copySucceeded, copyBefore, forgetUndone }

export interface JournalCopy {
  readonly from: Generation
  readonly to: Generation
  /** All that was recorded before this is remembered; without it what succeeded. */
  readonly before?: number | undefined
  /** The steps that are forgotten as they were undone. */
  readonly undone: readonly string[]
}

/** Counts the steps that are remembered, and what is known of the ends of runs that they started. */
export function* copyJournal(db: Database, { from, to, before, undone }: JournalCopy): Query<number> {
  const keys = [to.runId, to.generation, from.runId, from.generation] as const
  let kept =
    before === undefined ? yield* db.change(copySucceeded, ...keys) : yield* db.change(copyBefore, ...keys, before)
  for (const path of undone) kept -= yield* db.change(forgetUndone, to.runId, to.generation, path)
  return kept
}

/** Opens the next generation of a run, which remembers what succeeded and was not undone. */
export function* openGeneration(db: Database, from: Generation): Query<number> {
  const generation = from.generation + 1
  const undone = yield* undoneSteps(db, from)
  yield* copyJournal(db, { from, to: { runId: from.runId, generation }, undone })
  return generation
}

/** Makes ready for another attempt of a run: returns its generation, a new one when a remembered failure stands in the way. */
export function* renewJournal(db: Database, run: Generation): Query<number> {
  const hasFailed = yield* db.has(findFailedStep, run.runId, run.generation)
  return hasFailed ? yield* openGeneration(db, run) : run.generation
}
