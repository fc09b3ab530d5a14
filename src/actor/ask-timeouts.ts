// Timeouts of asks without a timer for each: asks of equal timeout expire in the order they were made.

import type { Clock, Timer } from '../lib/clock.ts'
import type { PendingAsk } from './ask.ts'
import { askTimeout } from './errors.ts'

// The timer holds the process only while asks wait, and learns within this time that none does any more.
const longestTickMs = 50

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
    ask.previous = this.#last
    if (this.#last === undefined) this.first = ask
    else this.#last.next = ask
    this.#last = ask
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

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(ask: PendingAsk, timeoutMs: number): void {
    const nowMs = this.#clock.monotonic()
    ask.deadlineMs = nowMs + timeoutMs
    this.#queueFor(timeoutMs).add(ask)
    if (this.#timer === undefined || ask.deadlineMs < this.#firesAtMs) this.#arm(nowMs, ask.deadlineMs)
  }

  #queueFor(timeoutMs: number): AskQueue {
    if (this.#latest !== undefined && this.#latest.timeoutMs === timeoutMs) return this.#latest
    let queue = this.#queues.get(timeoutMs)
    if (queue === undefined) this.#queues.set(timeoutMs, (queue = new AskQueue(timeoutMs)))
    this.#latest = queue
    return queue
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
    let earliestMs = Infinity
    for (const queue of this.#queues.values()) {
      expire(queue, nowMs)
      if (queue.first === undefined) this.#forget(queue)
      else earliestMs = Math.min(earliestMs, queue.first.deadlineMs)
    }
    if (earliestMs !== Infinity) this.#arm(nowMs, earliestMs)
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
