// The outbox: events on their way, one row for each event and subscription, gone once they have arrived.
import { isMeant, type EventOrigin } from '../../../model/event.ts'
import type { Started } from '../../start.ts'
import type { Claimed } from '../../store.ts'
import { publisherPattern } from '../../events.ts'
import type { EventEnd, EventRecord, EventRow, EventSlice, SubscriptionRecord } from '../../events.ts'
import { answerNow, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

// All of them: there are few.
const findSubscriptions = `select id, pattern, takes from subscription where until_at is null or until_at > ?`

const insertSubscription = `
insert into subscription (pattern, group_name, takes, until_at) values (?, ?, ?, ?)
on conflict (group_name, pattern) do update set takes = excluded.takes
returning id`

const renew = `update subscription set until_at = ? where id in (select value from json_each(?)) and until_at is not null returning id`

// A scan of few rows.
const findOver = `select id from subscription where until_at <= ?`

const deleteSubscription = `delete from subscription where id = ?`

// Walks event_due.
const deleteEventsOf = `delete from event where subscription = ?`

const insertEvent = `insert into event (subscription, name, value, at, attempt, due_at, origin, mode) values (?, ?, ?, ?, 0, ?, ?, ?)`

// The oldest first, so that one subscription has them in order; walks event_due.
const findDue = `
select id from event
where subscription in (select value from json_each(?)) and due_at <= ?
order by id
limit ?`

// By primary key.
const take = `
update event set attempt = attempt + 1, due_at = ? where id in (select value from json_each(?))
returning id, subscription, name, value, at, attempt, origin, mode`

const deleteEvent = `delete from event where id = ?`

const putOff = `update event set due_at = ?, attempt = attempt - ? where id = ?`

// All of them: there are few.
const findPublishers = `select group_name as name from subscription where takes = 'publisher'`

// By primary keys.
const findRunOfEvent = `
select run.public_id as runId, definition.name from run join definition on definition.id = run.definition where run.id = ?`

/** The statements of this file whose plans are tested. */
export const hotEventStatements = { findDue, take, deleteEvent, putOff, deleteEventsOf, findRunOfEvent }

type TakenRow = Omit<EventRow, 'origin'> & { readonly origin: string | null }

interface Wanting {
  readonly id: number
  readonly pattern: string
  readonly takes: SubscriptionRecord['takes']
}

const nothing = answerNow(() => {})

/** The events of one transaction. Who wants any is looked up once, when the first one happens. */
export class Outbox {
  readonly #db: Database
  readonly #now: number
  #wanting: readonly Wanting[] | undefined

  constructor(db: Database, now: number) {
    this.#db = db
    this.#now = now
  }

  /** Looks up who wants any, before there are some. */
  *look(): Query<void> {
    yield* this.#all()
  }

  /** Keeps an event for everybody who wants it; counts them. */
  *add({ name, value, mode, origin, publisher }: EventRecord): Query<number> {
    const wanting = publisher === undefined ? yield* this.#wantingOf(name, mode) : [yield* this.#publisher(publisher)]
    if (wanting.length === 0) return 0
    const from = origin === undefined ? null : JSON.stringify(origin)
    for (const { id } of wanting) yield* this.#db.run(insertEvent, id, name, value, this.#now, this.#now, from, mode)
    return wanting.length
  }

  /** Says what happened to a run; costs nothing when nobody wants to know. */
  ofRun(happened: string, runId: number, details: Readonly<Record<string, unknown>> = {}): Query<void> {
    return this.#wanting?.length === 0 ? nothing : this.#ofRun(happened, runId, details)
  }

  *#ofRun(happened: string, runId: number, details: Readonly<Record<string, unknown>>): Query<void> {
    const all = yield* this.#all()
    const name = `run.${happened}`
    if (!all.some(({ pattern }) => isMeant(pattern, name))) return
    const run = yield* this.#db.get<{ runId: string; name: string }>(findRunOfEvent, runId)
    if (run === undefined) return
    const value = `j${JSON.stringify({ runId: run.runId, name: run.name, ...details })}`
    yield* this.add({ name, value, mode: 'durable' })
  }

  /** Says which runs of a batch began for the first time. */
  *ofStarts(claimed: readonly (readonly Claimed[])[], started: readonly Started[]): Query<void> {
    const all = yield* this.#all()
    if (all.length === 0) return
    for (const { held, startedAt } of claimed.flat()) {
      if (startedAt === this.#now) yield* this.ofRun('started', held.runId)
    }
    for (const { held } of started) if (held !== undefined) yield* this.ofRun('started', held.runId)
  }

  *#wantingOf(name: string, mode: EventRecord['mode']): Query<readonly Pick<Wanting, 'id'>[]> {
    const all = yield* this.#all()
    return all.filter(({ pattern, takes }) => (takes === 'all' || takes === mode) && isMeant(pattern, name))
  }

  /** There from now on where no process has had it: what goes through it waits. */
  *#publisher(group: string): Query<Pick<Wanting, 'id'>> {
    const subscription = { pattern: publisherPattern, group, takes: 'publisher', until: null } as const
    return { id: yield* addSubscription(this.#db, subscription) }
  }

  *#all(): Query<readonly Wanting[]> {
    return (this.#wanting ??= yield* this.#db.all<Wanting>(findSubscriptions, this.#now))
  }
}

export function* addSubscription(db: Database, { pattern, group, takes, until }: SubscriptionRecord): Query<number> {
  const row = yield* db.get<{ id: number }>(insertSubscription, pattern, group, takes, until)
  if (row === undefined) throw new Error(`The subscription of ${pattern} was not kept`)
  return row.id
}

export function* renewSubscriptions(
  db: Database,
  ids: readonly number[],
  times: { readonly now: number; readonly until: number },
): Query<number[]> {
  const renewed = yield* db.all<{ id: number }>(renew, times.until, JSON.stringify(ids))
  const over = yield* db.all<{ id: number }>(findOver, times.now)
  for (const { id } of over) yield* dropSubscription(db, id)
  return renewed.map(({ id }) => id)
}

export function* dropSubscription(db: Database, id: number): Query<void> {
  yield* db.run(deleteEventsOf, id)
  yield* db.run(deleteSubscription, id)
}

export function* takeEvents(db: Database, { subscriptions, limit, until }: EventSlice, now: number): Query<EventRow[]> {
  const due = yield* db.all<{ id: number }>(findDue, JSON.stringify(subscriptions), now, limit)
  if (due.length === 0) return []
  const rows = yield* db.all<TakenRow>(take, until, JSON.stringify(due.map(({ id }) => id)))
  const taken = rows.map(({ origin, ...row }): EventRow => ({
    ...row,
    origin: origin === null ? {} : (JSON.parse(origin) as EventOrigin),
  }))
  return taken.toSorted((left, right) => left.id - right.id)
}

export function* settleEvents(db: Database, ends: readonly EventEnd[], outbox: Pick<Outbox, 'add'>): Query<void> {
  for (const { id, end, events = [] } of ends) {
    for (const event of events) yield* outbox.add(event)
    if (end === 'done') yield* db.run(deleteEvent, id)
    else if (end === 'dead') yield* db.run(putOff, null, 0, id)
    else yield* db.run(putOff, end.dueAt, end.isUntried === true ? 1 : 0, id)
  }
}

export function* listPublishers(db: Database): Query<string[]> {
  const rows = yield* db.all<{ name: string }>(findPublishers)
  return rows.map(({ name }) => name)
}
