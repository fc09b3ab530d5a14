// The store on one SQLite file: one writer at a time, every batch one transaction, several processes welcome.
import { systemClock } from '../../lib/clock.ts'
import { engineStopped } from '../../model/errors.ts'
import type { Bounds } from '../../model/limiter.ts'
import type { DefinitionStore } from '../definitions.ts'
import type { AskStore } from '../asks.ts'
import type { FailureStore } from '../failures.ts'
import type { InterventionStore } from '../interventions.ts'
import type { ScheduleStore } from '../schedules.ts'
import type { Batch, Committed, EmitCursor, NodeIdentity, Serving, Store } from '../store.ts'
import type { Passing } from '../queues.ts'
import type { DeadNode, DeadRun, RepairSlice, Rescued } from '../repairs.ts'
import type { LeaseKeeper, LeaseOrder } from '../lease.ts'
import type { Expired, ExpiredRun } from '../due.ts'
import type { MessageSlice } from '../waits.ts'
import type { AuditPage, AuditRecord, DeletionRules, PickPage } from '../operating.ts'
import type { DeadPage, RunsWhere, RunPage, LogPage } from '../views.ts'
import { SqliteAskStore } from './asks.ts'
import { audited, listAudit, recordAudit } from './audit.ts'
import { writeBatch } from './batch.ts'
import type { EventEnd, EventRecord, EventSlice, SubscriptionRecord } from '../events.ts'
import { untilFree, type SqliteOptions } from './busy.ts'
import type { CallersStore } from '../callers.ts'
import { SqliteCallersStore } from './callers.ts'
import { Connection } from './connection.ts'
import { clockValue, moveClock } from './counters.ts'
import { listDead } from './dead.ts'
import { expireRuns, findNext, isAnyDue, wakeRuns } from './due.ts'
import { reopenRuns } from './generations.ts'
import * as events from './events.ts'
import { SqliteDefinitionStore } from './definitions.ts'
import { SqliteFailureStore } from './failures.ts'
import { SqliteInterventionStore } from './intervention-store.ts'
import { LeaseThread } from './lease-keeper.ts'
import { areLimitersInOrder, isHoldingUp, repairLimiters } from './limited.ts'
import { internLimiter, listLimiters, setLiveBounds } from './limiters.ts'
import { listEnds } from './families.ts'
import { listMessages } from './messages.ts'
import { internDefinition, internQueue, listQueueNames } from './names.ts'
import { listNodeViews } from './node-views.ts'
import * as nodes from './nodes.ts'
import { listQueues, pauseQueue, resumeQueue } from './queues.ts'
import { deleteEnded, deleteSlice, isRetentionDue } from './retention.ts'
import { countEnded } from './rollup.ts'
import type { Ends } from './runs.ts'
import { lookAtRuns, repairRuns } from './repairs.ts'
import { SqliteScheduleStore } from './schedule-store.ts'
import { StoreClock } from './store-clock.ts'
import { listEmitted, listLogs } from './streams.ts'
import { hasNoNews, nobodyPasses, passLimiters } from './tickets.ts'
import { findTokenDefinition } from './tokens.ts'
import { endsIn, type Access } from './transaction.ts'
import * as views from './views.ts'
import { watchWal } from './wal-watch.ts'

// No count of changes: it differs from all that come before and after it.
const unreadable = -1

/** Opens the store in a SQLite file, made when missing. Throws `store_…` errors that name the file and the remedy. */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  return new SqliteStore(await untilFree(options, () => Connection.open(options)), options)
}

class SqliteStore implements Store {
  readonly location: string
  readonly schedules: ScheduleStore
  readonly failures: FailureStore
  readonly definitions: DefinitionStore
  readonly asks: AskStore
  readonly callers: CallersStore
  readonly interventions: InterventionStore
  readonly #db: Connection
  readonly #time: StoreClock
  readonly #options: SqliteOptions
  #isClosed = false

  constructor(db: Connection, options: SqliteOptions) {
    this.#db = db
    this.#time = new StoreClock(options.clock, clockValue(db))
    this.#options = options
    this.location = db.location
    const access: Access = {
      db,
      now: () => this.now(),
      read: (work) => this.#read(work),
      write: (work) => this.#write(work),
      end: (work) => this.#end(work),
    }
    this.schedules = new SqliteScheduleStore(access)
    this.failures = new SqliteFailureStore(access)
    this.definitions = new SqliteDefinitionStore(access)
    this.asks = new SqliteAskStore(access)
    this.callers = new SqliteCallersStore(access, this.location)
    this.interventions = new SqliteInterventionStore(access)
  }

  now(): number {
    return this.#time.now()
  }

  commit(batch: Batch): Promise<Committed> {
    return this.#write(() => writeBatch(this.#db, batch, this.now()))
  }

  internDefinition(name: string, version: string): Promise<number> {
    return this.#whenFree(() => internDefinition(this.#db, name, version))
  }

  internQueue(name: string): Promise<number> {
    return this.#whenFree(() => internQueue(this.#db, name))
  }

  pauseQueue(queueId: number, audit?: AuditRecord): Promise<boolean> {
    return this.#write(() => pauseQueue(this.#db, queueId, { now: this.now(), audit }))
  }

  resumeQueue(queueId: number, audit?: AuditRecord): Promise<boolean> {
    return this.#write(() => resumeQueue(this.#db, queueId, { now: this.now(), audit }))
  }

  async listNodeViews() {
    return this.#read(() => listNodeViews(this.#db, this.now()))
  }

  async listQueues() {
    return this.#read(() => listQueues(this.#db, this.now()))
  }

  async listQueueNames() {
    return this.#read(() => listQueueNames(this.#db))
  }

  internLimiter(name: string, bounds: Bounds): Promise<number> {
    return this.#end(({ db, now, admission }) => {
      const { id, isNew } = internLimiter({ db, now }, name, bounds)
      if (isNew) admission.review(id)
      return id
    })
  }

  setLiveBounds(name: string, bounds: Partial<Bounds> | null, audit?: AuditRecord): Promise<void> {
    return this.#end(({ db, now, admission }) => {
      admission.review(setLiveBounds({ db, now }, name, bounds))
      audited(db, true, { now, audit })
    })
  }

  async listLimiters() {
    return this.#read(() => listLimiters(this.#db))
  }

  async isHoldingUp(runId: number): Promise<boolean> {
    return this.#read(() => isHoldingUp(this.#db, runId))
  }

  async passLimiters(nodeId: number, passing: Passing) {
    const areNone = await this.#read(() => hasNoNews(this.#db, { nodeId, passing, now: this.now() }))
    return areNone ? nobodyPasses : this.#end((ends) => passLimiters(ends, nodeId, passing))
  }

  async repairLimiters(): Promise<number> {
    const areInOrder = await this.#read(() => areLimitersInOrder(this.#db, this.now()))
    return areInOrder ? 0 : this.#end(repairLimiters)
  }

  async repairRuns(slice: RepairSlice) {
    const { range, isAnything, ...seen } = await this.#read(() => lookAtRuns(this.#db, slice, this.now()))
    return isAnything ? { ...seen, mended: await this.#end((ends) => repairRuns(ends, range)) } : seen
  }

  insertNode(identity: NodeIdentity, leaseMs: number): Promise<number> {
    return this.#write(() => {
      const now = this.now()
      return nodes.insertNode(this.#db, identity, { now, until: now + leaseMs })
    })
  }

  renewNode(nodeId: number, leaseMs: number): Promise<boolean> {
    return this.#write(() => {
      const now = moveClock(this.#db, this.now())
      this.#time.moveTo(now)
      return nodes.renewNode(this.#db, nodeId, now + leaseMs)
    })
  }

  keepLease(order: LeaseOrder): LeaseKeeper | undefined {
    // The thread tells the time by the clock of this machine.
    if (this.location === ':memory:' || this.#options.clock !== systemClock) return undefined
    return new LeaseThread(this.location, order)
  }

  leaseLeftMs(nodeId: number): number {
    try {
      return Math.max(0, nodes.leaseUntil(this.#db, nodeId) - this.now())
    } catch {
      return 0
    }
  }

  updateServing(nodeId: number, serving: Serving): Promise<void> {
    return this.#end((ends) => nodes.updateServing(ends, nodeId, serving))
  }

  async listNodes() {
    return this.#read(() => nodes.listNodes(this.#db, this.now()))
  }

  rescueNodes(dead: readonly DeadNode[], fate: DeadRun): Promise<Rescued> {
    return this.#end((ends) => nodes.rescueNodes(ends, dead, fate))
  }

  releaseUnheld(nodeId: number, isHeldHere: (runId: number) => boolean): Promise<number> {
    return this.#end((ends) => nodes.releaseUnheld(ends, nodeId, isHeldHere))
  }

  deleteNode(nodeId: number): Promise<void> {
    return this.#end((ends) => nodes.deleteNode(ends, nodeId))
  }

  async expireRuns(limit: number, valueOf: (run: ExpiredRun) => string): Promise<Expired[]> {
    if (!(await this.#read(() => isAnyDue(this.#db, this.now())))) return []
    return this.#end((ends) => expireRuns(ends, { limit, valueOf }))
  }

  async wakeRuns(limit: number) {
    const next = await this.#read(() => findNext(this.#db))
    if (next.nextDueAt === null || next.nextDueAt > this.now()) return { woken: 0, ...next }
    return this.#end((ends) => wakeRuns(ends, limit))
  }

  changeCount(): number {
    try {
      return this.#db.get<{ data_version: number }>('pragma data_version')?.data_version ?? unreadable
    } catch {
      // Locked, or away: whoever looks because of it is told what is wrong.
      return unreadable
    }
  }

  whenWritten(written: () => void) {
    return watchWal(this.location, this.#options.clock, written)
  }

  async findFinished(id: string) {
    return this.#read(() => views.findFinished(this.#db, id))
  }

  async listEnds(ids: readonly string[]) {
    return this.#read(() => listEnds(this.#db, ids))
  }

  async listMessages(slice: MessageSlice) {
    return this.#read(() => listMessages(this.#db, slice))
  }

  async findTokenDefinition(hash: string) {
    return this.#read(() => findTokenDefinition(this.#db, hash))
  }

  async listEmitted(id: string, after: EmitCursor, limit: number) {
    return this.#read(() => listEmitted(this.#db, { id, after, limit }))
  }

  async listLogs(id: string, page: LogPage) {
    return this.#read(() => listLogs(this.#db, id, page))
  }

  async findRun(id: string) {
    return this.#read(() => views.findRun(this.#db, id, this.now()))
  }

  async listRuns(page: RunPage) {
    return this.#read(() => views.listRuns(this.#db, page, this.now()))
  }

  async pickRuns(filter: RunsWhere, page: PickPage) {
    return this.#read(() => views.pickRuns(this.#db, filter, page))
  }

  async countRuns(filter: RunsWhere) {
    return this.#read(() => views.countRuns(this.#db, filter))
  }

  reopenRuns(ids: readonly string[], audit: AuditRecord | undefined) {
    return this.#end((ends) => {
      const reopened = reopenRuns(ends, ids)
      audited(ends.db, reopened.includes('reopened'), { now: ends.now, audit })
      return reopened
    })
  }

  async isRetentionDue() {
    return this.#read(() => isRetentionDue(this.#db, this.now()))
  }

  deleteExpired(rules: DeletionRules) {
    return this.#write(() => deleteSlice(this.#db, rules, this.now()))
  }

  deleteRuns(ids: readonly string[], audit: AuditRecord | undefined) {
    return this.#write(() => deleteEnded(this.#db, ids, { now: this.now(), audit }))
  }

  recordAudit(audit: AuditRecord) {
    return this.#write(() => recordAudit(this.#db, audit, this.now()))
  }

  async listAudit(page: AuditPage) {
    return this.#read(() => listAudit(this.#db, page))
  }

  async listDead(filter: DeadPage) {
    return this.#read(() => listDead(this.#db, filter))
  }

  async listSteps(id: string) {
    return this.#read(() => views.listSteps(this.#db, id))
  }

  async listAttempts(id: string) {
    return this.#read(() => views.listAttempts(this.#db, id))
  }

  async countEnded(name: string) {
    return this.#read(() => countEnded(this.#db, name))
  }

  publishEvent(event: EventRecord) {
    return this.#write(() => endsIn(this.#db, this.now()).outbox.add(event))
  }

  addSubscription(subscription: SubscriptionRecord) {
    return this.#write(() => events.addSubscription(this.#db, subscription))
  }

  renewSubscriptions(ids: readonly number[], until: number) {
    return this.#write(() => events.renewSubscriptions(this.#db, ids, { now: this.now(), until }))
  }

  dropSubscription(id: number) {
    return this.#write(() => events.dropSubscription(this.#db, id))
  }

  takeEvents(slice: EventSlice) {
    return this.#write(() => events.takeEvents(this.#db, slice, this.now()))
  }

  settleEvents(ends: readonly EventEnd[]) {
    return this.#write(() => events.settleEvents(this.#db, ends))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#db.close()
  }

  #read<T>(work: () => T): Promise<T> {
    return this.#whenFree(() => this.#db.read(work))
  }

  #write<T>(work: () => T): Promise<T> {
    return this.#whenFree(() => this.#db.write(work))
  }

  /** Writes what ends runs, and counts them. */
  #end<T>(work: (ends: Ends) => T): Promise<T> {
    return this.#write(() => {
      const ends = endsIn(this.#db, this.now())
      const result = work(ends)
      ends.rollup.write(ends.db, ends.now)
      return result
    })
  }

  #whenFree<T>(work: () => T): Promise<T> {
    return untilFree(this.#options, () => {
      // Race: it may have been closed since the last try.
      if (this.#isClosed) throw engineStopped()
      return work()
    })
  }
}
