// The order in which results reach user code: one at a time, as they stand in the journal.
import type { Clock, Timer } from '../lib/clock.ts'
import { Heap } from '../lib/heap.ts'

interface Release {
  readonly seq: number
  readonly give: () => void
}

// How long a result waits for an earlier one that the code has yet to ask for: it may be reading a file in between.
const patienceMs = 100

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
  readonly #waiting = new Heap<Release>((left, right) => left.seq - right.seq)
  #isTurnDue = false
  #patience: Timer | undefined

  constructor(clock: Clock, order: ReleaseOrder, settled: () => void) {
    this.#clock = clock
    this.#order = order
    this.#settled = settled
  }

  get size(): number {
    return this.#waiting.size
  }

  add(seq: number, give: () => void): void {
    this.#waiting.push({ seq, give })
    this.#giveSoon()
  }

  clear(): void {
    this.#patience?.cancel()
    this.#patience = undefined
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
    const next = this.#waiting.peek()
    if (next === undefined) return this.#settled()
    if (this.#order.earliestUnread < next.seq) return this.#waitFor(next)
    this.#patience?.cancel()
    this.#patience = undefined
    this.#waiting.pop()
    next.give()
    this.#giveSoon()
  }

  /** The code asks for the earlier one in a moment, unless it has changed and never will. */
  #waitFor(next: Release): void {
    this.#patience ??= this.#clock.after(patienceMs, () => {
      this.#patience = undefined
      this.#order.passOver(next.seq)
      this.#giveSoon()
    })
  }
}
