// Timeouts of asks without a timer for each: asks of equal timeout expire in the order they were made.

import type { Clock, Timer } from '../lib/clock.ts'
import type { PendingAsk } from './ask.ts'
import { askTimeout } from './errors.ts'

// The timer holds the process only while asks wait, and learns within this time that none does any more.
const longestTickMs = 50

// Measured: reading the clock costs a quarter of an ask, and most asks are answered before the event loop turns; those that are not get
// their deadline then, so that a timeout begins some milliseconds late, never early.
const unknown = -1

/** The asks of one timeout, oldest and therefore next to expire first. */
export class AskQueue {
  readonly timeoutMs: number
  first: PendingAsk | undefined = undefined
  #last: PendingAsk | undefined = undefined

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
  }

  add(ask: PendingAsk): void {
    ask.queue = this
    ask.deadlineMs = unknown
    ask.previous = this.#last
    if (this.#last === undefined) this.first = ask
    else this.#last.next = ask
    this.#last = ask
  }

  /** Gives those that came since the last time their deadline. */
  stamp(nowMs: number): void {
    for (let ask = this.#last; ask !== undefined && ask.deadlineMs === unknown; ask = ask.previous)
      ask.deadlineMs = nowMs + this.timeoutMs
  }

  remove(ask: PendingAsk): void {
    if (ask.previous === undefined) this.first = ask.next
    else ask.previous.next = ask.next
    if (ask.next === undefined) this.#last = ask.previous
    else ask.next.previous = ask.previous
    ask.queue = ask.previous = ask.next = undefined
  }
}

/** Rejects asks at their deadline, never before. One timer serves them all, and only while some wait. */
export class AskTimeouts {
  readonly #clock: Clock
  readonly #queues = new Map<number, AskQueue>()
  #latest: AskQueue | undefined
  #timer: Timer | undefined
  #firesAtMs = 0
  #willStamp = false
  readonly #stamp = (): void => this.#stampAll()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(ask: PendingAsk, timeoutMs: number): void {
    this.#queueFor(timeoutMs).add(ask)
    if (this.#willStamp) return
    this.#willStamp = true
    this.#clock.soon(this.#stamp)
  }

  #queueFor(timeoutMs: number): AskQueue {
    if (this.#latest !== undefined && this.#latest.timeoutMs === timeoutMs) return this.#latest
    let queue = this.#queues.get(timeoutMs)
    if (queue === undefined) this.#queues.set(timeoutMs, (queue = new AskQueue(timeoutMs)))
    this.#latest = queue
    return queue
  }

  #stampAll(): void {
    this.#willStamp = false
    const nowMs = this.#clock.monotonic()
    for (const queue of this.#queues.values()) {
      if (queue.first === undefined) this.#forget(queue)
      else queue.stamp(nowMs)
    }
    this.#armForNext(nowMs)
  }

  #armForNext(nowMs: number): void {
    let earliestMs = Infinity
    for (const { first } of this.#queues.values()) {
      if (first !== undefined) earliestMs = Math.min(earliestMs, first.deadlineMs)
    }
    if (earliestMs === Infinity) return
    if (this.#timer === undefined || earliestMs < this.#firesAtMs) this.#arm(nowMs, earliestMs)
  }

  #arm(nowMs: number, deadlineMs: number): void {
    this.#timer?.cancel()
    const delayMs = Math.min(longestTickMs, Math.max(0, deadlineMs - nowMs))
    this.#firesAtMs = nowMs + delayMs
    this.#timer = this.#clock.after(delayMs, () => this.#tick())
  }

  #tick(): void {
    this.#timer = undefined
    const nowMs = this.#clock.monotonic()
    for (const queue of this.#queues.values()) {
      queue.stamp(nowMs)
      expire(queue, nowMs)
      if (queue.first === undefined) this.#forget(queue)
    }
    this.#armForNext(nowMs)
  }

  #forget(queue: AskQueue): void {
    this.#queues.delete(queue.timeoutMs)
    if (this.#latest === queue) this.#latest = undefined
  }
}

function expire(queue: AskQueue, nowMs: number): void {
  for (let ask = queue.first; ask !== undefined && ask.deadlineMs <= nowMs; ask = queue.first) {
    ask.reject(askTimeout(ask.target, ask.message, queue.timeoutMs))
  }
}
