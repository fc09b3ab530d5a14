// Queues as people run them: paused, resumed, and how much is in each.
import type { QueueView } from '../../views.ts'
import { mapEach, type Query } from '../../query.ts'
import { audited, type Asked } from '../operating-store/audit.ts'
import type { Database } from '../database/database.ts'

// A scan: there are as many rows as names of queues.
const findPaused = `select id from queue where paused_at is not null`

// By primary key; the first pause counts.
const pauseOne = `update queue set paused_at = ? where id = ? and paused_at is null returning id`

const unpauseOne = `update queue set paused_at = null where id = ? and paused_at is not null returning id`

// A walk over everything unfinished, for people. The oldest that is ready has the least number.
const countLive = `
select queue, case when state = 'running' and not exists (
    select 1 from node where node.id = live.node and node.lease_until >= ?) then 'lost' else state end as place,
  count(*) as runs, min(run_id) as oldest
from live group by queue, place`

const findQueues = `select id, name, paused_at as pausedAt from queue order by name`

const findCreated = `select created_at as createdAt from run where id = ?`

const findServed = `
select cast(queue.value as integer) as queue, count(*) as nodes
from node, json_each(node.queues) as queue
where node.lease_until >= ?
group by queue.value`

/** The queues that are paused now, looked up once a transaction and only where somebody asks. */
export class PausedQueues {
  readonly #db: Database
  #ids: ReadonlySet<number> | undefined

  constructor(db: Database) {
    this.#db = db
  }

  *ids(): Query<ReadonlySet<number>> {
    if (this.#ids !== undefined) return this.#ids
    const rows = yield* this.#db.all<{ id: number }>(findPaused)
    return (this.#ids = new Set(rows.map(({ id }) => id)))
  }
}

/** False when it was paused already. */
export function* pauseQueue(db: Database, queueId: number, asked: Asked): Query<boolean> {
  const isPaused = yield* db.has(pauseOne, asked.now, queueId)
  return yield* audited(db, isPaused, asked)
}

/** False when it was not paused. */
export function* unpauseQueue(db: Database, queueId: number, asked: Asked): Query<boolean> {
  const isUnpaused = yield* db.has(unpauseOne, queueId)
  return yield* audited(db, isUnpaused, asked)
}

export function* listQueues(db: Database, now: number): Query<QueueView[]> {
  const counts = yield* db.all<{ queue: number; place: string; runs: number; oldest: number }>(countLive, now)
  const serving = yield* db.all<{ queue: number; nodes: number }>(findServed, now)
  const served = new Map(serving.map((row) => [row.queue, row.nodes]))
  const queues = yield* db.all<{ id: number; name: string; pausedAt: number | null }>(findQueues)
  return yield* mapEach(queues, function* ({ id, name, pausedAt }) {
    const own = new Map(counts.filter(({ queue }) => queue === id).map((row) => [row.place, row]))
    const inState = (place: string): number => own.get(place)?.runs ?? 0
    const oldest = own.get('ready')?.oldest
    const created = oldest === undefined ? undefined : yield* db.get<{ createdAt: number }>(findCreated, oldest)
    return {
      name,
      ready: inState('ready'),
      running: inState('running'),
      lost: inState('lost'),
      scheduled: inState('scheduled'),
      parked: inState('parked'),
      oldestReadyAt: created?.createdAt ?? null,
      pausedAt,
      nodes: served.get(id) ?? 0,
    }
  })
}
