// Who passes limiters without being a run, as a step of one: each has a ticket, a number like that of a run, and waits in lines of its node.
import type { LimitUse } from '../../../model/limiter.ts'
import type { Entering, Passed, Passing } from '../../queues.ts'
import { mapEach, type Query } from '../../query.ts'
import { Admission, usesFrom, type Candidate } from './admission.ts'
import type { Database } from '../database/database.ts'
import { takeFrom } from '../counters.ts'
import { admitWaiting } from './limited.ts'
import { isOldest, type Head } from './lines.ts'
import { hasNode } from '../nodes/nodes.ts'
import type { Ends } from '../runs/runs.ts'

// Walks slot_node: what has passed on a node, however many wait there.
const findPassed = `
select distinct ticket from slot where node = ? and (run_id is null or run_id <> ticket) order by ticket`

// By the indexes of slots and of lines.
const findNews = `
select (select count(distinct ticket) from slot where node = ?1 and (run_id is null or run_id <> ticket)) <> ?2
  or exists (select 1 from line where opens_at is not null and opens_at <= ?3) as isNews`

// By primary key prefix: the first of the runs that wait for the same.
const findFirstRun = `
select priority, ticket from line where limiter = ? and key = ? and queue > 0 order by priority desc, ticket limit 1`

// Walks line_ticket: whose turn it is among those that are no runs, of all nodes.
const findFirstTicket = `
select limiter, key, queue, definition, priority, ticket, turn, passes from line indexed by line_ticket
where is_open = 1 and queue < 0 and limiter = ? order by turn, priority desc, ticket limit 1`

// By primary key. From now on the end of this activation frees what its steps have.
const markSlots = `
update live set has_slots = 1 where run_id = ? and node = ? and state = 'running'
returning priority, epoch`

// By the index of waiters, then by primary key: what more is known of one that waits than its line says.
const findWaiter = `
select waiter.run_id as runId, waiter.path, waiter.uses, live.epoch
from waiter left join live on live.run_id = waiter.run_id
where waiter.ticket = ?`

// By the index of slots.
const findSlots = `select limiter, key from slot where ticket = ?`

/** The statements of this file whose plans are tested. */
export const hotTicketStatements = {
  findPassed,
  findSlots,
  findNews,
  findFirstRun,
  findFirstTicket,
  markSlots,
  findWaiter,
}

// The number of a definition that nothing has.
const noDefinition = 0

export const nobodyPasses: Passed = { isNodeLost: false, tickets: [], passed: [], isYielding: false, opensAt: null }

/** Asked before anything is written: nobody comes or leaves, and for those who wait all is as it was. */
export function* hasNoNews(db: Database, { nodeId, passing, now }: Asked): Query<boolean> {
  const { enters, leaves, holds } = passing
  if (enters.length > 0 || leaves.length > 0) return false
  const seen = yield* db.get<{ isNews: number }>(findNews, nodeId, holds, now)
  if (seen?.isNews === 1) return false
  return !(yield* new Admission(db, now).mayPassIn(-nodeId))
}

type Passers = Pick<Ends, 'db' | 'admission'>

interface Asked {
  readonly nodeId: number
  readonly passing: Passing
  readonly now: number
}

/** leave → come → pass */
export function* passLimiters(ends: Passers, nodeId: number, passing: Passing): Query<Passed> {
  const { db, admission } = ends
  if (!(yield* hasNode(db, nodeId))) return { ...nobodyPasses, isNodeLost: true }
  yield* admission.leaveTickets(passing.leaves)
  const first = passing.enters.length === 0 ? 0 : yield* takeFrom(db, 'run', passing.enters.length)
  const tickets = yield* mapEach(passing.enters, (entering, place) =>
    enter(ends, { nodeId, ticket: first + place, entering }),
  )
  const isYielding = yield* passWaiting(ends, nodeId, passing.yields)
  const passed = yield* db.all<{ ticket: number }>(findPassed, nodeId)
  return {
    isNodeLost: false,
    tickets,
    passed: passed.map(({ ticket }) => ticket),
    isYielding,
    opensAt: admission.opensAt,
  }
}

/** Lets somebody who is no run pass in place of the first of a line, when it is before that; tells whether it did. */
export function* admitTicketBefore({ db, admission }: Passers, head: Head): Query<boolean> {
  const first = yield* db.get<Head>(findFirstTicket, head.limiter)
  return first !== undefined && isBefore(first, head) && (yield* admit({ db, admission }, first))
}

interface Visit {
  readonly nodeId: number
  readonly ticket: number
  readonly entering: Entering
}

function* enter({ db, admission }: Passers, { nodeId, ticket: next, entering }: Visit): Query<number> {
  const { uses, step } = entering
  const ticket = step?.ticket ?? next
  const live = step && (yield* db.get<{ priority: number; epoch: number }>(markSlots, step.runId, nodeId))
  // Race: the run is not here any more, and its activation is about to hear so.
  if (live === undefined) return ticket
  const [runId, path] = step === null ? [null, null] : [step.runId, step.path]
  if (ticket !== next && (yield* hasPassed({ db, admission }, ticket, uses))) return ticket
  const line = { queue: -nodeId, definition: noDefinition, priority: live?.priority ?? 0 }
  const who = { ...line, ticket, uses, runId, path }
  const holder = { nodeId, epoch: live?.epoch ?? 0 }
  const passes = (yield* admission.isFirst(who)) && (yield* admission.admit(who, holder)) === undefined
  if (!passes) yield* admission.enqueue(who)
  return ticket
}

/** Whether a step has its slots since its run was claimed; those of other limiters, by other code, are free. */
function* hasPassed({ db, admission }: Passers, ticket: number, uses: readonly LimitUse[]): Query<boolean> {
  const slots = yield* db.all<{ limiter: number; key: string }>(findSlots, ticket)
  const isSame = ({ limiterId, key }: LimitUse): boolean =>
    slots.some((slot) => slot.limiter === limiterId && slot.key === key)
  if (slots.length === uses.length && uses.every(isSame)) return true
  yield* admission.leaveTickets([ticket])
  return false
}

/** One of each line after the other, for as long as somebody passes; tells whether anybody let an older run go first. */
function* passWaiting({ db, admission }: Passers, nodeId: number, yields: boolean): Query<boolean> {
  let isYielding = false
  let hasPassed = yield* admission.hasOpenLines()
  while (hasPassed) {
    hasPassed = false
    for (const head of yield* admission.openHeads(-nodeId)) {
      if (yields && (yield* isAfterRun(db, head))) isYielding = true
      else if (yield* admit({ db, admission }, head)) hasPassed = true
    }
  }
  return isYielding
}

function* isAfterRun(db: Database, head: Head): Query<boolean> {
  const run = yield* db.get<Pick<Head, 'priority' | 'ticket'>>(findFirstRun, head.limiter, head.key)
  return run !== undefined && isOlder(run, head)
}

/** Tells whether it has passed. */
function* admit({ db, admission }: Passers, head: Head): Query<boolean> {
  const waiter = yield* db.get<WaiterRow>(findWaiter, head.ticket)
  return waiter !== undefined && (yield* admitWaiting(admission, candidateOf(head, waiter), holderOf(head, waiter)))
}

/** Within a key by priority and age, or by age alone where it is the turn of the oldest; else the key that was served longest ago. */
function isBefore(one: Head, other: Head): boolean {
  if (one.key === other.key && isOldest(other)) return one.ticket < other.ticket
  return one.key === other.key ? isOlder(one, other) : one.turn < other.turn
}

function isOlder(one: Pick<Head, 'priority' | 'ticket'>, other: Pick<Head, 'priority' | 'ticket'>): boolean {
  return one.priority === other.priority ? one.ticket < other.ticket : one.priority > other.priority
}

interface WaiterRow {
  readonly runId: number | null
  readonly path: string | null
  readonly uses: string | null
  /** Of the run as it was claimed last. */
  readonly epoch: number | null
}

function candidateOf(
  { ticket, limiter, key, queue, definition, priority }: Head,
  { runId, path, uses }: WaiterRow,
): Candidate {
  const all = uses === null ? [{ limiterId: limiter, key }] : usesFrom(uses)
  return { ticket, uses: all, queue, definition, priority, runId, path }
}

function holderOf({ queue }: Head, { epoch }: WaiterRow): { nodeId: number; epoch: number } {
  return { nodeId: -queue, epoch: epoch ?? 0 }
}
