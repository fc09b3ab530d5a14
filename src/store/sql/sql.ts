// The store on a SQL database: what each of its verbs reads and writes. Whose transactions they are, its host says.
import type { Bounds } from '../../model/limiter.ts'
import type { DefinitionStore } from '../definitions.ts'
import type { AskStore } from '../asks.ts'
import type { FailureStore } from '../failures.ts'
import type { ScheduleStore } from '../schedules.ts'
import type { NodeIdentity, Serving } from '../nodes.ts'
import type { Batch, Committed, EmitCursor, Held, Store } from '../store.ts'
import type { Finding, FindingOptions } from '../health.ts'
import type { Passing } from '../queues.ts'
import type { DeadNode, DeadRun, RepairSlice, Rescued } from '../repairs.ts'
import type { LeaseKeeper, LeaseOrder } from '../lease.ts'
import type { Expired, ExpiredRun } from '../due.ts'
import type { MessageSlice } from '../waits.ts'
import type { AuditRecord, OperatingStore } from '../operating.ts'
import type { RetentionStore } from '../retention.ts'
import type { TemplateStore } from '../templates.ts'
import type { DeadPage, EntityPage, RunPage, LogPage } from '../views.ts'
import { SqlAskStore } from '../sql/steps/asks.ts'
import { audited } from '../sql/operating-store/audit.ts'
import { writeBatch } from '../sql/batch.ts'
import type { EventStore } from '../events.ts'
import type { InvestigationStore } from '../investigations.ts'
import type { CallersStore } from '../callers.ts'
import type { CodingStore } from '../codings.ts'
import type { Query } from '../query.ts'
import { SqlCodingStore } from '../sql/codings.ts'
import type { Database } from './database/database.ts'
import { moveClock } from '../sql/counters.ts'
import { listDead } from '../sql/views/dead.ts'
import { listEntities } from '../sql/views/entities.ts'
import { expireRuns, findNext, isAnyDue, wakeRuns } from '../sql/runs/due.ts'
import { SqlEventStore } from '../sql/events/event-store.ts'
import { SqlDefinitionStore } from '../sql/definitions.ts'
import { SqlFailureStore } from '../sql/events/failures.ts'
import { areLimitersInOrder, isHoldingUp, repairLimiters } from '../sql/limiters/limited.ts'
import { internLimiter, listLimiters, setLiveBounds } from '../sql/limiters/limiters.ts'
import { listEnds } from '../sql/runs/families.ts'
import { listMail, listMessages } from '../sql/steps/messages.ts'
import { definitionNamed, findName, intern, listQueueNames, queueNamed, type Name } from '../sql/names.ts'
import { listNodeViews } from '../sql/nodes/node-views.ts'
import * as nodes from '../sql/nodes/nodes.ts'
import { SqlInvestigationStore } from '../sql/operating-store/investigation-store.ts'
import { SqlOperatingStore } from '../sql/operating-store/operating-store.ts'
import { listQueues, pauseQueue, unpauseQueue } from '../sql/views/queues.ts'
import { SqlRetentionStore } from '../sql/retention/retention.ts'
import { countEnded } from '../sql/views/rollup.ts'
import type { Ends } from '../sql/runs/runs.ts'
import { lookAtRuns, repairRuns } from '../sql/repairs.ts'
import { SqlScheduleStore } from '../sql/schedules/schedule-store.ts'
import type { StoreClock } from '../sql/nodes/store-clock.ts'
import { listEmitted, listLogs } from '../sql/steps/streams.ts'
import { hasNoNews, nobodyPasses, passLimiters } from '../sql/limiters/tickets.ts'
import { listCompletions, tokenOf } from '../sql/steps/tokens.ts'
import { SqlTemplateStore } from '../sql/templates.ts'
import { countedIn, endsIn, type Access } from '../sql/database/transaction.ts'
import * as views from '../sql/views/views.ts'

/** What a store stands on: a database, its transactions, and what only one kind of database can do. */
export interface SqlHost {
  readonly db: Database
  readonly location: string
  readonly time: StoreClock
  /** Performs reads so that they see one state of the database. */
  read<T>(work: () => Query<T>): Promise<T>
  /** Performs `work` as one write transaction: all of it is durable when this resolves, or none of it happened. */
  write<T>(work: () => Query<T>): Promise<T>
  callersOf(access: Access): CallersStore
  keepLease(order: LeaseOrder): LeaseKeeper | undefined
  leaseLeftMs(nodeId: number): number
  clockAheadMs(): number
  listFindings(options: FindingOptions): Promise<Finding[]>
  changeCount(): number
  whenWritten(written: () => void, quietMs: number): (() => void) | undefined
  close(): Promise<void>
}

/** The store on a database. */
export class SqlStore implements Store {
  readonly location: string
  readonly schedules: ScheduleStore
  readonly failures: FailureStore
  readonly definitions: DefinitionStore
  readonly asks: AskStore
  readonly events: EventStore
  readonly callers: CallersStore
  readonly codings: CodingStore
  readonly operating: OperatingStore
  readonly investigations: InvestigationStore
  readonly retention: RetentionStore
  readonly templates: TemplateStore
  readonly #db: Database
  readonly #host: SqlHost

  constructor(host: SqlHost) {
    this.#host = host
    this.#db = host.db
    this.location = host.location
    const access: Access = {
      db: host.db,
      now: () => this.now(),
      read: (work) => host.read(work),
      write: (work) => host.write(work),
      end: (work) => this.#end(work),
    }
    this.schedules = new SqlScheduleStore(access)
    this.failures = new SqlFailureStore(access)
    this.definitions = new SqlDefinitionStore(access)
    this.asks = new SqlAskStore(access)
    this.events = new SqlEventStore(access)
    this.callers = host.callersOf(access)
    this.codings = new SqlCodingStore(access)
    this.operating = new SqlOperatingStore(access)
    this.investigations = new SqlInvestigationStore(access)
    this.retention = new SqlRetentionStore(access)
    this.templates = new SqlTemplateStore(access)
  }

  now(): number {
    return this.#host.time.now()
  }

  commit(batch: Batch): Promise<Committed> {
    return this.#write(() => writeBatch(this.#db, batch, this.now()))
  }

  internDefinition(name: string, version: string): Promise<number> {
    return this.#intern(definitionNamed(name, version))
  }

  internQueue(name: string): Promise<number> {
    return this.#intern(queueNamed(name))
  }

  pauseQueue(queueId: number, audit?: AuditRecord): Promise<boolean> {
    return this.#write(() => pauseQueue(this.#db, queueId, { now: this.now(), audit }))
  }

  unpauseQueue(queueId: number, audit?: AuditRecord): Promise<boolean> {
    return this.#write(() => unpauseQueue(this.#db, queueId, { now: this.now(), audit }))
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
    return this.#end(function* ({ db, now, admission }) {
      const { id, isNew } = yield* internLimiter({ db, now }, name, bounds)
      if (isNew) yield* admission.review(id)
      return id
    })
  }

  setLiveBounds(name: string, bounds: Partial<Bounds> | null, audit?: AuditRecord): Promise<void> {
    return this.#end(function* ({ db, now, admission }) {
      yield* admission.review(yield* setLiveBounds({ db, now }, name, bounds))
      yield* audited(db, true, { now, audit })
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
    return this.#write(() => this.#renewNode(nodeId, leaseMs))
  }

  keepLease(order: LeaseOrder): LeaseKeeper | undefined {
    return this.#host.keepLease(order)
  }

  leaseLeftMs(nodeId: number): number {
    return this.#host.leaseLeftMs(nodeId)
  }

  updateServing(nodeId: number, serving: Serving): Promise<void> {
    return this.#end((ends) => nodes.updateServing(ends, nodeId, serving))
  }

  async listNodes() {
    return this.#read(() => nodes.listNodes(this.#db, this.now()))
  }

  drainNode(nodeId: number, audit?: AuditRecord): Promise<boolean> {
    return this.#write(() => nodes.drainNode(this.#db, nodeId, { now: this.now(), audit }))
  }

  clockAheadMs(): number {
    return this.#host.clockAheadMs()
  }

  listFindings(options: FindingOptions = {}): Promise<Finding[]> {
    return this.#host.listFindings(options)
  }

  updateNodeClock(nodeId: number, aheadMs: number): Promise<void> {
    return this.#write(() => nodes.updateNodeClock(this.#db, nodeId, aheadMs))
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
    return this.#host.changeCount()
  }

  whenWritten(written: () => void, quietMs: number) {
    return this.#host.whenWritten(written, quietMs)
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

  async listMail(runId: number, after: number, limit: number) {
    return this.#read(() => listMail({ db: this.#db, now: this.now() }, { runId, after, limit }))
  }

  async findToken(hash: string) {
    return this.#read(() => tokenOf(this.#db, hash))
  }

  async listCompletions(held: Held) {
    return this.#read(() => listCompletions(this.#db, held))
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

  async listDead(filter: DeadPage) {
    return this.#read(() => listDead(this.#db, filter))
  }

  async listEntities(page: EntityPage) {
    return this.#read(() => listEntities(this.#db, page, this.now()))
  }

  async listSteps(id: string) {
    return this.#read(() => views.listSteps(this.#db, id))
  }

  async listWaits(id: string) {
    return this.#read(() => views.listWaits(this.#db, id))
  }

  async listAttempts(id: string) {
    return this.#read(() => views.listAttempts(this.#db, id))
  }

  async countEnded(name: string) {
    return this.#read(() => countEnded(this.#db, name))
  }

  close(): Promise<void> {
    return this.#host.close()
  }

  *#renewNode(nodeId: number, leaseMs: number): Query<boolean> {
    const now = yield* moveClock(this.#db, this.now())
    this.#host.time.moveTo(now)
    return yield* nodes.renewNode(this.#db, nodeId, now + leaseMs)
  }

  /** Most names are known, and a look needs no lock. */
  async #intern(name: Name): Promise<number> {
    return (await this.#read(() => findName(this.#db, name))) ?? this.#write(() => intern(this.#db, name))
  }

  #read<T>(work: () => Query<T>): Promise<T> {
    return this.#host.read(work)
  }

  #write<T>(work: () => Query<T>): Promise<T> {
    return this.#host.write(work)
  }

  /** Writes what ends runs, and counts them. */
  #end<T>(work: (ends: Ends) => Query<T>): Promise<T> {
    return this.#write(() => countedIn(endsIn(this.#db, this.now()), work))
  }
}
