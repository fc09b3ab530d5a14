// The store on one SQLite file: one writer at a time, every batch one transaction, several processes welcome.
import { systemClock } from '../../lib/clock.ts'
import { engineStopped } from '../../model/errors.ts'
import type { Bounds } from '../../model/limiter.ts'
import type { DefinitionStore } from '../definitions.ts'
import type { AskStore } from '../asks.ts'
import type { FailureStore } from '../failures.ts'
import type { ScheduleStore } from '../schedules.ts'
import type { NodeIdentity, Serving } from '../nodes.ts'
import type { Batch, Committed, EmitCursor, Held, Store } from '../store.ts'
import type { Passing } from '../queues.ts'
import type { DeadNode, DeadRun, RepairSlice, Rescued } from '../repairs.ts'
import type { LeaseKeeper, LeaseOrder } from '../lease.ts'
import type { Expired, ExpiredRun } from '../due.ts'
import type { MessageSlice } from '../waits.ts'
import type { AuditRecord, OperatingStore } from '../operating.ts'
import type { RetentionStore } from '../retention.ts'
import type { TemplateStore } from '../templates.ts'
import type { DeadPage, RunPage, LogPage } from '../views.ts'
import { SqliteAskStore } from './steps/asks.ts'
import { audited } from './operating-store/audit.ts'
import { writeBatch } from './batch.ts'
import type { EventStore } from '../events.ts'
import type { InvestigationStore } from '../investigations.ts'
import { untilFree, type SqliteOptions } from './connection/busy.ts'
import type { CallersStore } from '../callers.ts'
import { SqliteCallersStore } from './connection/callers.ts'
import type { CodingStore } from '../codings.ts'
import { performNow, type Query } from '../query.ts'
import { SqliteCodingStore } from './codings.ts'
import { Connection } from './connection/connection.ts'
import { clockValue, moveClock } from './counters.ts'
import { listDead } from './views/dead.ts'
import { expireRuns, findNext, isAnyDue, wakeRuns } from './runs/due.ts'
import { SqliteEventStore } from './events/event-store.ts'
import { SqliteDefinitionStore } from './definitions.ts'
import { SqliteFailureStore } from './events/failures.ts'
import { LeaseThread } from './nodes/lease-keeper.ts'
import { areLimitersInOrder, isHoldingUp, repairLimiters } from './limiters/limited.ts'
import { internLimiter, listLimiters, setLiveBounds } from './limiters/limiters.ts'
import { listEnds } from './runs/families.ts'
import { listMessages } from './steps/messages.ts'
import { definitionNamed, findName, intern, listQueueNames, queueNamed, type Name } from './names.ts'
import { listNodeViews } from './nodes/node-views.ts'
import * as nodes from './nodes/nodes.ts'
import { SqliteInvestigationStore } from './operating-store/investigation-store.ts'
import { SqliteOperatingStore } from './operating-store/operating-store.ts'
import { listQueues, pauseQueue, unpauseQueue } from './views/queues.ts'
import { SqliteRetentionStore } from './retention/retention.ts'
import { countEnded } from './views/rollup.ts'
import type { Ends } from './runs/runs.ts'
import { lookAtRuns, repairRuns } from './repairs.ts'
import { SqliteScheduleStore } from './schedules/schedule-store.ts'
import { StoreClock } from './nodes/store-clock.ts'
import { listEmitted, listLogs } from './steps/streams.ts'
import { hasNoNews, nobodyPasses, passLimiters } from './limiters/tickets.ts'
import { listCompletions, tokenOf } from './steps/tokens.ts'
import { SqliteTemplateStore } from './templates.ts'
import { countedIn, endsIn, type Access } from './connection/transaction.ts'
import * as views from './views/views.ts'
import { watchWal } from './connection/wal-watch.ts'

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
  readonly events: EventStore
  readonly callers: CallersStore
  readonly codings: CodingStore
  readonly operating: OperatingStore
  readonly investigations: InvestigationStore
  readonly retention: RetentionStore
  readonly templates: TemplateStore
  readonly #db: Connection
  readonly #time: StoreClock
  readonly #options: SqliteOptions
  #isClosed = false

  constructor(db: Connection, options: SqliteOptions) {
    this.#db = db
    this.#time = new StoreClock(options.clock, performNow(clockValue(db)))
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
    this.events = new SqliteEventStore(access)
    this.callers = new SqliteCallersStore(access)
    this.codings = new SqliteCodingStore(access)
    this.operating = new SqliteOperatingStore(access)
    this.investigations = new SqliteInvestigationStore(access)
    this.retention = new SqliteRetentionStore(access)
    this.templates = new SqliteTemplateStore(access)
  }

  now(): number {
    return this.#time.now()
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
    // The thread tells the time by the clock of this machine.
    if (this.location === ':memory:' || this.#options.clock !== systemClock) return undefined
    return new LeaseThread(this.location, order)
  }

  leaseLeftMs(nodeId: number): number {
    try {
      return Math.max(0, performNow(nodes.leaseUntil(this.#db, nodeId)) - this.now())
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
      const row = performNow(this.#db.get<{ data_version: number }>('pragma data_version'))
      return row?.data_version ?? unreadable
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

  async close(): Promise<void> {
    this.#isClosed = true
    this.#db.close()
  }

  *#renewNode(nodeId: number, leaseMs: number): Query<boolean> {
    const now = yield* moveClock(this.#db, this.now())
    this.#time.moveTo(now)
    return yield* nodes.renewNode(this.#db, nodeId, now + leaseMs)
  }

  /** Most names are known, and a look needs no lock. */
  async #intern(name: Name): Promise<number> {
    return (await this.#read(() => findName(this.#db, name))) ?? this.#write(() => intern(this.#db, name))
  }

  #read<T>(work: () => Query<T>): Promise<T> {
    return this.#whenFree(() => this.#db.read(work))
  }

  #write<T>(work: () => Query<T>): Promise<T> {
    return this.#whenFree(() => this.#db.write(work))
  }

  /** Writes what ends runs, and counts them. */
  #end<T>(work: (ends: Ends) => Query<T>): Promise<T> {
    return this.#write(() => countedIn(endsIn(this.#db, this.now()), work))
  }

  #whenFree<T>(work: () => T): Promise<T> {
    return untilFree(this.#options, () => {
      // Race: it may have been closed since the last try.
      if (this.#isClosed) throw engineStopped()
      return work()
    })
  }
}
