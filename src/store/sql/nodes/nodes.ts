// Nodes: their leases, and what becomes of the runs of one that died.
import type { DeadNode, DeadRun, GivenUpRun, Rescued } from '../../repairs.ts'
import type { NodeIdentity, NodeRow, Serving } from '../../nodes.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { freeFailures, giveBackFailures } from '../events/failures.ts'
import { backInLine } from '../limiters/limited.ts'
import { audited, type Asked } from '../operating-store/audit.ts'
import { endRuns, giveBack } from '../runs/moves.ts'
import { againUntil, deliveriesSoFar, readyUntil, type Ends } from '../runs/runs.ts'
import { hasSucceeded } from '../steps/tokens.ts'
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'

const insertOne = `
insert into node (name, lease_until, started_at, boot_id, pid_namespace, pid, pid_started_at, version)
values (?, ?, ?, ?, ?, ?, ?, ?)
returning id`

const renewOne = `update node set lease_until = ? where id = ? returning id`

const updateServed = `update node set queues = ?, definitions = ? where id = ?`

// Whose code did not fit their journal, where it may now; walks wait_diverged, then by primary key.
const wakeDiverged = `
update live set state = 'ready', due_at = ${readyUntil}
where run_id in (select run_id from wait where kind = 'diverged') and state in (${statesBefore(runMoves.wake)})
  and definition in (select value from json_each(?))
returning run_id as runId, limited`

const findLease = `select lease_until as until from node where id = ?`

const findNode = `select id from node where id = ?`

const findNodes = `
select id as nodeId, name, boot_id as bootId, pid_namespace as pidNamespace, pid, pid_started_at as pidStartedAt,
  lease_until < ? as isExpired, drain_at is not null as isDraining
from node`

// By primary key; who asks first is the one who did.
const drainOne = `update node set drain_at = ? where id = ? and drain_at is null returning id`

// By primary key.
const findDraining = `select id from node where id = ? and drain_at is not null`

const updateClock = `update node set clock_ahead_ms = ? where id = ?`

const deleteOne = `delete from node where id = ?`

const deleteMark = `delete from mark where node = ?`

// Invariant: I9. Taken only when the lease ran out by the store's clock, or death is proved.
const deleteDead = `delete from node where id = ? and (? = 1 or lease_until < ?) returning id`

// A scan: the table is small, and an index for this would cost every claim.
const findHeldBy = `
select run_id as runId, generation, epoch, deliveries, has_begun as hasBegun,
  exists (select 1 from step where step.run_id = live.run_id and step.epoch = live.epoch) as hasProgress
from live where node = ? and state = 'running'`

const releaseDelivered = `
update live set state = 'ready', node = null, deliveries = ?, due_at = ${againUntil}
where run_id = ? and state in (${statesBefore(runMoves.release)})
returning has_slots as hasSlots`

// By primary key, for a run that fails now.
const findGivenUp = `
select run.public_id as id, live.definition as definitionId, definition.name, live.generation, live.attempt, cast(? as integer) as deliveries
from live cross join run on run.id = live.run_id cross join definition on definition.id = live.definition
where live.run_id = ?`

// A scan, once in the life of a node.
const releaseAll = `
update live set state = 'ready', node = null, due_at = ${againUntil}, deliveries = ${deliveriesSoFar}
where node = ? and state in (${statesBefore(runMoves.release)})
returning run_id as runId, has_slots as hasSlots`

const findTickets = `select ticket from slot where node = ?1 and run_id is null union select ticket from waiter where queue = -?1`

/** The statements of this file whose plans are tested. */
export const hotNodeStatements = { wakeDiverged }

interface HeldRow {
  readonly runId: number
  readonly generation: number
  readonly epoch: number
  readonly deliveries: number
  readonly hasBegun: number
  readonly hasProgress: number
}

export function* insertNode(
  db: Database,
  identity: NodeIdentity,
  lease: { now: number; until: number },
): Query<number> {
  const { name, bootId, pidNamespace, pid, pidStartedAt, version = null } = identity
  const row = yield* db.get<{ id: number }>(
    insertOne,
    name,
    lease.until,
    lease.now,
    bootId,
    pidNamespace,
    pid,
    pidStartedAt,
    version,
  )
  if (row === undefined) throw new Error(`Node ${name} was not kept`)
  return row.id
}

export function renewNode(db: Database, nodeId: number, leaseUntil: number): Query<boolean> {
  return db.has(renewOne, leaseUntil, nodeId)
}

/** Keeps what a node serves, and lets its code try what other code did not fit. */
export function* updateServing(ends: Releasing, nodeId: number, { queueIds, definitionIds }: Serving): Query<void> {
  const definitions = JSON.stringify(definitionIds)
  yield* ends.db.run(updateServed, JSON.stringify(queueIds), definitions, nodeId)
  const woken = yield* ends.db.all<{ runId: number; limited: number }>(wakeDiverged, definitions)
  yield* backInLine(
    ends,
    woken.filter(({ limited }) => limited === 1),
  )
}

/** When the lease of a node ends; 0 when there is no such node. */
export function* leaseUntil(db: Database, nodeId: number): Query<number> {
  const row = yield* db.get<{ until: number }>(findLease, nodeId)
  return row?.until ?? 0
}

export function hasNode(db: Database, nodeId: number): Query<boolean> {
  return db.has(findNode, nodeId)
}

export function* listNodes(db: Database, now: number): Query<NodeRow[]> {
  const rows = yield* db.all<FoundNode>(findNodes, now)
  return rows.map((row) => ({ ...row, isExpired: row.isExpired === 1, isDraining: row.isDraining === 1 }))
}

type FoundNode = Omit<NodeRow, 'isExpired' | 'isDraining'> & { readonly isExpired: number; readonly isDraining: number }

/** False when it was asked before, or is gone. */
export function* drainNode(db: Database, nodeId: number, asked: Asked): Query<boolean> {
  const isAsked = yield* db.has(drainOne, asked.now, nodeId)
  return yield* audited(db, isAsked, asked)
}

/** Whether a node was asked to stop. */
export function isDraining(db: Database, nodeId: number): Query<boolean> {
  return db.has(findDraining, nodeId)
}

export function updateNodeClock(db: Database, nodeId: number, aheadMs: number): Query<void> {
  return db.run(updateClock, aheadMs, nodeId)
}

/** Forgets a node; what it still holds is ready again. */
export function* deleteNode(write: Releasing, nodeId: number): Query<void> {
  const { db } = write
  // Invariant: I3. No run names a node that is gone, where nobody would look for it.
  const released = yield* db.all<{ runId: number; hasSlots: number }>(releaseAll, nodeId)
  yield* backInLine(
    write,
    released.filter(({ hasSlots }) => hasSlots === 1),
  )
  yield* leaveTickets(write, nodeId)
  yield* giveBackFailures(db, nodeId)
  yield* db.run(deleteOne, nodeId)
  yield* db.run(deleteMark, nodeId)
}

/** Makes ready what dead nodes ran; a run that killed its process too often fails. */
export function* rescueNodes(ends: Ends, nodes: readonly DeadNode[], fate: DeadRun): Query<Rescued> {
  const { db, now } = ends
  const givenUp: GivenUpRun[] = []
  let held = 0
  for (const { nodeId, isProved } of nodes) {
    const isDead = yield* db.has(deleteDead, nodeId, isProved ? 1 : 0, now)
    if (!isDead) continue
    yield* db.run(deleteMark, nodeId)
    for (const run of yield* db.all<HeldRow>(findHeldBy, nodeId)) {
      held += 1
      const failed = yield* rescueRun(ends, run, fate)
      if (failed !== undefined) givenUp.push(failed)
    }
    yield* leaveTickets(ends, nodeId)
    yield* freeFailures(db, nodeId)
  }
  return { released: held - givenUp.length, givenUp }
}

/** Gives back runs that the store says this node holds and the node says it does not. */
export function* releaseUnheld(write: Releasing, nodeId: number, isHeld: (runId: number) => boolean): Query<number> {
  const named = yield* write.db.all<HeldRow>(findHeldBy, nodeId)
  const unheld = named.filter((run) => !isHeld(run.runId))
  for (const run of unheld) yield* giveBack(write, run.runId)
  return unheld.length
}

/** Makes it ready, or fails it and tells so. */
function* rescueRun(ends: Ends, run: HeldRow, fate: DeadRun): Query<GivenUpRun | undefined> {
  // Invariant: I11. What was told from outside is its end: nothing is performed any more that could kill a process.
  if (run.hasBegun === 0 || (yield* hasSucceeded(ends.db, run))) {
    yield* giveBack(ends, run.runId)
    return undefined
  }
  // A run that finished a step before the process died is getting on: it starts counting anew.
  const deliveries = run.hasProgress === 1 ? 1 : run.deliveries + 1
  if (deliveries < fate.maxDeliveries) {
    const released = yield* ends.db.get<{ hasSlots: number }>(releaseDelivered, deliveries, run.runId)
    if (released?.hasSlots === 1) yield* backInLine(ends, [run])
    return undefined
  }
  const givenUp = yield* ends.db.get<GivenUpRun>(findGivenUp, deliveries, run.runId)
  yield* endRuns(ends, [{ runId: run.runId, outcome: 'failed', value: fate.value }])
  return givenUp
}

type Releasing = Pick<Ends, 'db' | 'admission'>

/** What a node had that was part of no run, and what it waited for. */
function* leaveTickets({ db, admission }: Releasing, nodeId: number): Query<void> {
  const rows = yield* db.all<{ ticket: number }>(findTickets, nodeId)
  yield* admission.leaveTickets(rows.map(({ ticket }) => ticket))
}
