// The sweep: finds, a slice of the unfinished runs at a time, whom nobody would ever wake, and mends that.
import type { RepairSlice, Repaired } from '../repairs.ts'
import { filterEach, type Query } from '../query.ts'
import { Admission } from './limiters/admission.ts'
import type { Database } from './database/database.ts'
import { wakeBufferedRuns } from './schedules/buffered.ts'
import { isFollower } from './runs/keys.ts'
import { backInLine, reenter } from './limiters/limited.ts'
import type { KeyOfLimiter } from './limiters/lines.ts'
import { giveBack } from './runs/moves.ts'
import type { Ends } from './runs/runs.ts'
import { hasCompletion } from './steps/tokens.ts'
import { wakeRun } from './runs/wakes.ts'

// By primary key.
const findSlice = `
select max(run_id) as through, count(*) as runs from (select run_id from live where run_id > ? order by run_id limit ?) as slice`

// By primary key prefix, then by that of messages, and by the index of tokens.
const isThere = `exists (
  select 1 from wait where wait.run_id = live.run_id and (
    (wait.kind = 'run' and not exists (
      select 1 from run cross join live as awaited on awaited.run_id = run.id where run.public_id = wait.name))
    or (wait.kind = 'message' and exists (
      select 1 from message where message.run_id = wait.run_id and message.name = wait.name
        and (wait.key is null or message.key = wait.key) and message.refused is null))
    or (wait.kind = 'mail' and (
      exists (select 1 from message where message.run_id = wait.run_id and message.refused is null)
      or exists (select 1 from ask indexed by ask_open where ask.run_id = wait.run_id and ask.is_taken = 0 and ask.until_at > ?3)))
    or (wait.kind = 'ask' and exists (
      select 1 from ask indexed by ask_open where ask.run_id = wait.run_id and ask.is_taken = 0 and ask.name = wait.name and ask.until_at > ?3))
    or (wait.kind = 'completion' and exists (
      select 1 from token where token.run_id = wait.run_id and token.epoch = live.epoch and token.path = wait.path
        and token.value is not null))))`

// By primary key prefix, and by the primary key of the run.
const isTimeLost = `
  coalesce(live.due_at, ${Number.MAX_SAFE_INTEGER}) > (select min(due_at) from wait where wait.run_id = live.run_id)
  or (live.due_at is null and live.undo < 2 and exists (select 1 from run where run.id = live.run_id and run.deadline_at is not null))`

// By the index on the runs of schedules.
const isBehind = `exists (
  select 1 from live as other where other.schedule = live.schedule and not (other.state = 'scheduled' and other.due_at is null))`

// By the index of waiters, then by primary key.
const isInLine = `exists (
  select 1 from waiter cross join line on line.limiter = waiter.limiter and line.key = waiter.key
    and line.queue = waiter.queue and line.definition = waiter.definition
  where waiter.run_id = live.run_id and waiter.ticket = live.run_id)`

// By primary key prefix, then by the index of waiters.
const isStepLost = `exists (
  select 1 from wait where wait.run_id = live.run_id and wait.kind = 'limiter' and not exists (
    select 1 from waiter where waiter.run_id = wait.run_id and waiter.path = wait.path))`

// What is due is woken without this. Requests are found by primary key.
const isForgotten = `
case
when state = 'running' then
  not exists (select 1 from node where node.id = live.node)
  or (limited = 1 and not exists (select 1 from slot where slot.run_id = live.run_id and slot.epoch = live.epoch and slot.ticket = live.run_id))
when state = 'ready' then limited = 1 and not ${isInLine}
when due_at <= ?3 then false
when exists (select 1 from cancel_request where cancel_request.run_id = live.run_id) then true
when state = 'scheduled' then due_at is null and not (schedule is not null and ${isBehind})
when exists (select 1 from wait where wait.run_id = live.run_id and wait.kind || '' = 'diverged') then false
when exists (select 1 from wait where wait.run_id = live.run_id) then ${isTimeLost} or ${isThere} or ${isStepLost}
else not ${isFollower}
end`

// A part of live by primary key; each run is looked at by keys and indexes.
const findForgotten = `
select run_id as runId, epoch, state, node, schedule, due_at as dueAt,
  exists (select 1 from node where node.id = live.node) as hasNode
from live where run_id > ?1 and run_id <= ?2 and ${isForgotten}`

// A part of live by primary key.
const findHeldIn = `select run_id as runId from live where run_id > ? and run_id <= ? and node = ? and state = 'running'`

// The lines of a part of live that let nobody pass, by their first; by primary key and by the index of waiters.
const findClosed = `
select line.limiter, line.key, line.opens_at as opensAt
from live cross join waiter on waiter.run_id = live.run_id
cross join line on line.limiter = waiter.limiter and line.key = waiter.key
  and line.queue = waiter.queue and line.definition = waiter.definition
where live.run_id > ? and live.run_id <= ? and live.has_slots = 1 and line.queue > 0
  and line.ticket = waiter.ticket and line.is_open = 0`

/** The statements of this file whose plans are tested. */
export const hotRepairStatements = { findSlice, findForgotten, findHeldIn, findClosed }

interface Forgotten {
  readonly runId: number
  readonly epoch: number
  readonly state: string
  readonly node: number | null
  readonly schedule: number | null
  readonly dueAt: number | null
  readonly hasNode: number
}

interface Range {
  readonly after: number
  readonly through: number
}

/** Whether anything of a slice has to be mended, and what else there is to tell of it. */
export function* lookAtRuns(
  db: Database,
  { after, limit, nodeId }: RepairSlice,
  now: number,
): Query<Repaired & { readonly range: Range; readonly isAnything: boolean }> {
  const slice = yield* db.get<{ through: number | null; runs: number }>(findSlice, after, limit)
  const range = { after, through: slice?.through ?? after }
  const rows = yield* db.all<{ runId: number }>(findHeldIn, after, range.through, nodeId)
  const held = rows.map(({ runId }) => runId)
  const forgotten = yield* listForgotten(db, range, now)
  const shut = forgotten.length > 0 ? [] : yield* listShut({ db, admission: new Admission(db, now) }, range)
  const isAnything = forgotten.length > 0 || shut.length > 0
  return { mended: 0, through: (slice?.runs ?? 0) < limit ? 0 : range.through, held, range, isAnything }
}

/** Mends what is found now, as it may have gone on since it was looked at; counts it. */
export function* repairRuns(ends: Ends, range: Range): Query<number> {
  const forgotten = yield* listForgotten(ends.db, range, ends.now)
  for (const run of forgotten) yield* repairRun(ends, run)
  const shut = yield* listShut(ends, range)
  for (const line of shut) yield* ends.admission.look(line)
  return forgotten.length + shut.length
}

function listForgotten(db: Database, { after, through }: Range, now: number): Query<Forgotten[]> {
  return db.all<Forgotten>(findForgotten, after, through, now)
}

/** The lines that would let somebody pass sooner than they know. */
function* listShut({ db, admission }: Pick<Ends, 'db' | 'admission'>, { after, through }: Range): Query<ClosedLine[]> {
  const closed = yield* db.all<ClosedLine>(findClosed, after, through)
  return yield* filterEach(closed, function* (line) {
    const at = yield* admission.opensWhen(line)
    return at !== null && at < (line.opensAt ?? Infinity)
  })
}

interface ClosedLine extends KeyOfLimiter {
  readonly opensAt: number | null
}

function* repairRun(ends: Ends, run: Forgotten): Query<void> {
  const { runId, epoch, state, node, schedule, dueAt } = run
  if (state === 'ready') return yield* backInLine(ends, [{ runId }])
  if (state !== 'running') {
    // Of those that wait for the one before of their schedule only the oldest goes on.
    if (schedule !== null && state === 'scheduled' && dueAt === null)
      ends.news.woken += yield* wakeBufferedRuns(ends, [schedule])
    else yield* wakeRun(ends, runId, { isDecided: yield* hasCompletion(ends.db, { runId, epoch }) })
    return
  }
  if (run.hasNode === 0 || node === null) yield* giveBack(ends, runId)
  else yield* reenter(ends, runId, { nodeId: node, epoch })
}
