// The order in which results reach user code: one at a time, as they stand in the journal.
import type { Clock } from '../lib/clock.ts'
import { Heap } from '../lib/heap.ts'
import type { RememberedStep } from '../store/store.ts'

const bySeq = (left: RememberedStep, right: RememberedStep): number => left.seq - right.seq

/** What releases need to know of the journal. */
export interface ReleaseOrder {
  readonly earliestUnread: number
  passOver(seq: number): void
}

/** Who is given the results. */
export interface Receiver {
  /** The code has a turn after each of them. */
  readonly inTurns: boolean
  give(step: RememberedStep): void
  /** All that was there is given, and the code has had its turn. */
  settled(): void
}

/**
 * Gives results, remembered or fresh, in journal order, and lets user code react to each before the next.
 * So a race is won on resume by the one that won it first. A graph of steps has no races: it is given all that is there at once, in that order.
 */
export class Releases {
  readonly #clock: Clock
  readonly #order: ReleaseOrder
  readonly #receiver: Receiver
  readonly #waiting = new Heap(bySeq)
  #isTurnDue = false

  constructor(clock: Clock, order: ReleaseOrder, receiver: Receiver) {
    this.#clock = clock
    this.#order = order
    this.#receiver = receiver
  }

  /** Whether the code may still do something: a result waits, or was given and the code has not had its turn. */
  get isUnderWay(): boolean {
    return this.#isTurnDue || this.#waiting.size > 0
  }

  /** The result that waits for an earlier one, which the code has not asked for. */
  get blocked(): RememberedStep | undefined {
    const next = this.#waiting.peek()
    return next !== undefined && this.#order.earliestUnread < next.seq ? next : undefined
  }

  add(step: RememberedStep): void {
    this.#waiting.push(step)
    this.#giveSoon()
  }

  /** Waits no more for what is earlier than the next result. */
  passOver(): void {
    const next = this.#waiting.peek()
    if (next === undefined) return
    this.#order.passOver(next.seq)
    this.#giveSoon()
  }

  clear(): void {
    while (this.#waiting.pop() !== undefined);
  }

  // A turn of the event loop lies between two results, so all that follows from the first has been asked for.
  #giveSoon(): void {
    if (this.#isTurnDue) return
    this.#isTurnDue = true
    this.#clock.soon(this.#giveNext)
  }

  readonly #giveNext = (): void => {
    this.#isTurnDue = false
    let next = this.#next()
    if (next === undefined) return this.#receiver.settled()
    this.#giveSoon()
    this.#receiver.give(next)
    while (!this.#receiver.inTurns && (next = this.#next()) !== undefined) this.#receiver.give(next)
  }

  /** The code asks for an earlier one in a moment, unless it has changed and never will. */
  #next(): RememberedStep | undefined {
    return this.blocked === undefined ? this.#waiting.pop() : undefined
  }
}
