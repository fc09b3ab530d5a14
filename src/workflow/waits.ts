// What a run waits for while nothing of it executes, each until its time: sleeps, pauses between attempts, and what is to come from outside.
import type { Clock, Timer } from '../lib/clock.ts'
import type { WaitKind, WaitRecord } from '../store/waits.ts'

interface Waiting {
  readonly record: WaitRecord
  readonly due: () => void
}

export class Waits {
  readonly #clock: Clock
  readonly #now: () => number
  // What a former activation parked with: its times hold, whatever the code says now.
  readonly #remembered: Map<string, WaitRecord>
  // Of these the ones that the code has not asked for.
  readonly #unseen: Set<string>
  readonly #waiting = new Map<string, Waiting>()
  #timer: { readonly at: number; readonly timer: Timer } | undefined

  constructor(clock: Clock, now: () => number, remembered: readonly WaitRecord[]) {
    this.#clock = clock
    this.#now = now
    this.#remembered = new Map(remembered.map((wait) => [wait.path, wait]))
    this.#unseen = new Set(this.#remembered.keys())
  }

  get size(): number {
    return this.#waiting.size
  }

  get earliest(): number {
    let earliest = Infinity
    for (const { record } of this.#waiting.values()) earliest = Math.min(earliest, dueOf(record))
    return earliest
  }

  get records(): WaitRecord[] {
    return [...this.#waiting.values()].map(({ record }) => record)
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
    this.#waiting.set(record.path, { record, due })
    this.#arm(dueOf(record))
  }

  /** Whether one of them is of this kind. */
  has(kind: WaitKind): boolean {
    for (const { record } of this.#waiting.values()) if (record.kind === kind) return true
    return false
  }

  /** What was waited for is there; false when nobody waited. */
  remove(path: string): boolean {
    return this.#waiting.delete(path)
  }

  /** Nobody waits for these any more. */
  removeWithin(scope: string): void {
    for (const path of this.#waiting.keys()) if (path.startsWith(scope)) this.#waiting.delete(path)
  }

  clear(): void {
    this.#timer?.timer.cancel()
    this.#timer = undefined
    this.#waiting.clear()
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
    const due = [...this.#waiting.values()].filter(({ record }) => dueOf(record) <= now)
    due.sort((left, right) => dueOf(left.record) - dueOf(right.record))
    for (const { record } of due) this.#waiting.delete(record.path)
    for (const waiting of due) waiting.due()
    if (this.#waiting.size > 0) this.#arm(this.earliest)
  }
}

function dueOf({ dueAt }: WaitRecord): number {
  return dueAt ?? Infinity
}
