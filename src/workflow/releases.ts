// The order in which results reach user code: one at a time, as they stand in the journal.
import type { Clock } from '../lib/clock.ts'
import { Heap } from '../lib/heap.ts'
import type { RememberedStep } from '../store/store.ts'

interface Release {
  readonly step: RememberedStep
  readonly give: () => void
}

/** What releases need to know of the journal. */
export interface ReleaseOrder {
  readonly earliestUnread: number
  passOver(seq: number): void
}

/**
 * Gives results, remembered or fresh, in journal order, and lets user code react to each before the next.
 * So a race is won on resume by the one that won it first.
 */
export class Releases {
  readonly #clock: Clock
  readonly #order: ReleaseOrder
  readonly #settled: () => void
  readonly #waiting = new Heap<Release>((left, right) => left.step.seq - right.step.seq)
  #isTurnDue = false

  constructor(clock: Clock, order: ReleaseOrder, settled: () => void) {
    this.#clock = clock
    this.#order = order
    this.#settled = settled
  }

  get size(): number {
    return this.#waiting.size
  }

  /** The result that waits for an earlier one, which the code has not asked for. */
  get blocked(): RememberedStep | undefined {
    const next = this.#waiting.peek()
    return next !== undefined && this.#order.earliestUnread < next.step.seq ? next.step : undefined
  }

  add(step: RememberedStep, give: () => void): void {
    this.#waiting.push({ step, give })
    this.#giveSoon()
  }

  /** Waits no more for what is earlier than the next result. */
  passOver(): void {
    const next = this.#waiting.peek()
    if (next === undefined) return
    this.#order.passOver(next.step.seq)
    this.#giveSoon()
  }

  clear(): void {
    while (this.#waiting.pop() !== undefined);
  }

  // A turn of the event loop lies between two results, so all that follows from the first has been asked for.
  #giveSoon(): void {
    if (this.#isTurnDue) return
    this.#isTurnDue = true
    this.#clock.soon(() => this.#giveNext())
  }

  #giveNext(): void {
    this.#isTurnDue = false
    // The code asks for the earlier one in a moment, unless it has changed and never will.
    const next = this.blocked === undefined ? this.#waiting.pop() : undefined
    if (next === undefined) return this.#settled()
    next.give()
    this.#giveSoon()
  }
}
