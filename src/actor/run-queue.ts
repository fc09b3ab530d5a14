// Whose turn it is: one queue and one microtask for all actors of a system.

import type { Clock } from '../lib/clock.ts'
import { Ring } from '../lib/ring.ts'

/** Longest stretch of messages without letting timers and sockets in. */
const sliceMs = 2
const sliceMessages = 1 << 16

// Measured: reading the time costs as much as two messages, so fast messages are counted and timed in groups.
const largestGroup = 32
const slowGroupMs = 1

// Measured: a reaction of a settled promise costs half of queueMicrotask, which Node wraps in an async resource.
const settled = Promise.resolve()

export interface Runnable {
  /** Takes one turn; never throws. */
  run(): void
}

/** Of `ready` runnables, the number of the one that takes the next turn. */
export type Pick = (ready: number) => number

/** Where the test kit hands a `Pick` in. Turns then last one message, and promises that are ready settle between them. */
export const pickTurns: unique symbol = Symbol('pickTurns')

export interface TurnOptions {
  readonly [pickTurns]?: Pick
}

/**
 * Runs what was pushed, in order, in a microtask.
 *
 * Invariant: a slice of work ends after 2 ms or 65,536 messages and the rest waits for the event loop to turn, also when the work comes
 * as many short microtasks in a row.
 */
export class RunQueue {
  readonly #clock: Clock
  readonly #pick: Pick | undefined
  readonly #queue = new Ring<Runnable>()
  readonly #drain = (): void => this.#runAll()
  #isScheduled = false
  #isYielding = false
  #sliceIsOpen = false
  #sliceEndsMs = 0
  #sliceMessagesLeft = 0
  #group = 1
  #groupLeft = 1
  #groupStartMs = 0

  constructor(clock: Clock, pick?: Pick) {
    this.#clock = clock
    this.#pick = pick
  }

  /** Whether somebody waits for a turn. */
  get isBusy(): boolean {
    return this.#isScheduled
  }

  push(runnable: Runnable): void {
    this.#queue.push(runnable)
    if (this.#isScheduled) return
    this.#isScheduled = true
    void settled.then(this.#drain)
  }

  /** Counts one message; true when the one who runs should hand over, because the slice is used up. */
  spend(): boolean {
    if (--this.#groupLeft > 0) return false
    this.#measure()
    return this.#isYielding || this.#pick !== undefined
  }

  #runAll(): void {
    try {
      while (!this.#isYielding) {
        const next = this.#pick === undefined ? this.#queue.shift() : this.#picked(this.#pick)
        if (next === undefined) break
        next.run()
        if (this.#pick !== undefined) break
      }
    } finally {
      // While yielding nothing is queued: the end of the slice goes on from here.
      this.#isScheduled = this.#isYielding || this.#queue.size > 0
      if (this.#isScheduled && !this.#isYielding) void settled.then(this.#drain)
    }
  }

  #picked(pick: Pick): Runnable | undefined {
    for (let ahead = pick(this.#queue.size); ahead > 0; ahead--) this.#queue.push(this.#queue.shift() as Runnable)
    return this.#queue.shift()
  }

  #measure(): void {
    const nowMs = this.#clock.monotonic()
    if (!this.#sliceIsOpen) this.#openSlice(nowMs)
    else if (this.#pick === undefined) this.#resizeGroup(nowMs - this.#groupStartMs)
    this.#groupStartMs = nowMs
    this.#groupLeft = this.#group
    this.#sliceMessagesLeft -= this.#group
    if (nowMs >= this.#sliceEndsMs || this.#sliceMessagesLeft <= 0) this.#isYielding = true
  }

  #resizeGroup(tookMs: number): void {
    if (tookMs > slowGroupMs) this.#group = Math.max(1, Math.floor(this.#group / tookMs))
    else this.#group = Math.min(largestGroup, this.#group * 2)
  }

  #openSlice(nowMs: number): void {
    this.#sliceIsOpen = true
    this.#sliceEndsMs = nowMs + sliceMs
    this.#sliceMessagesLeft = sliceMessages
    this.#clock.soon(() => this.#closeSlice())
  }

  #closeSlice(): void {
    this.#sliceIsOpen = false
    this.#group = this.#groupLeft = 1
    if (!this.#isYielding) return
    this.#isYielding = false
    this.#runAll()
  }
}
