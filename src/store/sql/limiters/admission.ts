// Who may pass the limiters: decided under the one writer, all of a run's limiters or none, and undone by whatever ends its stay.
import { afterPass, passesAt, type Bounds, type LimitUse } from '../../../model/limiter.ts'
import { answerNow, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { takeFrom } from '../counters.ts'
import { boundsOf, paceOf } from './limiters.ts'
import * as lines from './lines.ts'

// The slot that is the last one allowed; by primary key prefix.
const findLastOfKey = `select 1 as taken from slot where limiter = ? and key = ? limit 1 offset ?`

const findLastOfAll = `select 1 as taken from slot where limiter = ? limit 1 offset ?`

const insertSlot = `
insert into slot (limiter, key, ticket, run_id, node, epoch, since) values (?, ?, ?, ?, ?, ?, ?)`

// By the indexes of slots.
const deleteOfRuns = `
delete from slot where run_id in (select value from json_each(?)) returning limiter, key`

const deleteOfTickets = `
delete from slot where ticket in (select value from json_each(?)) returning limiter, key`

const upsertPace = `
insert into pace (limiter, key, next_at) values (?, ?, ?)
on conflict (limiter, key) do update set next_at = excluded.next_at`

/** The statements of this file whose plans are tested. */
export const hotAdmissionStatements = { findLastOfKey, findLastOfAll, deleteOfRuns, deleteOfTickets }

// Turns are only compared, so a transaction may leave some of its own unused.
const turnsAtOnce = 1_000

/** Who wants to pass. */
export interface Candidate {
  /** The number of the run, or of whatever else waits. */
  readonly ticket: number
  readonly uses: readonly LimitUse[]
  readonly queue: number
  readonly definition: number
  readonly priority: number
  /** Null for what is not part of a run. */
  readonly runId: number | null
  /** Of a step of the run, else null. */
  readonly path: string | null
}

/** Who has the slots then. */
export interface Holder {
  readonly nodeId: number
  readonly epoch: number
}

/** The limiters as one transaction sees and changes them. Costs nothing until it is asked. */
export class Admission {
  readonly #db: Database
  readonly #now: number
  readonly #bounds = new Map<number, Query<Bounds>>()
  #turn = 0
  #lastTurn = 0
  /** The earliest time at which somebody in a line may pass who could not before; what is not later than now may at once. */
  opensAt: number | null = null

  constructor(db: Database, now: number) {
    this.#db = db
    this.#now = now
  }

  /** Gives all slots and tokens, or nothing of it and the limiter that refused. */
  admit(who: Candidate, holder: Holder): Query<LimitUse | undefined> {
    return this.admitAll([who], holder)
  }

  /** The same for several who pass together. */
  *admitAll(all: readonly Candidate[], holder: Holder): Query<LimitUse | undefined> {
    for (const { uses } of all) {
      const refused = yield* this.#refusalOf(uses)
      if (refused !== undefined) return refused
    }
    for (const who of all) for (const use of who.uses) yield* this.#take(use, who, holder)
    return undefined
  }

  /** Gives back slots that were lost, though others may have them by now. */
  *restore({ ticket, runId, uses }: Candidate, { nodeId, epoch }: Holder): Query<void> {
    for (const { limiterId, key } of uses) {
      yield* this.#db.run(insertSlot, limiterId, key, ticket, runId, nodeId, epoch, this.#now)
      yield* this.#writeState({ limiter: limiterId, key })
    }
  }

  /** Whether nobody would be overtaken. */
  *isFirst({ uses }: Candidate): Query<boolean> {
    for (const { limiterId, key } of uses) {
      const { total } = yield* this.#boundsOf(limiterId)
      if (yield* lines.hasLine(this.#db, limiterId, total === null ? key : null)) return false
    }
    return true
  }

  /** Waits in the line of the limiter that refuses it, or of its first. */
  *enqueue(who: Candidate, refused?: LimitUse): Query<void> {
    const use = refused ?? (yield* this.#refusalOf(who.uses)) ?? who.uses[0]
    if (use === undefined) return
    const line = { limiter: use.limiterId, key: use.key, queue: who.queue, definition: who.definition }
    // What a run has to pass is kept with it, and of others the line itself may say it.
    const isKnown = who.ticket === who.runId || (who.uses.length === 1 && who.uses.includes(use))
    const uses = isKnown ? null : usesText(who.uses)
    yield* lines.addWaiter(this.#db, line, { ...who, uses })
    yield* this.#writeLine(line, 0)
  }

  /** Takes whoever passed, or waits no more, out of its line. */
  *dequeue(tickets: readonly number[]): Query<void> {
    const left = yield* lines.dropWaiters(this.#db, tickets)
    for (const line of left) yield* this.#writeLine(line, 1)
  }

  /** Frees what runs had, and takes them out of their lines. */
  *leave(runIds: readonly number[]): Query<void> {
    if (runIds.length === 0) return
    const ids = JSON.stringify(runIds)
    const slots = yield* this.#db.all<lines.KeyOfLimiter>(deleteOfRuns, ids)
    yield* this.#freed(slots)
    yield* this.#dequeueRuns(ids)
  }

  /** Takes all that is waiting of a run out of its lines. */
  *dequeueRun(runId: number): Query<void> {
    yield* this.#dequeueRuns(JSON.stringify([runId]))
  }

  /** Frees what no run had. */
  *leaveTickets(tickets: readonly number[]): Query<void> {
    if (tickets.length === 0) return
    const slots = yield* this.#db.all<lines.KeyOfLimiter>(deleteOfTickets, JSON.stringify(tickets))
    yield* this.#freed(slots)
    yield* this.dequeue(tickets)
  }

  /** Looks anew at all lines of a limiter. */
  *review(limiter: number): Query<void> {
    this.#bounds.delete(limiter)
    const keys = yield* lines.keysOfLines(this.#db, limiter)
    for (const key of keys) yield* this.#writeState({ limiter, key })
  }

  /** Looks anew at the lines of one key. */
  *look(at: lines.KeyOfLimiter): Query<void> {
    yield* this.#writeState(at)
  }

  /** When one more of a key may pass, as things are; null while all its slots are taken. */
  opensWhen({ limiter, key }: lines.KeyOfLimiter): Query<lines.OpensAt> {
    return this.#opensAt({ limiterId: limiter, key })
  }

  /** Whether any line lets somebody pass, for all that is known by now. */
  *hasOpenLines(): Query<boolean> {
    // Whatever opened or closed in this transaction was seen by it; of what it did not touch the store knows.
    const { isOpen, opensAt } = yield* lines.findOpenings(this.#db)
    if (opensAt !== null && opensAt <= this.#now) return (yield* lines.openDueLines(this.#db, this.#now)) > 0
    if (opensAt !== null) this.#opens(opensAt)
    return isOpen
  }

  /** Whether a line of this queue lets somebody pass, for all that can be read. */
  *mayPassIn(queue: number): Query<boolean> {
    for (const limiter of yield* lines.openLimiters(this.#db, queue)) {
      if (!(yield* this.#isTotalUsedUp(limiter))) return true
    }
    return false
  }

  /** The first of the line whose turn it is, among those of a queue that a claim can perform: see `linesOf`. */
  *next(queue: number, given: string): Query<lines.Head | undefined> {
    let next: lines.Head | undefined
    for (const limiter of yield* lines.openLimiters(this.#db, queue)) {
      if (yield* this.#isTotalUsedUp(limiter)) continue
      const head = yield* lines.nextHead(this.#db, { queue, limiter, lines: given })
      if (head !== undefined && (next === undefined || head.turn < next.turn)) next = head
    }
    return next
  }

  /** The first of each line of a queue that lets somebody pass, those first whose turn it is. */
  *openHeads(queue: number): Query<lines.Head[]> {
    const heads: lines.Head[] = []
    for (const limiter of yield* lines.openLimiters(this.#db, queue)) {
      if (yield* this.#isTotalUsedUp(limiter)) continue
      heads.push(...(yield* lines.openHeads(this.#db, queue, limiter)))
    }
    return heads
  }

  *#dequeueRuns(ids: string): Query<void> {
    const left = yield* lines.dropWaitersOf(this.#db, ids)
    for (const line of left) yield* this.#writeLine(line, 1)
  }

  *#take({ limiterId, key }: LimitUse, { ticket, runId }: Candidate, { nodeId, epoch }: Holder): Query<void> {
    yield* this.#db.run(insertSlot, limiterId, key, ticket, runId, nodeId, epoch, this.#now)
    const { rate } = yield* this.#boundsOf(limiterId)
    if (rate !== null) {
      const pace = yield* paceOf(this.#db, limiterId, key)
      yield* this.#db.run(upsertPace, limiterId, key, afterPass(rate, pace, this.#now))
    }
    const turn = yield* this.#nextTurn()
    yield* this.#writeState({ limiter: limiterId, key }, turn)
  }

  *#freed(slots: readonly lines.KeyOfLimiter[]): Query<void> {
    for (const { limiter, key } of slots) {
      yield* this.#writeState({ limiter, key })
      const { total } = yield* this.#boundsOf(limiter)
      if (total !== null && (yield* lines.hasLine(this.#db, limiter, null))) this.#opens(this.#now)
    }
  }

  *#writeLine(line: lines.Line, left: number): Query<void> {
    const open = this.#stateFrom(yield* this.opensWhen(line))
    const turn = yield* this.#nextTurn()
    yield* lines.writeLine(this.#db, line, { turn, open, left })
  }

  *#writeState(at: lines.KeyOfLimiter, turn?: number): Query<void> {
    if (!(yield* lines.hasLine(this.#db, at.limiter, at.key))) return
    const state = this.#stateFrom(yield* this.opensWhen(at))
    yield* lines.writeState(this.#db, at, { ...state, turn })
  }

  #stateFrom(opensAt: lines.OpensAt): lines.LineState {
    if (opensAt === null) return { isOpen: false, opensAt: null }
    this.#opens(opensAt)
    return opensAt <= this.#now ? { isOpen: true, opensAt: null } : { isOpen: false, opensAt }
  }

  #opens(at: number): void {
    if (this.opensAt === null || at < this.opensAt) this.opensAt = at
  }

  /** The first that refuses. */
  *#refusalOf(uses: readonly LimitUse[]): Query<LimitUse | undefined> {
    for (const use of uses) if (!(yield* this.#mayPass(use))) return use
    return undefined
  }

  *#mayPass(use: LimitUse): Query<boolean> {
    const opensAt = yield* this.#opensAt(use)
    return opensAt !== null && opensAt <= this.#now && !(yield* this.#isTotalUsedUp(use.limiterId))
  }

  /** When one more may pass, as things are; null while all slots of the key are taken. */
  *#opensAt({ limiterId, key }: LimitUse): Query<lines.OpensAt> {
    const { concurrency, rate } = yield* this.#boundsOf(limiterId)
    if (concurrency !== null && (yield* this.#db.has(findLastOfKey, limiterId, key, concurrency - 1))) return null
    return rate === null ? this.#now : passesAt(rate, yield* paceOf(this.#db, limiterId, key))
  }

  *#isTotalUsedUp(limiter: number): Query<boolean> {
    const { total } = yield* this.#boundsOf(limiter)
    return total !== null && (yield* this.#db.has(findLastOfAll, limiter, total - 1))
  }

  #boundsOf(limiter: number): Query<Bounds> {
    return this.#bounds.get(limiter) ?? this.#readBounds(limiter)
  }

  *#readBounds(limiter: number): Query<Bounds> {
    const bounds = yield* boundsOf(this.#db, limiter)
    this.#bounds.set(
      limiter,
      answerNow(() => bounds),
    )
    return bounds
  }

  *#nextTurn(): Query<number> {
    if (this.#turn === this.#lastTurn) {
      this.#turn = yield* takeFrom(this.#db, 'turn', turnsAtOnce)
      this.#lastTurn = this.#turn + turnsAtOnce - 1
      return this.#turn
    }
    return ++this.#turn
  }
}

/** How a list of uses is kept. */
export function usesText(uses: readonly LimitUse[]): string {
  return JSON.stringify(uses.map(({ limiterId, key }) => [limiterId, key]))
}

export function usesFrom(text: string): LimitUse[] {
  return (JSON.parse(text) as [number, string][]).map(([limiterId, key]) => ({ limiterId, key }))
}
