// Time that passes at once: from one timer to the next, when it is told to.

import { systemClock } from '../lib/clock.ts'
import type { Clock, Timer, TimerOptions } from '../lib/clock.ts'
import { Heap } from '../lib/heap.ts'

interface Armed {
  readonly dueMs: number
  readonly order: number
  readonly fn: () => void
  readonly isUpkeep: boolean
}

// 2026-01-01T00:00:00Z: a day on which tests begin, whenever they run.
const firstMs = 1_767_225_600_000

/**
 * Wall and monotonic time that stand still until they are moved, over any span at once.
 *
 * Upkeep (looking for what was missed, tidying up) is nothing to stop for: it happens once where time stops the next time.
 */
export class VirtualClock implements Clock {
  readonly #startMs: number
  readonly #stops = new Heap<Armed>((left, right) => left.dueMs - right.dueMs || left.order - right.order)
  readonly #upkeep = new Set<Armed>()
  #elapsedMs = 0
  #order = 0
  /** What goes on by itself: turns that are due, and what the store was asked. */
  #underWay = 0
  #activity = 0
  /** Called with whatever happens. */
  moved: () => void = () => {}
  /** Called when a timer is armed that something waits for; what it gives is called when it waits no more. */
  armed: () => (() => void) | undefined = () => undefined

  constructor(startMs = firstMs) {
    this.#startMs = startMs
  }

  /** Rises with whatever happens. */
  get activity(): number {
    return this.#activity
  }

  /** Whether something goes on by itself. */
  get isBusy(): boolean {
    return this.#underWay > 0
  }

  now(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, fn: () => void, options: TimerOptions = {}): Timer {
    const { upkeep: isUpkeep = false, background = false } = options
    const waitsNoMore = isUpkeep || background ? undefined : this.armed()
    const fire = (): void => {
      waitsNoMore?.()
      fn()
    }
    const dueMs = this.#elapsedMs + Math.max(0, delayMs)
    const timer: Armed = { dueMs, order: ++this.#order, fn: fire, isUpkeep }
    if (isUpkeep) this.#upkeep.add(timer)
    else this.#stops.push(timer)
    this.note()
    const cancel = (): void => {
      waitsNoMore?.()
      if (isUpkeep) this.#upkeep.delete(timer)
      else this.#stops.remove(timer)
    }
    return { cancel }
  }

  soon(fn: () => void): void {
    const ended = this.begin()
    systemClock.soon(() => {
      ended()
      fn()
    })
  }

  /** Something goes on by itself, until what this gives is called. */
  begin(): () => void {
    this.#underWay += 1
    this.note()
    return () => {
      this.#underWay -= 1
      this.note()
    }
  }

  /** Something has happened. */
  note(): void {
    this.#activity += 1
    this.moved()
  }

  /** Whether something is due without time going on. */
  get isDue(): boolean {
    return (this.#stops.peek()?.dueMs ?? Infinity) <= this.#elapsedMs
  }

  /** Moves on to the next timer, or to `untilMs` of the monotonic time when that comes first; false when there is nothing to move to. */
  leap(untilMs = Infinity): boolean {
    const atMs = Math.min(this.#stops.peek()?.dueMs ?? Infinity, untilMs)
    if (atMs === Infinity) return false
    this.#elapsedMs = Math.max(this.#elapsedMs, atMs)
    for (const timer of this.#takeDue()) timer.fn()
    this.note()
    return true
  }

  /** All that is due, upkeep first. What is armed meanwhile has its turn later. */
  #takeDue(): Armed[] {
    const due = [...this.#upkeep].filter(({ dueMs }) => dueMs <= this.#elapsedMs)
    due.sort((left, right) => left.dueMs - right.dueMs || left.order - right.order)
    for (const timer of due) this.#upkeep.delete(timer)
    for (
      let next = this.#stops.peek();
      next !== undefined && next.dueMs <= this.#elapsedMs;
      next = this.#stops.peek()
    ) {
      this.#stops.pop()
      due.push(next)
    }
    return due
  }
}
