// Entities: runs that are found by a key and begin with their first message; what they handle is gone in the commit that makes it so.
import type { HandledRecord, TellRecord } from '../../waits.ts'
import type { Held } from '../../store.ts'
import type { StartRecord } from '../../start.ts'
import { mapEach, type Query } from '../../query.ts'
import { findRunOfKey, ownerOf } from '../runs/keys.ts'
import type { Write } from '../runs/runs.ts'
import { insertRuns } from '../runs/starts.ts'
import { replyTo } from './asks.ts'
import { forgetMessage, recordTells, refuseOne } from './messages.ts'

// By primary key.
const renewDeliveries = `update live set deliveries = 0 where run_id = ? and deliveries > 0`

// Invariant: I15. What is kept of what an entity could not handle; by primary key prefix.
const dropOldRefused = `
delete from message where run_id = ?1 and refused is not null and seq <= (
  select seq from message where run_id = ?1 and refused is not null order by seq desc limit 1 offset 100)`

/** The statements of this file whose plans are tested. */
export const hotEntityStatements = { renewDeliveries, dropOldRefused }

/** What was told to runs by their keys, with the ids of these; those that were not there begin. */
export function addressed(write: Write, tells: readonly TellRecord[]): Query<readonly TellRecord[]> {
  return mapEach(tells, function* (tell) {
    return tell.start === undefined ? tell : { ...tell, id: yield* runOf(write, tell.start) }
  })
}

/** Consumes what was handled, answers it, and does what followed from it. */
export function* recordHandled(write: Write, handled: readonly HandledRecord[]): Query<void> {
  for (const one of yield* write.fence.letIn(handled)) {
    yield* consume(write, one)
    yield* recordTells(write, yield* addressed(write, one.tells))
    yield* insertRuns(write, one.starts)
    for (const event of one.events) yield* write.outbox.add(event)
  }
}

function* runOf(write: Write, start: StartRecord): Query<string> {
  const { key } = start
  if (key === null) return start.id
  const found = yield* findRunOfKey(write.db, key, yield* ownerOf(write.db, key, start.definitionId))
  if (found !== undefined && found.state !== 'succeeded') return found.id
  const [started] = yield* insertRuns(write, [start])
  write.news.woken += 1
  return started?.id ?? start.id
}

function* consume(write: Write, { held, message, ask, reply, refused, hadDeliveries }: HandledRecord): Query<void> {
  const { db } = write
  if (message !== undefined && refused === undefined) yield* forgetMessage(db, held.runId, message)
  if (message !== undefined && refused !== undefined) yield* refuse(write, held, { seq: message, why: refused })
  if (ask !== undefined && reply !== undefined) yield* replyTo(db, { runId: held.runId, seq: ask }, reply)
  if (hadDeliveries === true) yield* db.run(renewDeliveries, held.runId)
}

function* refuse(
  { db }: Write,
  { runId }: Held,
  { seq, why }: { readonly seq: number; readonly why: string },
): Query<void> {
  yield* refuseOne(db, { runId, seq }, why)
  yield* db.run(dropOldRefused, runId)
}
