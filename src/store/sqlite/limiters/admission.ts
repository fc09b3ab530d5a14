// Who may pass the limiters: decided under the one writer, all of a run's limiters or none, and undone by whatever ends its stay.
import { afterPass, passesAt, type Bounds, type LimitUse } from '../../../model/limiter.ts'
import type { Connection } from '../connection/connection.ts'
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
  readonly #db: Connection
  readonly #now: number
  readonly #bounds = new Map<number, Bounds>()
  #turn = 0
  #lastTurn = 0
  /** The earliest time at which somebody in a line may pass who could not before; what is not later than now may at once. */
  opensAt: number | null = null

  constructor(db: Connection, now: number) {
    this.#db = db
    this.#now = now
  }

  /** Gives all slots and tokens, or nothing of it and the limiter that refused. */
  admit(who: Candidate, holder: Holder): LimitUse | undefined {
    return this.admitAll([who], holder)
  }

  /** The same for several who pass together. */
  admitAll(all: readonly Candidate[], holder: Holder): LimitUse | undefined {
    for (const { uses } of all) {
      const refused = uses.find((use) => !this.#mayPass(use))
      if (refused !== undefined) return refused
    }
    for (const who of all) for (const use of who.uses) this.#take(use, who, holder)
    return undefined
  }

  /** Gives back slots that were lost, though others may have them by now. */
  restore({ ticket, runId, uses }: Candidate, { nodeId, epoch }: Holder): void {
    for (const { limiterId, key } of uses) {
      this.#db.run(insertSlot, limiterId, key, ticket, runId, nodeId, epoch, this.#now)
      this.#writeState({ limiter: limiterId, key })
    }
  }

  /** Whether nobody would be overtaken. */
  isFirst({ uses }: Candidate): boolean {
    return uses.every(({ limiterId, key }) => {
      const isShared = this.#boundsOf(limiterId).total !== null
      return !lines.hasLine(this.#db, limiterId, isShared ? null : key)
    })
  }

  /** Waits in the line of the limiter that refuses it, or of its first. */
  enqueue(who: Candidate, refused?: LimitUse): void {
    const use = refused ?? who.uses.find((one) => !this.#mayPass(one)) ?? who.uses[0]
    if (use === undefined) return
    const line = { limiter: use.limiterId, key: use.key, queue: who.queue, definition: who.definition }
    // What a run has to pass is kept with it, and of others the line itself may say it.
    const isKnown = who.ticket === who.runId || (who.uses.length === 1 && who.uses.includes(use))
    const uses = isKnown ? null : usesText(who.uses)
    lines.addWaiter(this.#db, line, { ...who, uses })
    this.#writeLine(line, 0)
  }

  /** Takes whoever passed, or waits no more, out of its line. */
  dequeue(tickets: readonly number[]): void {
    for (const line of lines.dropWaiters(this.#db, tickets)) this.#writeLine(line, 1)
  }

  /** Frees what runs had, and takes them out of their lines. */
  leave(runIds: readonly number[]): void {
    if (runIds.length === 0) return
    const ids = JSON.stringify(runIds)
    this.#freed(this.#db.all<lines.KeyOfLimiter>(deleteOfRuns, ids))
    this.#dequeueRuns(ids)
  }

  /** Takes all that is waiting of a run out of its lines. */
  dequeueRun(runId: number): void {
    this.#dequeueRuns(JSON.stringify([runId]))
  }

  /** Frees what no run had. */
  leaveTickets(tickets: readonly number[]): void {
    if (tickets.length === 0) return
    this.#freed(this.#db.all<lines.KeyOfLimiter>(deleteOfTickets, JSON.stringify(tickets)))
    this.dequeue(tickets)
  }

  /** Looks anew at all lines of a limiter. */
  review(limiter: number): void {
    this.#bounds.delete(limiter)
    for (const key of lines.keysOfLines(this.#db, limiter)) this.#writeState({ limiter, key })
  }

  /** Looks anew at the lines of one key. */
  look(at: lines.KeyOfLimiter): void {
    this.#writeState(at)
  }

  /** When one more of a key may pass, as things are; null while all its slots are taken. */
  opensWhen({ limiter, key }: lines.KeyOfLimiter): lines.OpensAt {
    return this.#opensAt({ limiterId: limiter, key })
  }

  /** Whether any line lets somebody pass, for all that is known by now. */
  hasOpenLines(): boolean {
    // Whatever opened or closed in this transaction was seen by it; of what it did not touch the store knows.
    const { isOpen, opensAt } = lines.findOpenings(this.#db)
    if (opensAt !== null && opensAt <= this.#now) return lines.openDueLines(this.#db, this.#now) > 0
    if (opensAt !== null) this.#opens(opensAt)
    return isOpen
  }

  /** Whether a line of this queue lets somebody pass, for all that can be read. */
  mayPassIn(queue: number): boolean {
    return lines.openLimiters(this.#db, queue).some((limiter) => !this.#isTotalUsedUp(limiter))
  }

  /** The first of the line whose turn it is, among those of a queue that a claim can perform: see `linesOf`. */
  next(queue: number, given: string): lines.Head | undefined {
    let next: lines.Head | undefined
    for (const limiter of lines.openLimiters(this.#db, queue)) {
      if (this.#isTotalUsedUp(limiter)) continue
      const head = lines.nextHead(this.#db, { queue, limiter, lines: given })
      if (head !== undefined && (next === undefined || head.turn < next.turn)) next = head
    }
    return next
  }

  /** The first of each line of a queue that lets somebody pass, those first whose turn it is. */
  openHeads(queue: number): lines.Head[] {
    const limiters = lines.openLimiters(this.#db, queue).filter((limiter) => !this.#isTotalUsedUp(limiter))
    return limiters.flatMap((limiter) => lines.openHeads(this.#db, queue, limiter))
  }

  #dequeueRuns(ids: string): void {
    for (const line of lines.dropWaitersOf(this.#db, ids)) this.#writeLine(line, 1)
  }

  #take({ limiterId, key }: LimitUse, { ticket, runId }: Candidate, { nodeId, epoch }: Holder): void {
    this.#db.run(insertSlot, limiterId, key, ticket, runId, nodeId, epoch, this.#now)
    const { rate } = this.#boundsOf(limiterId)
    if (rate !== null) {
      const nextAt = afterPass(rate, paceOf(this.#db, limiterId, key), this.#now)
      this.#db.run(upsertPace, limiterId, key, nextAt)
    }
    this.#writeState({ limiter: limiterId, key }, this.#nextTurn())
  }

  #freed(slots: readonly lines.KeyOfLimiter[]): void {
    for (const { limiter, key } of slots) {
      this.#writeState({ limiter, key })
      if (this.#boundsOf(limiter).total !== null && lines.hasLine(this.#db, limiter, null)) this.#opens(this.#now)
    }
  }

  #writeLine(line: lines.Line, left: number): void {
    const open = this.#stateOf(line)
    lines.writeLine(this.#db, line, { turn: this.#nextTurn(), open, left })
  }

  #writeState(at: lines.KeyOfLimiter, turn?: number): void {
    if (!lines.hasLine(this.#db, at.limiter, at.key)) return
    lines.writeState(this.#db, at, { ...this.#stateOf(at), turn })
  }

  #stateOf({ limiter, key }: lines.KeyOfLimiter): lines.LineState {
    const opensAt = this.#opensAt({ limiterId: limiter, key })
    if (opensAt === null) return { isOpen: false, opensAt: null }
    this.#opens(opensAt)
    return opensAt <= this.#now ? { isOpen: true, opensAt: null } : { isOpen: false, opensAt }
  }

  #opens(at: number): void {
    if (this.opensAt === null || at < this.opensAt) this.opensAt = at
  }

  #mayPass(use: LimitUse): boolean {
    const opensAt = this.#opensAt(use)
    return opensAt !== null && opensAt <= this.#now && !this.#isTotalUsedUp(use.limiterId)
  }

  /** When one more may pass, as things are; null while all slots of the key are taken. */
  #opensAt({ limiterId, key }: LimitUse): lines.OpensAt {
    const { concurrency, rate } = this.#boundsOf(limiterId)
    if (concurrency !== null && this.#db.get(findLastOfKey, limiterId, key, concurrency - 1) !== undefined) return null
    return rate === null ? this.#now : passesAt(rate, paceOf(this.#db, limiterId, key))
  }

  #isTotalUsedUp(limiter: number): boolean {
    const { total } = this.#boundsOf(limiter)
    return total !== null && this.#db.get(findLastOfAll, limiter, total - 1) !== undefined
  }

  #boundsOf(limiter: number): Bounds {
    let bounds = this.#bounds.get(limiter)
    if (bounds === undefined) this.#bounds.set(limiter, (bounds = boundsOf(this.#db, limiter)))
    return bounds
  }

  #nextTurn(): number {
    if (this.#turn === this.#lastTurn) {
      this.#turn = takeFrom(this.#db, 'turn', turnsAtOnce)
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
