// The oldest ready runs of a queue among those of lower priority, found without an index by age: priorities are few, and each is in order of age.
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { atMost, fromLive, loaded, type LiveRun } from './live-runs.ts'
import { packed } from '../database/packed.ts'

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

// The runs of a priority by age, with their bodies, between two ages; walks live_ready, then by primary key.
const findByAge = packed(
  loaded,
  `${fromLive}
where live.state = 'ready' and live.limited = 0 and live.queue = ? and live.priority = ? and live.run_id >= ? and live.run_id < ?
  and live.definition in (select value from json_each(?)) and live.deliveries <= ?
order by live.run_id
${atMost}`,
)

// The next run of a priority by age; one seek in live_ready.
const findNextOldest = `
select priority, run_id as runId from ${readyOfQueue} and priority = ?2 and run_id >= ?3
  and definition in (select value from json_each(?4)) and deliveries <= ?5
order by run_id limit 1`

/** The statements of this file whose plans are tested. */
export const hotOldestStatements = { findOldestOfEach, findByAge: findByAge.sql, findNextOldest }

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
  readonly runId: number
}

/** The oldest runs of all priorities below one, the oldest first. */
export function* findOldestBelow(db: Database, below: Below): Query<LiveRun[]> {
  const { queueId, definitions, priority, want, mostDeliveries } = below
  const found = yield* db.all<Head>(findOldestOfEach, queueId, priority, definitions, mostDeliveries)
  const heads = found.filter(isThere)
  const oldest: LiveRun[] = []
  while (heads.length > 0) {
    const [first, second] = heads.sort(byAge) as [Head, Head?]
    // Measured: in one read up to where another priority goes on, the oldest of a claim of 100 take 37 µs; one by one 97.
    const until = second?.runId ?? Number.MAX_SAFE_INTEGER
    const at = [queueId, first.priority, first.runId, until, definitions, mostDeliveries] as const
    oldest.push(...(yield* db.allPacked(findByAge, ...at, want - oldest.length)))
    if (oldest.length === want) break
    const next = yield* db.get<Head>(findNextOldest, queueId, first.priority, until, definitions, mostDeliveries)
    heads.splice(0, 1, ...(next === undefined ? [] : [next]))
  }
  return oldest
}

/** Of a priority nobody may be left who can be claimed. */
function isThere({ runId }: { readonly runId: number | null }): boolean {
  return runId !== null
}

function byAge(left: Head, right: Head): number {
  return left.runId - right.runId
}
