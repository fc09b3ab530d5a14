// Which limiter holds a run up, and who has passed it.
import { passesAt } from '../../../model/limiter.ts'
import type { WaitReason } from '../../../model/reason.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { boundsOf, holdersOf, paceOf } from './limiters.ts'

// By the index of waiters, then by primary keys.
const findWaiting = `
select waiter.limiter, waiter.key, waiter.path, limiter.name
from waiter cross join limiter on limiter.id = waiter.limiter
where waiter.run_id = ? order by waiter.ticket limit 1`

// By primary key prefix.
const countSlots = `
select count(*) as ofAll, count(case when key = ?2 then 1 end) as ofKey from slot where limiter = ?1`

type LimiterReason = WaitReason & { kind: 'limiter' }

/** Undefined for a run that stands in no line. */
export function* limiterReason(db: Database, runId: number, now: number): Query<LimiterReason | undefined> {
  const waiting = yield* db.get<{ limiter: number; key: string; path: string | null; name: string }>(findWaiting, runId)
  if (waiting === undefined) return undefined
  const { limiter, key, path, name } = waiting
  const bound = yield* usedUp(db, { limiter, key }, now)
  const holders =
    bound === 'rate' || bound === 'turn' ? [] : yield* holdersOf(db, limiter, bound === 'total' ? null : key)
  return { kind: 'limiter', limiter: name, key, step: path ?? undefined, bound, holders }
}

function* usedUp(
  db: Database,
  { limiter, key }: { limiter: number; key: string },
  now: number,
): Query<LimiterReason['bound']> {
  const { concurrency, total, rate } = yield* boundsOf(db, limiter)
  const slots = yield* db.get<{ ofAll: number; ofKey: number }>(countSlots, limiter, key)
  const { ofAll, ofKey } = slots ?? { ofAll: 0, ofKey: 0 }
  if (concurrency !== null && ofKey >= concurrency) return 'concurrency'
  if (total !== null && ofAll >= total) return 'total'
  return rate !== null && passesAt(rate, yield* paceOf(db, limiter, key)) > now ? 'rate' : 'turn'
}
