// The nodes as people see them.
import type { NodeView } from '../../views.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

// A scan of what is unfinished, for people only.
const findNodeViews = `
select node.id as number, node.name, node.version, node.pid, node.started_at as startedAt,
  node.lease_until as leaseUntil, node.clock_ahead_ms as clockAheadMs, node.queues, node.definitions,
  case when node.lease_until < ? then 'expired' when node.drain_at is not null then 'draining' else 'serving' end as state,
  coalesce(held.runs, 0) as running
from node left join (
  select node, count(*) as runs from live where state = 'running' group by node
) as held on held.node = node.id
order by node.id`

const findQueueNames = `select id, name from queue`

const findDefinitionNames = `select id, name from definition`

type FoundView = Omit<NodeView, 'queues' | 'definitions'> & { readonly queues: string; readonly definitions: string }

interface Named {
  readonly id: number
  readonly name: string
}

export function* listNodeViews(db: Database, now: number): Query<NodeView[]> {
  const queues = yield* db.all<Named>(findQueueNames)
  const definitions = yield* db.all<Named>(findDefinitionNames)
  const rows = yield* db.all<FoundView>(findNodeViews, now)
  return rows.map((row) => ({
    ...row,
    queues: namesOf(row.queues, queues),
    definitions: namesOf(row.definitions, definitions).toSorted(),
  }))
}

/** Each name once: one has several versions. */
function namesOf(ids: string, all: readonly Named[]): string[] {
  const names = new Map(all.map(({ id, name }) => [id, name]))
  return [...new Set((JSON.parse(ids) as number[]).flatMap((id) => names.get(id) ?? []))]
}
