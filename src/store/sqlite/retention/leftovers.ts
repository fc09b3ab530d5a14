// What is kept beside runs and for a time alone: what people did, events that reached nobody, and what was kept for subscribers that are gone.
import type { DeletionRules } from '../../retention.ts'
import { dropSubscription } from '../events/events.ts'
import type { Connection } from '../connection/connection.ts'

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
export function deleteLeftovers(db: Connection, { beside, limit }: DeletionRules, now: number): Leftovers {
  const older = (statement: string, kept: number | null): number =>
    kept === null ? 0 : db.all(statement, limit, Math.floor(now - kept)).length
  const [audit, old] = [older(deleteAudit, beside.audit), older(deleteEvents, beside.events)]
  const unheard = deleteUnheard(db, limit, now)
  return { audit, events: old + unheard, isOver: Math.max(audit, old, unheard) < limit }
}

/** What was kept for one that is over, and then that one. */
function deleteUnheard(db: Connection, limit: number, now: number): number {
  const over = db.get<{ id: number }>(findOver, now)
  if (over === undefined) return 0
  const events = db.all(deleteEventsOf, over.id, limit).length
  if (events < limit) dropSubscription(db, over.id)
  return events
}
