// Starts that wait in intake: within a second somebody takes them in, unless nobody is there who can.
import { formatMs } from '../../lib/duration.ts'
import { counted } from '../../lib/text.ts'
import type { Finding } from '../health.ts'
import type { Query } from '../query.ts'
import type { Database } from '../sql/database/database.ts'

export interface WaitingStartsRow {
  /** Some more than these are counted as one more. */
  readonly starts: number
  /** Of the oldest: since it was left, in a transaction that may have been committed later. */
  readonly ageMs: number
  /** Of the oldest, where it was started from SQL. */
  readonly name: string | null
  /** Those that are alive. */
  readonly nodes: number
}

const longMs = 60_000
const tooLongMs = 3_600_000
const mostCounted = 10_000

/** By primary key. */
const findWaiting = `
select (select count(*) from (select 1 from intake order by id limit ${mostCounted + 1}) as counted) as starts,
  cast(extract(epoch from clock_timestamp()) * 1000 as bigint) - oldest.at as ageMs, oldest.name,
  (select count(*) from node where lease_until >= extract(epoch from clock_timestamp()) * 1000) as nodes
from intake as oldest
order by oldest.id
limit 1`

/** Undefined where none waits. */
export function findWaitingStarts(db: Database): Query<WaitingStartsRow | undefined> {
  return db.get<WaitingStartsRow>(findWaiting)
}

export function ofWaitingStarts(row: WaitingStartsRow | undefined): Finding {
  const code = 'intake'
  if (row === undefined) return { code, severity: 'ok', text: 'No start waits to be taken in.', details: { starts: 0 } }
  const { starts, ageMs, name, nodes } = row
  const details = { starts, ageMs, name, nodes }
  const many = starts > mostCounted ? `More than ${counted(mostCounted, 'start')}` : counted(starts, 'start')
  const text = `${many} ${starts === 1 ? 'waits' : 'wait'} to be taken in; the oldest was left ${formatMs(ageMs)} ago.`
  if (ageMs < longMs) return { code, severity: 'ok', text, details }
  return { code, severity: ageMs < tooLongMs ? 'warning' : 'error', text, remedy: remedyOf(row), details }
}

function remedyOf({ name, nodes }: WaitingStartsRow): string {
  if (nodes === 0) return 'No node is running: start one, as with `troupe start`.'
  if (name === null)
    return 'See the logs of the nodes: they say what the store does not take, with its place in the table intake.'
  return `Nobody who runs can start '${name}': run a node that has it, or take such starts away from the table intake.`
}
