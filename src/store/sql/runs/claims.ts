// Claims: the next ready runs come to a node, each with everything needed to perform it.
import { inTurn, isTurnOfOldest, slotsForOldest, Turns } from '../../../model/ageing.ts'
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import type { Claimed, ClaimRequest } from '../../store.ts'
import { mapEach, mapTogether, together, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { admitFirst, backInLine } from '../limiters/limited.ts'
import { linesOf, type Head } from '../limiters/lines.ts'
import { atMost, fromLive, loaded, type LiveRun } from './live-runs.ts'
import { admitWithStep, leaveLines, runOfStep } from '../limiters/parked-steps.ts'
import { findOldestBelow } from './oldest.ts'
import { packed } from '../database/packed.ts'
import type { Write } from './runs.ts'
import { statesOf } from '../steps/states.ts'
import { formerStepsOf, journalOf, livesOf } from '../steps/steps.ts'
import { admitTicketBefore } from '../limiters/tickets.ts'
import { awaitingOf, awaitingStepsOf } from '../steps/tokens.ts'
import { decidedEndOf } from './undoing.ts'
import { waitsOf } from '../steps/waits.ts'

// The next runs of a queue with their bodies, highest priority first and then oldest; walks live_ready, then by primary key.
const findReady = packed(
  loaded,
  `${fromLive}
where live.state = 'ready' and live.limited = 0 and live.queue = ? and live.definition in (select value from json_each(?))
  and live.deliveries <= ?
order by live.priority desc, live.run_id
${atMost}`,
)

// A run with its body, by primary key.
const findGiven = packed(loaded, `${fromLive} where live.run_id = ?`)

const givenReady = `from run cross join live on live.run_id = run.id
where run.public_id in (select value from json_each(?) /* texts */) and live.state = 'ready'
  and live.definition in (select value from json_each(?)) and live.deliveries <= ?
  and live.queue not in (select id from queue where paused_at is not null)`

// Those of some runs that are ready, by their ids, then by primary key.
const findOnly = packed(loaded, `${givenReady} and live.limited = 0 order by live.priority desc, live.run_id limit ?`)

// By their ids, then by primary key and by the index of waiters.
const findOnlyLimited = `
select waiter.ticket, live.queue from run cross join live on live.run_id = run.id cross join waiter on waiter.run_id = live.run_id
where run.public_id in (select value from json_each(?) /* texts */) and live.state in ('ready', ${statesBefore(runMoves.wake)})
  and live.definition in (select value from json_each(?)) and live.deliveries <= ?
  and live.queue not in (select id from queue where paused_at is not null)`

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
  /** A run was left behind that must be claimed alone, or that could pass its limiters and cannot begin at once. */
  readonly isOneHeldBack: boolean
}

export function claimRuns(write: Write, claims: readonly ClaimRequest[]): Query<Claim[]> {
  return mapEach(claims, (claim) => claimMany(write, claim))
}

/** What a node runs under an epoch, in the order in which runs are claimed. */
export function listClaimed(db: Database, nodeId: number, epoch: number): Query<LiveRun[]> {
  return db.allPacked(findClaimed, nodeId, epoch)
}

interface Loading {
  readonly epoch: number
  readonly claimedAt: number
  readonly hasBegun: boolean
}

/** Everything needed to perform a run under a claim that began at `claimedAt` or before. */
export function* loadRun(db: Database, live: LiveRun, claim: Loading): Query<Claimed> {
  const { runId, generation, epoch } = live
  const claimed = claimedNew(live, claim)
  const { held } = claimed
  if (isNew(live)) return claimed
  // One that nobody has claimed before has no journal, though it may be in a later generation.
  const [journal, waits] = epoch === 0 ? [nothingYet, []] : yield* together([journalOf(db, held), waitsOf(db, runId)])
  const undoes = live.undo === 2
  return {
    ...claimed,
    ...journal,
    deadlineAt: undoes ? null : live.deadlineAt,
    undoing: undoes ? yield* decidedEndOf(db, runId) : undefined,
    formerSteps: undoes && generation > 1 ? yield* formerStepsOf(db, held, journal.steps) : undefined,
    lives: generation > 1 ? yield* livesOf(db, held, live.anewIn) : undefined,
    waits,
    states: live.hasState === 1 ? yield* statesOf(db, runId) : [],
    awaiting: yield* awaitingOf(db, { runId, epochBefore: epoch, epoch: claim.epoch }, waits),
    awaitingSteps: yield* awaitingStepsOf(db, { runId, epoch: claim.epoch }, waits),
  }
}

const nothingYet = { steps: [], failedAttempts: [] }

/** Whether a run has left nothing behind. */
function isNew({ epoch, generation, hasState }: LiveRun): boolean {
  return epoch === 0 && generation === 1 && hasState === 0
}

/** The same for one that has left nothing behind: there is nothing to ask for. */
function claimedNew(live: LiveRun, claim: Loading): Claimed {
  const { runId, generation } = live
  return {
    held: { runId, generation, epoch: claim.epoch },
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
    undoing: undefined,
    steps: [],
    formerSteps: undefined,
    failedAttempts: [],
    lives: undefined,
    waits: [],
    states: [],
    awaiting: undefined,
    awaitingSteps: [],
  }
}

function* claimMany(write: Write, claim: ClaimRequest): Query<Claim> {
  const picked = claim.only === undefined ? yield* fromQueues(write, claim) : yield* fromGiven(write, claim, claim.only)
  const { runs } = picked
  const taken = withoutOthers(runs)
  if (taken.length < runs.length) yield* backInLine(write, runs.slice(taken.length))
  const isOneHeldBack = picked.isOneHeldBack || taken.length < runs.length
  return { runs: yield* claimAll(write, taken, claim.begins), isOneHeldBack }
}

function* fromQueues(write: Write, claim: ClaimRequest): Query<Picked> {
  const definitions = JSON.stringify(claim.definitionIds)
  const runs: LiveRun[] = []
  let isOneHeldBack = false
  const paused = yield* write.paused.ids()
  for (const queueId of claim.queueIds) {
    if (paused.has(queueId)) continue
    const want = claim.want - runs.length
    if (want === 0 || isOneHeldBack) break
    const { mostDeliveries, definitionIds } = claim
    const slots = { queueId, definitions, want, taken: claim.taken + runs.length, mostDeliveries }
    const limited = { begins: claim.begins - runs.length, isFirst: runs.length === 0, definitionIds }
    const picked = yield* withLimited(write, slots, limited)
    runs.push(...picked.runs)
    isOneHeldBack = picked.isOneHeldBack
  }
  return { runs, isOneHeldBack }
}

/** Those of some runs that are ready; those that wait for limiters only as the first of their line. */
function* fromGiven(write: Write, claim: ClaimRequest, only: readonly string[]): Query<Picked> {
  const given = [JSON.stringify(only), JSON.stringify(claim.definitionIds), claim.mostDeliveries] as const
  const ready = yield* write.db.allPacked(findOnly, ...given, claim.want)
  const begins = Math.min(claim.begins, claim.want) - ready.length
  const limited = begins <= 0 ? [] : yield* write.db.all<Waiting>(findOnlyLimited, ...given)
  if (limited.length === 0 || !(yield* write.admission.hasOpenLines())) return { runs: ready, isOneHeldBack: false }
  const waiting = new Set(limited.map(({ ticket }) => ticket))
  const passed = new Map<number, LiveRun>()
  for (const queue of new Set(limited.map((run) => run.queue))) {
    for (const head of yield* write.admission.openHeads(queue)) {
      if (passed.size === begins || !waiting.has(head.ticket)) continue
      const first = yield* firstOf(write.db, head)
      if (first !== undefined && !passed.has(first.runId) && (yield* admitHead(write, head, first)))
        passed.set(first.runId, first)
    }
  }
  return { runs: [...ready, ...passed.values()], isOneHeldBack: false }
}

interface Waiting {
  readonly ticket: number
  readonly queue: number
}

interface Ready {
  readonly queueId: number
  /** A list of numbers as JSON. */
  readonly definitions: string
  readonly want: number
  readonly taken: number
  readonly mostDeliveries: number
}

interface LimitedPart {
  /** How many of them can begin at once: only these pass limiters. */
  readonly begins: number
  /** Nothing else is in the claim so far. */
  readonly isFirst: boolean
  readonly definitionIds: readonly number[]
}

interface Picked {
  readonly runs: LiveRun[]
  readonly isOneHeldBack: boolean
}

// So many may be sent from one line to another in a claim; the next one goes on.
const mostTries = 1_000

/** The same with those that pass limiters, in turn by priority and age. */
function* withLimited(write: Write, slots: Ready, { begins, isFirst, definitionIds }: LimitedPart): Query<Picked> {
  const { queueId, want, taken, mostDeliveries } = slots
  const [isAnyOpen, found] = yield* together([write.admission.hasOpenLines(), urgentAndOlder(write.db, slots)])
  if (!isAnyOpen) return { runs: nextOf(found, taken), isOneHeldBack: false }
  const given = linesOf(definitionIds, mostDeliveries)
  const others = new Turns(found.urgent, found.older)
  const runs: LiveRun[] = []
  for (let tries = 0; runs.length < Math.min(want, begins) && tries < want + mostTries; tries++) {
    // What was there when its process died is alone: what would come after it passes nothing in vain.
    if (hasDelivery(runs.at(-1))) break
    const head = yield* write.admission.next(queueId, given)
    if (head === undefined) break
    if (yield* admitTicketBefore(write, head)) continue
    const isOldest = isTurnOfOldest(taken + runs.length)
    const other = others.peek(isOldest)
    if (other !== undefined && !isBefore(head, other, isOldest)) {
      others.take(other)
      runs.push(other)
      continue
    }
    const first = yield* firstOf(write.db, head)
    if (first !== undefined && first.deliveries > mostDeliveries) break
    if (hasDelivery(first) && !(isFirst && runs.length === 0)) return { runs, isOneHeldBack: true }
    if ((yield* admitHead(write, head, first)) && first !== undefined) runs.push(first)
  }
  // Others would pass that have nobody to perform them.
  const isOneHeldBack = runs.length < want && (yield* write.admission.next(queueId, given)) !== undefined
  for (let next = others.peek(false); next !== undefined && runs.length < want; next = others.peek(false)) {
    const one = others.peek(isTurnOfOldest(taken + runs.length)) ?? next
    others.take(one)
    runs.push(one)
  }
  return { runs, isOneHeldBack }
}

/** The run that passes with the first of a line: itself, or one that is set aside until a step of it passes. */
function* firstOf(db: Database, { ticket }: Head): Query<LiveRun | undefined> {
  const [run] = yield* db.allPacked(findGiven, ticket)
  if (run !== undefined) return run
  const runId = yield* runOfStep(db, ticket)
  if (runId === undefined) return undefined
  const [runOfThat] = yield* db.allPacked(findGiven, runId)
  return runOfThat
}

function admitHead(write: Write, head: Head, first: LiveRun | undefined): Query<boolean> {
  const isStep = first !== undefined && first.runId !== head.ticket
  if (isStep) return admitWithStep(write, head, write)
  return admitFirst(write.db, write.admission, { runId: head.ticket, place: write })
}

/** By priority, then by age; where it is the turn of the oldest by age alone. */
function isBefore(head: Head, other: LiveRun, isOldest: boolean): boolean {
  if (isOldest || head.priority === other.priority) return head.ticket < other.runId
  return head.priority > other.priority
}

function hasDelivery(run: LiveRun | undefined): boolean {
  return run !== undefined && run.deliveries > 0
}

/** The runs for the next slots of a queue. */
function nextOf({ urgent, older }: Found, taken: number): LiveRun[] {
  return older.length === 0 ? urgent : inTurn(urgent, older, taken)
}

interface Found {
  readonly urgent: LiveRun[]
  /** The oldest of those that are less urgent. */
  readonly older: LiveRun[]
}

function* urgentAndOlder(db: Database, { queueId, definitions, want, taken, mostDeliveries }: Ready): Query<Found> {
  const urgent = yield* db.allPacked(findReady, queueId, definitions, mostDeliveries, want)
  const forOldest = slotsForOldest(taken, want)
  const least = urgent.at(-1)
  // Whoever comes last is as urgent as any other, or nobody is left that is not chosen.
  if (forOldest === 0 || least === undefined || urgent.length < want) return { urgent, older: [] }
  const below = { queueId, definitions, priority: least.priority, want: forOldest, mostDeliveries }
  const older = yield* findOldestBelow(db, below)
  return { urgent, older }
}

/** A run with a delivery may be what killed its process: nothing else is in its claim. */
function withoutOthers(runs: LiveRun[]): LiveRun[] {
  const suspect = runs.findIndex(({ deliveries }) => deliveries > 0)
  return suspect === -1 ? runs : runs.slice(0, Math.max(1, suspect))
}

/** The first `begins` count as begun. */
function* claimAll(write: Write, ready: readonly LiveRun[], begins: number): Query<Claimed[]> {
  const { db, nodeId, epoch, now } = write
  let claimed = 0
  for (const [part, hasBegun] of [
    [ready.slice(0, begins), 1],
    [ready.slice(begins), 0],
  ] as const) {
    if (part.length > 0)
      claimed += yield* db.change(claimReady, nodeId, epoch, hasBegun, hasBegun === 1 ? now : null, idsOf(part))
  }
  if (claimed !== ready.length) throw new Error(`Of ${ready.length} ready runs ${claimed} could be claimed`)
  const claimOf = (place: number): Loading => ({ epoch, claimedAt: now, hasBegun: place < begins })
  const all = ready.every(isNew)
    ? ready.map((live, place) => claimedNew(live, claimOf(place)))
    : yield* mapTogether(ready, (live, place) => loadRun(db, live, claimOf(place)))
  yield* leaveLines(write, all)
  return all
}

function idsOf(runs: readonly LiveRun[]): string {
  return JSON.stringify(runs.map(({ runId }) => runId))
}
