// Who passes limiters without being a run: each has a ticket, a number like that of a run, and waits in lines of its node.
import type { LimitUse } from '../../model/limiter.ts'
import type { Passed, Passing } from '../queues.ts'
import type { Admission, Candidate } from './admission.ts'
import type { Connection } from './connection.ts'
import { takeFrom } from './counters.ts'
import type { Head, Line } from './lines.ts'
import { hasNode } from './nodes.ts'
import type { Ends } from './runs.ts'

// By the index of slots.
const findPassed = `select ticket from slot where ticket in (select value from json_each(?)) order by ticket`

// By the indexes of slots and of lines.
const findNews = `
select exists (select 1 from slot where ticket in (select value from json_each(?1)))
  or exists (select 1 from line where is_open = 1 and queue = ?2)
  or exists (select 1 from line where opens_at is not null and opens_at <= ?3) as isNews`

// By primary key prefix: the first of the runs that wait for the same.
const findFirstRun = `
select priority, ticket from line where limiter = ? and key = ? and queue > 0 order by priority desc, ticket limit 1`

// Walks line_open: whose turn it is among those that are no runs, of all nodes.
const findFirstTicket = `
select limiter, key, queue, definition, priority, ticket, turn from line indexed by line_open
where is_open = 1 and queue < 0 and limiter = ? order by turn, priority desc, ticket limit 1`

/** The statements of this file whose plans are tested. */
export const hotTicketStatements = { findPassed, findNews, findFirstRun, findFirstTicket }

// The number of a definition that nothing has.
const noDefinition = 0

export const nobodyPasses: Passed = { isNodeLost: false, tickets: [], passed: [], isYielding: false, opensAt: null }

/** Asked before anything is written: nobody comes or leaves, and for those who wait all is as it was. */
export function hasNoNews(db: Connection, { nodeId, passing, now }: Asked): boolean {
  const { enters, leaves, waiting } = passing
  if (enters.length > 0 || leaves.length > 0) return false
  return db.get<{ isNews: number }>(findNews, JSON.stringify(waiting), -nodeId, now)?.isNews === 0
}

interface Asked {
  readonly nodeId: number
  readonly passing: Passing
  readonly now: number
}

/** leave → come → pass */
export function passLimiters(ends: Pick<Ends, 'db' | 'admission'>, nodeId: number, passing: Passing): Passed {
  const { db, admission } = ends
  if (!hasNode(db, nodeId)) return { ...nobodyPasses, isNodeLost: true }
  admission.leaveTickets(passing.leaves)
  const first = passing.enters.length === 0 ? 0 : takeFrom(db, 'run', passing.enters.length)
  const tickets = passing.enters.map((use, place) => enter(admission, { nodeId, ticket: first + place, use }))
  const isYielding = passWaiting(ends, nodeId, passing.yields)
  const asked = JSON.stringify([...passing.waiting, ...tickets])
  const passed = db.all<{ ticket: number }>(findPassed, asked).map(({ ticket }) => ticket)
  return { isNodeLost: false, tickets, passed, isYielding, opensAt: admission.opensAt }
}

/** Lets somebody who is no run pass in place of the first of a line, when it is before that; tells whether it did. */
export function admitTicketBefore({ db, admission }: Pick<Ends, 'db' | 'admission'>, head: Head): boolean {
  const first = db.get<Head>(findFirstTicket, head.limiter)
  return first !== undefined && isBefore(first, head) && admit(admission, first)
}

function enter(admission: Admission, visit: { nodeId: number; ticket: number; use: LimitUse }): number {
  const { nodeId, ticket, use } = visit
  const line = { limiter: use.limiterId, key: use.key, queue: -nodeId, definition: noDefinition }
  const who = candidateOf(line, ticket)
  if (!admission.isFirst(who) || admission.admit(who, { nodeId, epoch: 0 }) !== undefined) admission.enqueue(who)
  return ticket
}

/** One of each line after the other, for as long as somebody passes; tells whether anybody let an older run go first. */
function passWaiting({ db, admission }: Pick<Ends, 'db' | 'admission'>, nodeId: number, yields: boolean): boolean {
  let isYielding = false
  let hasPassed = admission.hasOpenLines()
  while (hasPassed) {
    hasPassed = false
    for (const head of admission.openHeads(-nodeId)) {
      if (yields && isAfterRun(db, head)) isYielding = true
      else if (admit(admission, head)) hasPassed = true
    }
  }
  return isYielding
}

function isAfterRun(db: Connection, head: Head): boolean {
  const run = db.get<Pick<Head, 'priority' | 'ticket'>>(findFirstRun, head.limiter, head.key)
  return run !== undefined && isOlder(run, head)
}

function admit(admission: Admission, { ticket, ...line }: Head): boolean {
  if (admission.admit(candidateOf(line, ticket), { nodeId: -line.queue, epoch: 0 }) !== undefined) return false
  admission.dequeue([ticket])
  return true
}

/** Within a key by priority and age, else the key that was served longest ago. */
function isBefore(one: Head, other: Head): boolean {
  return one.key === other.key ? isOlder(one, other) : one.turn < other.turn
}

function isOlder(one: Pick<Head, 'priority' | 'ticket'>, other: Pick<Head, 'priority' | 'ticket'>): boolean {
  return one.priority === other.priority ? one.ticket < other.ticket : one.priority > other.priority
}

function candidateOf({ limiter, key, queue, definition }: Line, ticket: number): Candidate {
  return { ticket, uses: [{ limiterId: limiter, key }], queue, definition, priority: 0, runId: null }
}
