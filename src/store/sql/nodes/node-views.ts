// The nodes as people see them.
import type { NodeView } from '../../views.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

// A scan of what is unfinished, for people only.
const findNodeViews = `
select node.name, node.pid, node.started_at as startedAt, node.lease_until as leaseUntil, node.queues,
  node.lease_until < ? as isExpired, coalesce(held.runs, 0) as running
from node left join (
  select node, count(*) as runs from live where state = 'running' group by node
) as held on held.node = node.id
order by node.id`

const findQueueNames = `select id, name from queue`

export function* listNodeViews(db: Database, now: number): Query<NodeView[]> {
  const queues = yield* db.all<{ id: number; name: string }>(findQueueNames)
  const names = new Map(queues.map(({ id, name }) => [id, name]))
  const rows = yield* db.all<Omit<NodeView, 'isExpired' | 'queues'> & { isExpired: number; queues: string }>(
    findNodeViews,
    now,
  )
  return rows.map((row) => ({
    ...row,
    isExpired: row.isExpired === 1,
    queues: (JSON.parse(row.queues) as number[]).flatMap((id) => names.get(id) ?? []),
  }))
}
