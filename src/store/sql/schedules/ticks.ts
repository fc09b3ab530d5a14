// Ticks: the runs that schedules start, and those of them that wait for the one before to end.
import type { LimitUse } from '../../../model/limiter.ts'
import type { Overlap } from '../../../model/schedule.ts'
import type { StartKey } from '../../../model/start-key.ts'
import type { Started } from '../../start.ts'
import type { Fired, Firing, TickRecord } from '../../schedules.ts'
import type { Query } from '../../query.ts'
import { cancelRuns } from '../runs/cancels.ts'
import type { Database } from '../database/database.ts'
import { isBuffered } from './buffered.ts'
import type { Write } from '../runs/runs.ts'
import { insertRuns } from '../runs/starts.ts'

// Invariant: I15. A tick that finds so many waiting is skipped.
const mostBuffered = 1_000

// Later than any time: it is taken away again at once.
const never = 8_640_000_000_000_000

// By primary key.
const findTarget = `select queue, priority, tags, input, limits, start_key as startKey, timeout_ms as timeoutMs from schedule where id = ?`

// Race: only one of all nodes that saw the tick moves the schedule on; by primary key.
const advanceOne = `
update schedule set tick_at = ?, due_at = ?, definition = ?, revision = revision + 1 where id = ? and revision = ? and is_paused = 0
returning id`

const countSkipped = `update schedule set skipped = skipped + ? where id = ?`

// Invariant: I14. Walks run_tick, whose uniqueness is the last word.
const findTick = `select 1 from run where schedule = ? and scheduled_at = ?`

const markRun = `update run set schedule = ?, scheduled_at = ? where id = ?`

const markLive = `update live set schedule = ?, due_at = case when ? then null else due_at end where run_id = ?`

// Walks live_schedule.
const findUnfinished = `
select run.public_id as id, ${isBuffered} as isBuffered
from live cross join run on run.id = live.run_id where live.schedule = ?`

/** The statements of this file whose plans are tested. */
export const hotTickStatements = { findTick, findUnfinishedTicks: findUnfinished }

interface Target {
  readonly queue: number
  readonly priority: number
  readonly tags: string | null
  readonly input: string
  /** JSON. */
  readonly limits: string | null
  /** JSON. */
  readonly startKey: string | null
  readonly timeoutMs: number | null
}

/** Writes what fires now, or nothing when another node was first. */
export function* fireSchedule(write: Write, firing: Firing): Query<Fired> {
  const { db } = write
  const target = yield* db.get<Target>(findTarget, firing.scheduleId)
  if (target === undefined || !(yield* advances(db, firing))) return undefined
  const runIds: string[] = []
  for (const tick of firing.ticks) {
    const started = yield* startOne(write, { firing, target, tick })
    if (started !== undefined && (started.isNew || tick.at === null)) runIds.push(started.id)
  }
  const skipped = firing.ticks.length - runIds.length + firing.dropped
  if (skipped > 0) yield* db.run(countSkipped, skipped, firing.scheduleId)
  return { runIds, skipped }
}

function* advances(db: Database, { scheduleId, advance, definitionId }: Firing): Query<boolean> {
  if (advance === undefined) return true
  const { next, revision } = advance
  const [tickAt, dueAt] = [next?.tickAt ?? null, next?.dueAt ?? null]
  return yield* db.has(advanceOne, tickAt, dueAt, definitionId, scheduleId, revision)
}

interface Tick {
  readonly firing: Firing
  readonly target: Target
  readonly tick: TickRecord
}

/** The run of the tick, or the one that has its key; undefined when it has one already or is to have none. */
function* startOne(write: Write, { firing, target, tick }: Tick): Query<Started | undefined> {
  const { db } = write
  const { scheduleId, definitionId, overlap, cancel } = firing
  if (tick.at !== null && (yield* db.has(findTick, scheduleId, tick.at))) return undefined
  const isWaiting = yield* placeOf(write, { scheduleId, overlap, cancel })
  if (isWaiting === undefined) return undefined
  const [started] = yield* insertRuns(write, [
    {
      id: tick.runId,
      definitionId,
      queueId: target.queue,
      priority: target.priority,
      input: target.input,
      tags: target.tags,
      dueAt: isWaiting ? never : null,
      deadlineAt: target.timeoutMs === null ? null : write.now + target.timeoutMs,
      expiresAt: null,
      correlationId: null,
      retry: null,
      key: target.startKey === null ? null : (JSON.parse(target.startKey) as StartKey),
      limits: target.limits === null ? null : (JSON.parse(target.limits) as LimitUse[]),
      directly: false,
    },
  ])
  if (started?.isNew !== true) return started
  yield* db.run(markRun, scheduleId, tick.at, started.runId)
  yield* db.run(markLive, scheduleId, isWaiting ? 1 : 0, started.runId)
  return started
}

/** Whether a new run has to wait for others; undefined when there is to be none. */
function* placeOf(
  write: Write,
  { scheduleId, overlap, cancel }: Pick<Firing, 'scheduleId' | 'overlap' | 'cancel'>,
): Query<boolean | undefined> {
  if (overlap === 'allow') return false
  const unfinished = yield* unfinishedOf(write.db, scheduleId)
  if (unfinished.length === 0) return false
  if (overlap === 'cancel-other') {
    yield* cancelRuns(
      write,
      unfinished.map(({ id }) => ({ id, ...cancel })),
    )
    const left = yield* unfinishedOf(write.db, scheduleId)
    return left.length > 0
  }
  const buffered = unfinished.filter((run) => run.isBuffered === 1).length
  return buffered < mostWaiting(overlap) ? true : undefined
}

function mostWaiting(overlap: Overlap): number {
  if (overlap === 'skip') return 0
  return overlap === 'buffer-one' ? 1 : mostBuffered
}

function unfinishedOf(db: Database, scheduleId: number): Query<{ id: string; isBuffered: number }[]> {
  return db.all(findUnfinished, scheduleId)
}
