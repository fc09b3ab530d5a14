// The order in which results reach user code: one at a time, as they stand in the journal.
import type { Clock } from '../lib/clock.ts'
import { Heap } from '../lib/heap.ts'

interface Release {
  readonly seq: number
  readonly give: () => void
}

/**
 * Gives results, remembered or fresh, in journal order, and lets user code react to each before the next.
 * So a race is won on resume by the one that won it first.
 */
export class Releases {
  readonly #clock: Clock
  readonly #waiting = new Heap<Release>((left, right) => left.seq - right.seq)
  readonly #settled: () => void
  #isTurnDue = false

  constructor(clock: Clock, settled: () => void) {
    this.#clock = clock
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
    this.#waiting.pop()?.give()
    if (this.#waiting.size > 0) this.#giveSoon()
    else this.#settled()
  }
}
