// The oldest ready runs of a queue among those of lower priority, found without an index by age: priorities are few, and each is in order of age.
import type { Connection } from './connection.ts'

const readyOfQueue = `live where state = 'ready' and limited = 0 and queue = ?1`

// The oldest run of each priority below the given one: a loose scan, one seek in live_ready for each.
const findOldestOfEach = `
with recursive lower (priority) as (
  select max(priority) from ${readyOfQueue} and priority < ?2
  union all
  select (select max(priority) from ${readyOfQueue} and priority < lower.priority) from lower where lower.priority is not null
)
select priority, (
  select run_id from ${readyOfQueue} and priority = lower.priority and definition in (select value from json_each(?3))
    and deliveries <= ?4
  order by run_id limit 1
) as runId
from lower where priority is not null`

// The next run of a priority by age; one seek in live_ready.
const findNextOldest = `
select priority, run_id as runId from ${readyOfQueue} and priority = ?2 and run_id > ?3
  and definition in (select value from json_each(?4)) and deliveries <= ?5
order by run_id limit 1`

/** The statements of this file whose plans are tested. */
export const hotOldestStatements = { findOldestOfEach, findNextOldest }

export interface Below {
  readonly queueId: number
  /** A list of numbers as JSON. */
  readonly definitions: string
  readonly priority: number
  readonly want: number
  readonly mostDeliveries: number
}

interface Head {
  readonly priority: number
  readonly runId: number | null
}

/** The numbers of the oldest runs of all priorities below one, the oldest first. */
export function findOldestBelow(db: Connection, below: Below): number[] {
  const { queueId, definitions, priority, want, mostDeliveries } = below
  const heads = db.all<Head>(findOldestOfEach, queueId, priority, definitions, mostDeliveries)
  const oldest: number[] = []
  while (oldest.length < want) {
    const head = heads.reduce<Head | undefined>(olderOf, undefined)
    if (head === undefined || head.runId === null) break
    oldest.push(head.runId)
    const next = db.get<Head>(findNextOldest, queueId, head.priority, head.runId, definitions, mostDeliveries)
    heads[heads.indexOf(head)] = next ?? { priority: head.priority, runId: null }
  }
  return oldest
}

function olderOf(left: Head | undefined, right: Head): Head | undefined {
  if (right.runId === null) return left
  return left === undefined || left.runId === null || right.runId < left.runId ? right : left
}
