// Limiters: their names and bounds, as the code declares them and as they were changed live.
import { spacingMs, unbounded, type Bounds } from '../../../model/limiter.ts'
import type { LimiterView } from '../../views.ts'
import { mapEach, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

const findNamed = `select id, bounds from limiter where name = ?`

// The code's word is kept beside what was set live, which wins for as long as it is there.
const upsertDeclared = `
insert into limiter (name, bounds) values (?, ?)
on conflict (name) do update set bounds = excluded.bounds
returning id`

const updateLive = `update limiter set live_bounds = ? where id = ?`

// By primary key prefix; few limiters change, and seldom.
const stretchPaces = `update pace set next_at = ?2 + (next_at - ?2) * ?3 where limiter = ?1 and next_at > ?2`

const dropPaces = `delete from pace where limiter = ?`

// By primary key.
const findBounds = `select bounds, live_bounds as liveBounds from limiter where id = ?`

// By primary key.
const findPace = `select next_at as nextAt from pace where limiter = ? and key = ?`

const findAll = `
select id, name, bounds, live_bounds as liveBounds,
  (select count(*) from slot where slot.limiter = limiter.id) as slots,
  (select count(*) from waiter where waiter.limiter = limiter.id) as waiting
from limiter order by name`

// By primary key prefix.
const findHolders = `
select run.public_id as id from slot cross join run on run.id = slot.run_id
where slot.limiter = ?1 and (cast(?2 as text) is null or slot.key = ?2)
group by run.id order by min(slot.ticket) limit 10`

const findWaiters = `
select run.public_id as id from waiter cross join run on run.id = waiter.run_id
where waiter.limiter = ? group by run.id order by min(waiter.ticket) limit 10`

/** The statements of this file whose plans are tested. */
export const hotLimiterStatements = { findBounds, findPace }

interface BoundsRow {
  readonly bounds: string
  readonly liveBounds: string | null
}

/** The transaction in which bounds change. */
export interface Bounding {
  readonly db: Database
  readonly now: number
}

/** Gives a limiter its number; `isNew` when its bounds are not what they were. */
export function* internLimiter(
  { db, now }: Bounding,
  name: string,
  bounds: Bounds,
): Query<{ id: number; isNew: boolean }> {
  const text = JSON.stringify(bounds)
  const known = yield* db.get<{ id: number; bounds: string }>(findNamed, name)
  if (known?.bounds === text) return { id: known.id, isNew: false }
  const before = known === undefined ? unbounded : yield* boundsOf(db, known.id)
  const row = yield* db.get<{ id: number }>(upsertDeclared, name, text)
  if (row === undefined) throw new Error(`Limiter ${name} was not kept`)
  yield* keepPace({ db, now }, row.id, before)
  return { id: row.id, isNew: true }
}

/** Sets what wins over the code's bounds, or with null lets those count again. */
export function* setLiveBounds({ db, now }: Bounding, name: string, live: Partial<Bounds> | null): Query<number> {
  const known = yield* db.get<{ id: number }>(findNamed, name)
  const id = known?.id ?? (yield* internLimiter({ db, now }, name, unbounded)).id
  const before = yield* boundsOf(db, id)
  yield* db.run(updateLive, live === null ? null : JSON.stringify(live), id)
  yield* keepPace({ db, now }, id, before)
  return id
}

/** How many passed of late counts on under another rate: what it gave too many is waited for at the new one, and nothing is given anew. */
function* keepPace({ db, now }: Bounding, id: number, before: Bounds): Query<void> {
  const { rate } = yield* boundsOf(db, id)
  if (rate === null) yield* db.run(dropPaces, id)
  else if (before.rate !== null) yield* db.run(stretchPaces, id, now, spacingMs(rate) / spacingMs(before.rate))
}

/** The bounds that count; without any for a limiter that is not there. */
export function* boundsOf(db: Database, limiterId: number): Query<Bounds> {
  const row = yield* db.get<BoundsRow>(findBounds, limiterId)
  return row === undefined ? unbounded : effective(row)
}

/** The state of a rate: what the next to pass is measured by; 0 for one that nobody has passed of late. */
export function* paceOf(db: Database, limiterId: number, key: string): Query<number> {
  const row = yield* db.get<{ nextAt: number }>(findPace, limiterId, key)
  return row?.nextAt ?? 0
}

export function* listLimiters(db: Database): Query<LimiterView[]> {
  const rows = yield* db.all<BoundsRow & Pick<LimiterView, 'name' | 'slots' | 'waiting'> & { id: number }>(findAll)
  return yield* mapEach(rows, function* ({ id, name, slots, waiting, ...row }) {
    const isLive = row.liveBounds !== null
    const waiters = waiting === 0 ? [] : yield* waitersOf(db, id)
    const holders = slots === 0 ? [] : yield* holdersOf(db, id, null)
    return { name, bounds: effective(row), isLive, slots, waiting, holders, waiters }
  })
}

function* waitersOf(db: Database, limiter: number): Query<string[]> {
  const rows = yield* db.all<{ id: string }>(findWaiters, limiter)
  return rows.map(({ id }) => id)
}

/** The runs that have slots of a limiter, or of one key of it. */
export function* holdersOf(db: Database, limiter: number, key: string | null): Query<string[]> {
  const rows = yield* db.all<{ id: string }>(findHolders, limiter, key)
  return rows.map(({ id }) => id)
}

function effective({ bounds, liveBounds }: BoundsRow): Bounds {
  const declared = JSON.parse(bounds) as Bounds
  return liveBounds === null ? declared : { ...declared, ...(JSON.parse(liveBounds) as Partial<Bounds>) }
}
