// What is kept beside runs and for a time alone: what people did, events that reached nobody, and what was kept for subscribers that are gone.
import type { DeletionRules } from '../../retention.ts'
import type { Query } from '../../query.ts'
import { dropSubscription } from '../events/events.ts'
import type { Database } from '../database/database.ts'

// The oldest are the first: times rise with the ids. By primary key.
const deleteAudit = `
delete from audit where id in (select id from audit order by id limit ?) and at <= ?
returning id`

const deleteEvents = `
delete from event where id in (select id from event order by id limit ?) and at <= ?
returning id`

// A scan of few rows.
const findOver = `select id from subscription where until_at <= ? limit 1`

// Walks event_due.
const deleteEventsOf = `
delete from event where id in (select id from event where subscription = ? limit ?)
returning id`

/** The statements of this file whose plans are tested. */
export const hotLeftoverStatements = {
  deleteAudit,
  deleteOldEvents: deleteEvents,
  deleteSomeEventsOf: deleteEventsOf,
}

export interface Leftovers {
  readonly audit: number
  readonly events: number
  /** Nothing is left that was kept long enough. */
  readonly isOver: boolean
}

/** Deletes at most `limit` of each. */
export function* deleteLeftovers(db: Database, { beside, limit }: DeletionRules, now: number): Query<Leftovers> {
  const older = function* (statement: string, kept: number | null): Query<number> {
    if (kept === null) return 0
    const deleted = yield* db.all(statement, limit, Math.floor(now - kept))
    return deleted.length
  }
  const audit = yield* older(deleteAudit, beside.audit)
  const old = yield* older(deleteEvents, beside.events)
  const unheard = yield* deleteUnheard(db, limit, now)
  return { audit, events: old + unheard, isOver: Math.max(audit, old, unheard) < limit }
}

/** What was kept for one that is over, and then that one. */
function* deleteUnheard(db: Database, limit: number, now: number): Query<number> {
  const over = yield* db.get<{ id: number }>(findOver, now)
  if (over === undefined) return 0
  const events = yield* db.all(deleteEventsOf, over.id, limit)
  if (events.length < limit) yield* dropSubscription(db, over.id)
  return events.length
}
