// Why runs wait: looked up for those that people look at, never on the way of a run.
import { divergenceFrom } from '../../../model/divergence.ts'
import type { WaitReason } from '../../../model/reason.ts'
import type { LiveState } from '../../../model/run.ts'
import { isSuspect, suspectFrom } from '../../../model/suspect.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { limiterReason } from '../limiters/limiter-reasons.ts'

// By the unique public id, then by primary keys.
const findWaiting = `
select * from (select run.public_id as id, run.id as runId, live.limited, live.state, live.definition, live.queue, live.due_at as dueAt, live.deliveries,
  schedule.name as schedule, queue.name as queueName, queue.paused_at as pausedAt, definition.name, definition.version,
  live.state = 'running' and not exists (select 1 from node where node.id = live.node and node.lease_until >= ?2) as isLost,
  exists (select 1 from wait where wait.run_id = run.id and wait.kind = 'completion') as isAwaited,
  (select wait.due_at from wait where wait.run_id = run.id and wait.kind = 'completion' order by path limit 1) as completionDueAt,
  (select wait.due_at from wait where wait.run_id = run.id and wait.kind = 'message' order by path limit 1) as messageDueAt,
  (select wait.due_at from wait where wait.run_id = run.id and wait.kind = 'run' order by path limit 1) as resultDueAt,
  live.state = 'parked' and exists (select 1 from wait where wait.run_id = run.id and wait.kind = 'limiter') as isAtLimiter,
  (select wait.name from wait where wait.run_id = run.id and wait.kind = 'message' order by path limit 1) as message,
  (select wait.name from wait where wait.run_id = run.id and wait.kind = 'run' order by path limit 1) as awaitedId,
  exists (select 1 from wait where wait.run_id = run.id and wait.kind = 'mail') as isForMail,
  (select wait.name from wait where wait.run_id = run.id and wait.kind = 'answer' order by path limit 1) as answering,
  (select wait.name from wait where wait.run_id = run.id and wait.kind || '' = 'diverged') as diverged,
  (select ahead.public_id from keyed join run as ahead on ahead.id = keyed.ahead where keyed.run_id = run.id) as aheadId,
  live.has_slots = 1 and exists (select 1 from waiter where waiter.run_id = run.id) as hasTicket
from json_each(?1) as asked
cross join run on run.public_id = asked.value
cross join live on live.run_id = run.id
cross join queue on queue.id = live.queue
cross join definition on definition.id = live.definition
left join schedule on schedule.id = live.schedule
) as waiting
where state <> 'running' or isLost or answering is not null or hasTicket`

// A scan: the table is small.
const findServing = `select queues, definitions from node where lease_until >= ?`

// A scan of what is unfinished, only where such a run waits.
const findSuspect = `
select run.public_id as id from live cross join run on run.id = live.run_id cross join node on node.id = live.node
where live.state = 'running' and live.deliveries >= ? and node.lease_until >= ? order by live.epoch desc limit 1`

interface WaitingRow {
  readonly id: string
  readonly runId: number
  readonly limited: number
  readonly state: LiveState
  readonly definition: number
  readonly queue: number
  readonly dueAt: number | null
  readonly deliveries: number
  readonly completionDueAt: number | null
  readonly messageDueAt: number | null
  readonly resultDueAt: number | null
  readonly schedule: string | null
  readonly isAwaited: number
  readonly isAtLimiter: number
  readonly isLost: number
  readonly message: string | null
  readonly queueName: string
  readonly name: string
  readonly version: string
  readonly pausedAt: number | null
  readonly aheadId: string | null
  readonly awaitedId: string | null
  readonly answering: string | null
  readonly isForMail: number
  readonly diverged: string | null
}

interface Serving {
  readonly queues: readonly number[]
  readonly definitions: readonly number[]
}

/** The statements of this file whose plans are tested. */
export const hotReasonStatements = { findWaiting }

/** The reasons of those of these runs that wait, by their public ids. */
export function* reasonsOf(db: Database, ids: readonly string[], now: number): Query<ReadonlyMap<string, WaitReason>> {
  const rows = ids.length === 0 ? [] : yield* db.all<WaitingRow>(findWaiting, JSON.stringify(ids), now)
  const around = new Around(db, now)
  const reasons = new Map<string, WaitReason>()
  for (const row of rows) {
    const isHeldUp = row.state === 'running' || row.isAtLimiter === 1 || (row.limited === 1 && row.state === 'ready')
    const heldUp = isHeldUp && row.isLost === 0 ? yield* limiterReason(db, row.runId, now) : undefined
    reasons.set(row.id, row.isLost === 1 ? { kind: 'node_lost' } : yield* reasonOf(row, around, heldUp))
  }
  return reasons
}

/** What is looked up once for all that wait, and only where it matters. */
class Around {
  readonly #db: Database
  readonly #now: number
  #nodes: readonly Serving[] | undefined
  #suspect: { readonly id: string } | 'none' | undefined

  constructor(db: Database, now: number) {
    this.#db = db
    this.#now = now
  }

  *nodes(): Query<readonly Serving[]> {
    return (this.#nodes ??= yield* servingNodes(this.#db, this.#now))
  }

  /** The suspected run that was begun last and is performed. */
  *suspectId(): Query<string | undefined> {
    this.#suspect ??= (yield* this.#db.get<{ id: string }>(findSuspect, suspectFrom, this.#now)) ?? 'none'
    return this.#suspect === 'none' ? undefined : this.#suspect.id
  }
}

function* reasonOf(
  row: WaitingRow,
  around: Around,
  heldUp: (WaitReason & { kind: 'limiter' }) | undefined,
): Query<WaitReason> {
  if (row.state !== 'ready' && heldUp !== undefined) return heldUp
  if (row.state === 'running' && row.answering !== null) return { kind: 'answer', name: row.answering }
  const divergence = row.state === 'parked' ? divergenceFrom(row.diverged) : undefined
  if (divergence !== undefined) return { kind: 'diverged', divergence, until: row.dueAt ?? 0 }
  if (row.state === 'parked' && row.aheadId !== null) return { kind: 'run', runId: row.aheadId }
  const isBuffered = row.state === 'scheduled' && row.dueAt === null
  if (isBuffered) return { kind: 'schedule', schedule: row.schedule ?? '' }
  const isParked = row.state === 'parked'
  if (isParked && row.isAwaited === 1) return { kind: 'completion', until: row.completionDueAt ?? undefined }
  if (isParked && row.message !== null)
    return { kind: 'message', name: row.message, until: row.messageDueAt ?? undefined }
  if (isParked && row.isForMail === 1) return { kind: 'mail', until: row.dueAt ?? undefined }
  if (isParked && row.awaitedId !== null)
    return { kind: 'result', runId: row.awaitedId, until: row.resultDueAt ?? undefined }
  if (row.state !== 'ready') return { kind: 'timer', until: row.dueAt ?? 0 }
  if (row.pausedAt !== null) return { kind: 'queue_paused', queue: row.queueName, pausedAt: row.pausedAt }
  const missing = missingFor(row, yield* around.nodes())
  if (missing !== undefined)
    return { kind: 'not_served', missing, queue: row.queueName, name: row.name, version: row.version }
  return heldUp ?? (yield* turnOf(row, around))
}

function* turnOf({ deliveries }: WaitingRow, around: Around): Query<WaitReason> {
  return isSuspect(deliveries) ? { kind: 'suspect', deliveries, runId: yield* around.suspectId() } : { kind: 'actor' }
}

function missingFor(
  { queue, definition }: WaitingRow,
  nodes: readonly Serving[],
): 'node' | 'queue' | 'definition' | undefined {
  if (nodes.length === 0) return 'node'
  const ofQueue = nodes.filter(({ queues }) => queues.includes(queue))
  if (ofQueue.length === 0) return 'queue'
  return ofQueue.some(({ definitions }) => definitions.includes(definition)) ? undefined : 'definition'
}

function* servingNodes(db: Database, now: number): Query<Serving[]> {
  const rows = yield* db.all<{ queues: string; definitions: string }>(findServing, now)
  return rows.map(({ queues, definitions }) => ({
    queues: JSON.parse(queues) as number[],
    definitions: JSON.parse(definitions) as number[],
  }))
}
