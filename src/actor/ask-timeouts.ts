// Timeouts of asks without a timer for each: asks of equal timeout expire in the order they were made.

import type { Clock, Timer } from '../lib/clock.ts'
import { askTimeout } from './errors.ts'
import { undated } from './pending.ts'
import type { AskLink, Pending } from './pending.ts'

// The timer holds the process only while asks wait, and learns within this time that none does any more.
const longestTickMs = 50

/** Closes the circle of the asks of one timeout: next is the oldest, the first to expire, and previous the newest. */
class AskQueue implements AskLink {
  previous: AskLink = this
  next: AskLink = this
  readonly deadlineMs = Infinity
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
  }

  add(ask: Pending): void {
    ask.previous = this.previous
    ask.next = this
    this.previous = this.previous.next = ask
  }

  // Measured: reading the clock costs a quarter of an ask, and most asks are answered before the event loop turns; those that are not get
  // their deadline then, so that a timeout begins some milliseconds late, never early.
  date(nowMs: number): void {
    for (let link = this.previous; link.deadlineMs === undated; link = link.previous)
      link.deadlineMs = nowMs + this.timeoutMs
  }

  expire(nowMs: number): void {
    while (this.next.deadlineMs <= nowMs) {
      const { target, message } = this.next as Pending
      ;(this.next as Pending).reject(askTimeout(target, message, this.timeoutMs))
    }
  }
}

/** Rejects asks at their deadline, never before. One timer serves them all, and only while some wait. */
export class AskTimeouts {
  readonly #clock: Clock
  readonly #queues = new Map<number, AskQueue>()
  #latest: AskQueue | undefined
  #timer: Timer | undefined
  #firesAtMs = 0
  #willLook = false
  readonly #look = (): void => this.#lookAtAll()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(ask: Pending, timeoutMs: number): void {
    this.#queueFor(timeoutMs).add(ask)
    if (this.#willLook) return
    this.#willLook = true
    this.#clock.soon(this.#look)
  }

  #queueFor(timeoutMs: number): AskQueue {
    if (this.#latest !== undefined && this.#latest.timeoutMs === timeoutMs) return this.#latest
    const queue = this.#queues.get(timeoutMs) ?? new AskQueue(timeoutMs)
    this.#queues.set(timeoutMs, queue)
    return (this.#latest = queue)
  }

  #lookAtAll(): void {
    this.#willLook = false
    this.#latest = undefined
    const nowMs = this.#clock.monotonic()
    let earliestMs = Infinity
    for (const queue of this.#queues.values()) {
      queue.date(nowMs)
      queue.expire(nowMs)
      earliestMs = Math.min(earliestMs, queue.next.deadlineMs)
      if (queue.next === queue) this.#queues.delete(queue.timeoutMs)
    }
    if (earliestMs < (this.#timer === undefined ? Infinity : this.#firesAtMs)) this.#arm(nowMs, earliestMs)
  }

  #arm(nowMs: number, deadlineMs: number): void {
    this.#timer?.cancel()
    const delayMs = Math.min(longestTickMs, deadlineMs - nowMs)
    this.#firesAtMs = nowMs + delayMs
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined
      this.#lookAtAll()
    })
  }
}
