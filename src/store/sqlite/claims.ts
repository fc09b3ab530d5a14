// Claims: the next ready runs come to a node, each with everything needed to perform it.
import { inTurn, slotsForOldest } from '../../model/ageing.ts'
import { statesBefore } from '../../model/moves.ts'
import { runMoves } from '../../model/run.ts'
import type { Claimed, ClaimRequest } from '../store.ts'
import type { Connection } from './connection.ts'
import { admitFirst, backInLine } from './limited.ts'
import type { Head } from './lines.ts'
import { atMost, fromLive, loaded, type LiveRun } from './live-runs.ts'
import { findOldestBelow } from './oldest.ts'
import { packed } from './packed.ts'
import type { Write } from './runs.ts'
import { statesOf } from './states.ts'
import { journalOf } from './steps.ts'
import { admitTicketBefore } from './tickets.ts'
import { awaitingOf, awaitingStepsOf } from './tokens.ts'
import { waitsOf } from './waits.ts'

// The next runs of a queue with their bodies, highest priority first and then oldest; walks live_ready, then by primary key.
const findReady = packed(
  loaded,
  `${fromLive}
where live.state = 'ready' and live.limited = 0 and live.queue = ? and live.definition in (select value from json_each(?))
  and live.deliveries <= ?
order by live.priority desc, live.run_id
${atMost}`,
)

// Some runs with their bodies, by primary key.
const findGiven = packed(
  loaded,
  `${fromLive} where live.run_id in (select value from json_each(?)) order by live.run_id`,
)

const givenReady = `from run cross join live on live.run_id = run.id
where run.public_id in (select value from json_each(?)) and live.state = 'ready'
  and live.definition in (select value from json_each(?)) and live.deliveries <= ?
  and live.queue not in (select id from queue where paused_at is not null)`

// Those of some runs that are ready, by their ids, then by primary key.
const findOnly = packed(loaded, `${givenReady} and live.limited = 0 order by live.priority desc, live.run_id limit ?`)

const findOnlyLimited = `select live.run_id as runId, live.queue ${givenReady} and live.limited = 1`

// By primary key, all at once. What is claimed ahead starts when it begins.
const claimReady = `
update live set state = 'running', node = ?, epoch = ?, due_at = null, has_begun = ?,
  started_at = coalesce(started_at, ?)
where run_id in (select value from json_each(?)) and state in (${statesBefore(runMoves.claim)})`

// The runs of one claim, to be told again. A scan: an answer is seldom lost.
const findClaimed = packed(
  loaded,
  `${fromLive} where live.node = ? and live.epoch = ? and live.state = 'running' order by live.priority desc, live.run_id`,
)

/** The statements of this file whose plans are tested. */
export const hotClaimStatements = {
  findReady: findReady.sql,
  findGiven: findGiven.sql,
  findOnly: findOnly.sql,
  findOnlyLimited,
  claimReady,
}

/** What one claim brings. */
export interface Claim {
  readonly runs: Claimed[]
  /** A run was left behind that must be claimed alone. */
  readonly isOneHeldBack: boolean
}

export function claimRuns(write: Write, claims: readonly ClaimRequest[]): Claim[] {
  return claims.map((claim) => claimMany(write, claim))
}

/** What a node runs under an epoch, in the order in which runs are claimed. */
export function listClaimed(db: Connection, nodeId: number, epoch: number): LiveRun[] {
  return db.allPacked(findClaimed, nodeId, epoch)
}

interface Loading {
  readonly epoch: number
  readonly claimedAt: number
  readonly hasBegun: boolean
}

/** Everything needed to perform a run under a claim that began at `claimedAt` or before. */
export function loadRun(db: Connection, live: LiveRun, claim: Loading): Claimed {
  const { runId, generation, epoch } = live
  const held = { runId, generation, epoch: claim.epoch }
  // A run that nobody has claimed before has left nothing behind.
  const journal = epoch === 0 ? nothingYet : journalOf(db, held)
  const waits = epoch === 0 ? [] : waitsOf(db, runId)
  return {
    held,
    id: live.id,
    definitionId: live.definition,
    input: live.input,
    attempt: live.attempt,
    deliveries: live.deliveries,
    hasBegun: claim.hasBegun,
    createdAt: live.createdAt,
    startedAt: live.startedAt ?? claim.claimedAt,
    deadlineAt: live.deadlineAt,
    expiresAt: live.startedAt === null && generation === 1 ? live.expiresAt : null,
    correlationId: live.correlationId,
    depth: live.depth,
    retry: live.retry,
    isUnchecked: live.isUnchecked === 1,
    scheduledAt: live.scheduledAt,
    steps: journal.steps,
    failedAttempts: journal.failedAttempts,
    waits,
    states: live.hasState === 1 ? statesOf(db, runId) : [],
    awaiting: awaitingOf(db, { runId, epochBefore: epoch, epoch: claim.epoch }, waits),
    awaitingSteps: awaitingStepsOf(db, { runId, epoch: claim.epoch }, waits),
  }
}

const nothingYet = { steps: [], failedAttempts: [] }

function claimMany(write: Write, claim: ClaimRequest): Claim {
  const runs = claim.only === undefined ? fromQueues(write, claim) : fromGiven(write, claim, claim.only)
  const taken = withoutOthers(runs)
  if (taken.length < runs.length) backInLine(write, runs.slice(taken.length))
  return { runs: claimAll(write, taken, claim.begins), isOneHeldBack: taken.length < runs.length }
}

function fromQueues(write: Write, claim: ClaimRequest): LiveRun[] {
  const definitions = JSON.stringify(claim.definitionIds)
  const runs: LiveRun[] = []
  for (const queueId of claim.queueIds) {
    if (write.paused.has(queueId)) continue
    const want = claim.want - runs.length
    if (want === 0) break
    const { mostDeliveries } = claim
    const slots = { queueId, definitions, want, taken: claim.taken + runs.length, mostDeliveries }
    runs.push(...withLimited(write, { ...slots, begins: claim.begins - runs.length }))
  }
  return runs
}

/** Those of some runs that are ready; those that wait for limiters only as the first of their line. */
function fromGiven(write: Write, claim: ClaimRequest, only: readonly string[]): LiveRun[] {
  const given = [JSON.stringify(only), JSON.stringify(claim.definitionIds), claim.mostDeliveries] as const
  const ready = write.db.allPacked(findOnly, ...given, claim.want)
  const begins = Math.min(claim.begins, claim.want) - ready.length
  const limited = begins <= 0 ? [] : write.db.all<{ runId: number; queue: number }>(findOnlyLimited, ...given)
  if (limited.length === 0 || !write.admission.hasOpenLines()) return ready
  const waiting = new Set(limited.map(({ runId }) => runId))
  const passed: number[] = []
  for (const queue of new Set(limited.map((run) => run.queue))) {
    for (const { ticket } of write.admission.openHeads(queue)) {
      if (passed.length === begins || !waiting.has(ticket)) continue
      if (admitFirst(write.db, write.admission, { runId: ticket, place: write })) passed.push(ticket)
    }
  }
  return [...ready, ...write.db.allPacked(findGiven, JSON.stringify(passed))]
}

interface Slots extends Ready {
  /** How many of them can begin at once: only these pass limiters. */
  readonly begins: number
}

interface Ready {
  readonly queueId: number
  /** A list of numbers as JSON. */
  readonly definitions: string
  readonly want: number
  readonly taken: number
  readonly mostDeliveries: number
}

// So many may be sent from one line to another in a claim; the next one goes on.
const mostTries = 1_000

/** The same with those that pass limiters, in turn by priority and age. */
function withLimited(write: Write, slots: Slots): LiveRun[] {
  const ready = nextOf(write.db, slots)
  if (slots.begins <= 0 || !write.admission.hasOpenLines()) return ready
  const { want, taken, begins, mostDeliveries } = slots
  const chosen: LiveRun[] = []
  let next = 0
  for (let tries = 0; chosen.length < Math.min(want, begins) && tries < want + mostTries; tries++) {
    const head = write.admission.next(slots.queueId, slots.definitions)
    const first = head && write.db.allPacked(findGiven, JSON.stringify([head.ticket]))[0]
    // Race: what must be claimed alone waits for a node that can.
    if (head === undefined || (first !== undefined && first.deliveries > mostDeliveries)) break
    if (admitTicketBefore(write, head)) continue
    const other = ready[next]
    if (other !== undefined && !isNext(head, other, taken + chosen.length)) {
      chosen.push(other)
      next++
    } else if (admitFirst(write.db, write.admission, { runId: head.ticket, place: write }) && first !== undefined) {
      chosen.push(first)
    }
  }
  return [...chosen, ...ready.slice(next, next + want - chosen.length)]
}

/** By priority, then by age; in turn with the other, whatever its priority. */
function isNext(head: Head, other: LiveRun, taken: number): boolean {
  if (slotsForOldest(taken, 1) === 1) return true
  return head.priority === other.priority ? head.ticket < other.runId : head.priority > other.priority
}

/** The runs for the next slots of a queue. */
function nextOf(db: Connection, { queueId, definitions, want, taken, mostDeliveries }: Ready): LiveRun[] {
  const urgent = db.allPacked(findReady, queueId, definitions, mostDeliveries, want)
  const forOldest = slotsForOldest(taken, want)
  const least = urgent.at(-1)
  // Whoever comes last is as urgent as any other, or nobody is left that is not chosen.
  if (forOldest === 0 || least === undefined || urgent.length < want) return urgent
  const below = { queueId, definitions, priority: least.priority, want: forOldest, mostDeliveries }
  const older = findOldestBelow(db, below)
  return older.length === 0 ? urgent : inTurn(urgent, older, taken)
}

/** A run with a delivery may be what killed its process: nothing else is in its claim. */
function withoutOthers(runs: LiveRun[]): LiveRun[] {
  const suspect = runs.findIndex(({ deliveries }) => deliveries > 0)
  return suspect === -1 ? runs : runs.slice(0, Math.max(1, suspect))
}

/** The first `begins` count as begun. */
function claimAll({ db, nodeId, epoch, now }: Write, ready: readonly LiveRun[], begins: number): Claimed[] {
  let claimed = 0
  for (const [part, hasBegun] of [
    [ready.slice(0, begins), 1],
    [ready.slice(begins), 0],
  ] as const) {
    if (part.length > 0)
      claimed += db.run(claimReady, nodeId, epoch, hasBegun, hasBegun === 1 ? now : null, idsOf(part))
  }
  if (claimed !== ready.length) throw new Error(`Of ${ready.length} ready runs ${claimed} could be claimed`)
  return ready.map((live, place) => {
    return loadRun(db, live, { epoch, claimedAt: now, hasBegun: place < begins })
  })
}

function idsOf(runs: readonly LiveRun[]): string {
  return JSON.stringify(runs.map(({ runId }) => runId))
}
