// Runs: how they start, are claimed, move and end. Every change is guarded by the state it may start from.
import { statesBefore } from '../../model/moves.ts'
import { runMoves } from '../../model/run.ts'
import type { Batch, Claimed, ClaimRequest, Held, SettleRecord, Started, StartRecord, Woken } from '../store.ts'
import type { Connection } from './connection.ts'
import { takeFrom } from './counters.ts'
import { journalOf, renewJournal } from './steps.ts'
import { deleteWaits, replaceWaits, waitsOf, wholeMs } from './waits.ts'

/** What every statement of one batch needs to know. */
export interface Write {
  readonly db: Connection
  readonly nodeId: number
  readonly now: number
  /** The epoch of all claims of this batch, above every earlier one. */
  readonly epoch: number
  /** Invariant: I5. Only what passed the fence is written. */
  readonly holds: (held: Held) => boolean
}

// The fence: whether a run is still held under this claim; by primary key.
const checkRun = `
select 1 as is_held from live
where run_id = ? and epoch = ? and node = ? and state = 'running'`

// The run that was started with an idempotency key before; by primary key of keyed.
const findKeyed = `
select run.id as run_id, run.public_id as id, run.created_at as created_at
from keyed join run on run.id = keyed.run_id
where keyed.definition = ? and keyed.key = ?`

const insertKeyed = `insert into keyed (definition, key, run_id) values (?, ?, ?)`

const insertRun = `
insert into run (id, public_id, definition, queue, input, tags, created_at, deadline_at)
values (?, ?, ?, ?, ?, ?, ?, ?)`

const insertLive = `
insert into live (run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at)
values (?, 1, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?)`

/** When a ready run is due: at the end of the time its caller gave it; by primary key. */
export const readyUntil = '(select deadline_at from run where run.id = live.run_id)'

/** A run that saved a step in this activation counts its deliveries anew; by primary key prefix, and only after a delivery. */
export const deliveriesSoFar = `case
  when deliveries = 0 or exists (select 1 from step where step.run_id = live.run_id and step.epoch = live.epoch) then 0
  else deliveries end`

// The next runs of a queue, highest priority first and then oldest; walks live_ready.
const findReady = `
select run_id from live
where state = 'ready' and queue = ? and definition in (select value from json_each(?))
order by priority desc, run_id
limit ?`

// By primary key. The old epoch tells whether there can be a journal.
const claimRun = `
update live set state = 'running', node = ?, epoch = ?, due_at = null, started_at = coalesce(started_at, ?)
where run_id = ? and state in (${statesBefore(runMoves.claim)})
returning generation, attempt, deliveries, started_at as startedAt`

const findBody = `
select public_id as id, definition as definition_id, input, created_at, deadline_at from run where id = ?`

const dueUnlessAsked = `case when exists (select 1 from cancel_request where run_id = live.run_id) then ? else ? end`

// By primary key; the fence was passed in the same transaction.
// Race: a cancel that was asked for while it ran, and that its node has yet to hear of, makes it due now.
const retryRun = `
update live set state = 'scheduled', node = null, due_at = ${dueUnlessAsked}, attempt = ?, generation = ?,
  deliveries = ${deliveriesSoFar}
where run_id = ? and state in (${statesBefore(runMoves.retry)})`

// Race: as in retryRun; a park would otherwise outlast the request.
const parkRun = `
update live set state = 'parked', node = null, due_at = ${dueUnlessAsked}, deliveries = ${deliveriesSoFar}
where run_id = ? and state in (${statesBefore(runMoves.park)})`

const releaseRun = `
update live set state = 'ready', node = null, due_at = ${readyUntil}, deliveries = ${deliveriesSoFar}
where run_id = ? and state in (${statesBefore(runMoves.release)})`

// Makes ready what is due, the longest due first; walks live_due.
const wakeDue = `
update live set state = 'ready', due_at = ${readyUntil}
where run_id in (
  select run_id from live where due_at is not null and due_at <= ? order by due_at limit ?
) and state in (${statesBefore(runMoves.wake)})
returning run_id`

// Ready runs whose time is up; walks live_due.
const findExpired = `
select run_id as runId, generation, epoch, attempt from live
where due_at is not null and due_at <= ? and state in (${statesBefore(runMoves.expire)})
order by due_at
limit ?`

const findPublicId = `select public_id as id from run where id = ?`

const findNextDue = `select min(due_at) as due_at from live where due_at is not null`

// Invariant: I11. The key of finished lets exactly one outcome in.
const insertFinished = `
insert into finished (run_id, generation, outcome, value, attempt, epoch, started_at, finished_at)
values (?, ?, ?, ?, ?, ?, ?, ?)`

const deleteLive = `delete from live where run_id = ?`

/** The statements of this file whose plans are tested. */
export const hotRunStatements = {
  checkRun,
  findKeyed,
  findReady,
  claimRun,
  findBody,
  retryRun,
  parkRun,
  releaseRun,
  wakeDue,
  findExpired,
  findPublicId,
  findNextDue,
  deleteLive,
}

/** Invariant: I5. A write under an epoch that is not the current one changes nothing. */
export function isHeld(db: Connection, nodeId: number, held: Held): boolean {
  return db.get(checkRun, held.runId, held.epoch, nodeId) !== undefined
}

export function insertRuns(write: Write, starts: readonly StartRecord[]): Started[] {
  if (starts.length === 0) return []
  let runId = takeFrom(write.db, 'run', starts.length)
  return starts.map((start) => insertOne(write, start, runId++))
}

export function claimRuns(write: Write, claims: readonly ClaimRequest[]): Claimed[][] {
  return claims.map((claim) => claimMany(write, claim))
}

/** What a claim reads from the live row. */
export interface ClaimedLive {
  readonly attempt: number
  readonly deliveries: number
  readonly startedAt: number
}

/** Everything needed to perform a run that this node holds. */
export function loadRun(db: Connection, held: Held, { attempt, deliveries, startedAt }: ClaimedLive): Claimed {
  const body = db.get<{
    id: string
    definition_id: number
    input: string
    created_at: number
    deadline_at: number | null
  }>(findBody, held.runId)
  if (body === undefined) throw new Error(`Run ${held.runId} has a live row and no body`)
  return {
    held,
    id: body.id,
    definitionId: body.definition_id,
    input: body.input,
    attempt,
    deliveries,
    createdAt: body.created_at,
    startedAt,
    deadlineAt: body.deadline_at,
    ...journalOf(db, held),
    waits: waitsOf(db, held.runId),
  }
}

export function settleRuns(write: Write, settles: readonly SettleRecord[]): void {
  for (const settle of settles) {
    if (!write.holds(settle.held)) continue
    finishRun(write.db, settle.held, {
      outcome: settle.outcome,
      value: settle.value,
      attempt: settle.attempt,
      startedAt: settle.startedAt,
      now: write.now,
    })
    if (settle.hadWaits) deleteWaits(write.db, settle.held.runId)
  }
}

export interface Finish {
  readonly outcome: string
  readonly value: string
  readonly attempt: number
  readonly startedAt: number | null
  readonly now: number
}

/** Ends a run: its one outcome is written and its live row goes. */
export function finishRun(db: Connection, run: Held, finish: Finish): void {
  const { outcome, value, attempt, startedAt, now } = finish
  db.run(insertFinished, run.runId, run.generation, outcome, value, attempt, run.epoch, startedAt, now)
  db.run(deleteLive, run.runId)
}

export function retryRuns(write: Write, retries: Batch['retries']): void {
  for (const { held, dueAt, attempt } of retries) {
    if (!write.holds(held)) continue
    const generation = renewJournal(write.db, held)
    write.db.run(retryRun, write.now, wholeMs(dueAt), attempt, generation, held.runId)
  }
}

export function parkRuns(write: Write, parks: Batch['parks']): void {
  for (const { held, dueAt, waits } of parks) {
    if (!write.holds(held)) continue
    replaceWaits(write.db, held.runId, waits)
    write.db.run(parkRun, write.now, wholeMs(dueAt), held.runId)
  }
}

export function releaseRuns(write: Write, releases: readonly Held[]): void {
  for (const held of releases) {
    if (write.holds(held)) write.db.run(releaseRun, held.runId)
  }
}

/** Fails ready runs whose time is up and tells their public ids. */
export function expireRuns(
  db: Connection,
  { now, limit, value }: { now: number; limit: number; value: string },
): string[] {
  const expired = db.all<Held & { attempt: number }>(findExpired, now, limit)
  return expired.map((run) => {
    finishRun(db, run, { outcome: 'failed', value, attempt: run.attempt, startedAt: null, now })
    deleteWaits(db, run.runId)
    return db.get<{ id: string }>(findPublicId, run.runId)?.id ?? ''
  })
}

export function wakeRuns(db: Connection, now: number, limit: number): Woken {
  const woken = db.all(wakeDue, now, limit).length
  const nextDueAt = db.get<{ due_at: number | null }>(findNextDue)?.due_at ?? null
  return { woken, nextDueAt }
}

function insertOne(write: Write, start: StartRecord, runId: number): Started {
  const { db, now, nodeId, epoch } = write
  if (start.idempotencyKey !== null) {
    const known = db.get<{ run_id: number; id: string; created_at: number }>(
      findKeyed,
      start.definitionId,
      start.idempotencyKey,
    )
    if (known !== undefined) {
      return { id: known.id, runId: known.run_id, isNew: false, held: undefined, createdAt: known.created_at }
    }
    db.run(insertKeyed, start.definitionId, start.idempotencyKey, runId)
  }
  const { id, definitionId, queueId, priority } = start
  const deadlineAt = start.deadlineAt === null ? null : wholeMs(start.deadlineAt)
  db.run(insertRun, runId, id, definitionId, queueId, start.input, start.tags, now, deadlineAt)
  // Invariant: only what waits for a time is in live_due; a run that runs would be found there in vain.
  const laterAt = start.directly || start.dueAt === null ? null : wholeMs(start.dueAt)
  const state = start.directly ? 'running' : laterAt === null ? 'ready' : 'scheduled'
  const dueAt = start.directly ? null : (laterAt ?? deadlineAt)
  const held = start.directly ? { runId, generation: 1, epoch } : undefined
  db.run(
    insertLive,
    runId,
    state,
    queueId,
    definitionId,
    priority,
    dueAt,
    held ? nodeId : null,
    held ? epoch : 0,
    held ? now : null,
  )
  return { id, runId, isNew: true, held, createdAt: now }
}

function claimMany(write: Write, claim: ClaimRequest): Claimed[] {
  const definitions = JSON.stringify(claim.definitionIds)
  const claimed: Claimed[] = []
  for (const queueId of claim.queueIds) {
    const want = claim.want - claimed.length
    if (want === 0) break
    const ready = write.db.all<{ run_id: number }>(findReady, queueId, definitions, want)
    for (const { run_id } of ready) claimed.push(claimOne(write, run_id))
  }
  return claimed
}

function claimOne(write: Write, runId: number): Claimed {
  const live = write.db.get<ClaimedLive & { generation: number }>(claimRun, write.nodeId, write.epoch, write.now, runId)
  if (live === undefined) throw new Error(`Run ${runId} was ready and could not be claimed`)
  const held = { runId, generation: live.generation, epoch: write.epoch }
  return loadRun(write.db, held, live)
}
