// What a run waits for while nothing of it executes, each until its time: sleeps, pauses between attempts, and what is to come from outside.
import type { Clock, Timer } from '../../lib/clock.ts'
import { Heap } from '../../lib/heap.ts'
import type { WaitKind, WaitRecord } from '../../store/waits.ts'

// What is recorded of a sleep: that it is over.
export const nothing = 'u'

/** A run whose next wait ends within this stays in memory and needs no replay. */
export const residentMs = 5_000

interface Waiting {
  readonly record: WaitRecord
  readonly due: () => void
  /** Of what is due at the same time, the first comes first. */
  readonly order: number
}

// So many that are waited for no more are left among the times, beside as many as are.
const mostStale = 64

export class Waits {
  readonly #clock: Clock
  readonly #now: () => number
  // What a former activation parked with: its times hold, whatever the code says now.
  readonly #remembered = new Map<string, WaitRecord>()
  // Of these the ones that the code has not asked for.
  readonly #unseen: Set<string>
  readonly #waiting = new Map<string, Waiting>()
  // Those that have a time, the earliest first; and some that are waited for no more.
  #times = newTimes()
  readonly #kinds = new Map<WaitKind, number>()
  #added = 0
  #timer: { readonly at: number; readonly timer: Timer } | undefined

  constructor(clock: Clock, now: () => number, remembered: readonly WaitRecord[]) {
    this.#clock = clock
    this.#now = now
    // What it can be asked, and has not answered, is nothing that its code comes to.
    for (const wait of remembered)
      if (wait.kind !== 'ask' && wait.kind !== 'answer') this.#remembered.set(wait.path, wait)
    this.#unseen = new Set(this.#remembered.keys())
  }

  get size(): number {
    return this.#waiting.size
  }

  /** How many there ever were. */
  get addedCount(): number {
    return this.#added
  }

  get earliest(): number {
    const first = this.#first()
    return first === undefined ? Infinity : dueOf(first)
  }

  get records(): WaitRecord[] {
    return Array.from(this.#waiting.values(), ({ record }) => record)
  }

  /** What a former activation waited for and this one has not come to. */
  get unasked(): WaitRecord[] {
    return [...this.#remembered.values()]
  }

  get unaskedCount(): number {
    return this.#remembered.size
  }

  /** The code asks for something at this path; what a former activation waited for there, the first time. */
  see(path: string): WaitRecord | undefined {
    return this.#unseen.delete(path) ? this.#remembered.get(path) : undefined
  }

  get unseenCount(): number {
    return this.#unseen.size
  }

  /** What a former activation waited for and the code has not asked for. */
  get unseen(): WaitRecord[] {
    return this.unasked.filter(({ path }) => this.#unseen.has(path))
  }

  /** The wait of a former activation, once. */
  remembered(path: string): WaitRecord | undefined {
    const record = this.#remembered.get(path)
    this.#remembered.delete(path)
    this.#unseen.delete(path)
    return record
  }

  /** Calls `due` when the time of the wait has come; what is due at once comes in order of its time. */
  add(record: WaitRecord, due: () => void): void {
    const waiting = { record, due, order: ++this.#added }
    this.#waiting.set(record.path, waiting)
    this.#count(record.kind, 1)
    if (record.dueAt === null) return
    this.#times.push(waiting)
    this.#arm(dueOf(waiting))
  }

  /** Whether one of them is of this kind. */
  has(kind: WaitKind): boolean {
    return (this.#kinds.get(kind) ?? 0) > 0
  }

  isWaiting(path: string): boolean {
    return this.#waiting.has(path)
  }

  /** What was waited for is there. */
  remove(path: string): void {
    const waiting = this.#waiting.get(path)
    if (waiting === undefined) return
    this.#waiting.delete(path)
    this.#count(waiting.record.kind, -1)
    if (this.#times.size > 2 * this.#waiting.size + mostStale) this.#tidy()
  }

  /** Nobody waits for these any more. */
  removeWithin(scope: string): void {
    for (const path of this.#waiting.keys()) if (path.startsWith(`${scope}/`)) this.remove(path)
  }

  clear(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
    this.#waiting.clear()
    this.#kinds.clear()
    this.#times = newTimes()
  }

  #arm(at: number): void {
    if (at === Infinity || (this.#timer !== undefined && this.#timer.at <= at)) return
    this.#timer?.timer.cancel()
    const delayMs = Math.max(0, at - this.#now())
    this.#timer = { at, timer: this.#clock.after(delayMs, () => this.#ring()) }
  }

  #ring(): void {
    this.#timer = undefined
    const now = this.#now()
    const due: Waiting[] = []
    for (let first = this.#first(); first !== undefined && dueOf(first) <= now; first = this.#first()) {
      due.push(first)
      this.#times.pop()
      this.remove(first.record.path)
    }
    for (const waiting of due) waiting.due()
    if (this.#waiting.size > 0) this.#arm(this.earliest)
  }

  /** The one whose time comes first. */
  #first(): Waiting | undefined {
    for (let first = this.#times.peek(); first !== undefined; first = this.#times.peek()) {
      if (this.#waiting.get(first.record.path) === first) return first
      this.#times.pop()
    }
    return undefined
  }

  #tidy(): void {
    this.#times = newTimes()
    for (const waiting of this.#waiting.values()) if (waiting.record.dueAt !== null) this.#times.push(waiting)
  }

  #count(kind: WaitKind, more: number): void {
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + more)
  }
}

function newTimes(): Heap<Waiting> {
  return new Heap((left, right) => dueOf(left) - dueOf(right) || left.order - right.order)
}

function dueOf({ record }: Waiting): number {
  return record.dueAt ?? Infinity
}
