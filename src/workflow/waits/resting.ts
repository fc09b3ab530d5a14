// When a workflow rests: nothing of it is under way, so it waits in memory, is parked, or is given back by a node that stops.
import type { Activation } from '../../engine/activation/activation.ts'
import type { Timer } from '../../lib/clock.ts'
import type { WaitRecord } from '../../store/waits.ts'
import { KeptWaits } from './kept-waits.ts'
import { residentMs, type Waits } from './waits.ts'

// Measured: going on from so many remembered results and waits takes about a millisecond; a run with more stays in memory when it waits to be told something.
const shortHistory = 200
// One that has slots of its own looks so often whether others wait for them.
const lookAtLinesMs = 250

export interface RestingOptions {
  readonly waits: Waits
  /** Results are there that the code has not been given, or something is to go on at once elsewhere. */
  readonly hasMore: () => boolean
  /** How many results and waits it would begin with again, were it parked. */
  readonly history: () => number
  /** The run is about to be parked. */
  readonly parking: () => void
  /** It waits, and is not parked. */
  readonly staying: () => void
  /** What it answers while it waits. */
  readonly answers: () => readonly WaitRecord[]
}

export class Resting {
  readonly #activation: Activation
  readonly #options: RestingOptions
  // Steps between the end of their function and their commit, or between an attempt and its pause.
  #underWay = 0
  #isDraining = false
  // Draining, the code asked for something new: it waits for the next activation.
  #hasRefused = false
  #isCheckDue = false
  // When something last came that it waited for.
  #heardAt: number
  #check: Timer | undefined
  #kept: KeptWaits | undefined
  #isAsking = false
  // Somebody waits for a slot that the run has.
  #isHoldingUp = false

  constructor(activation: Activation, options: RestingOptions) {
    this.#activation = activation
    this.#options = options
    this.#heardAt = activation.deps.clock.monotonic()
  }

  begin(): void {
    this.#underWay += 1
  }

  end(): void {
    this.#underWay -= 1
  }

  /** Nothing of this path executes until the time has come; the run may be parked meanwhile. */
  wait(wait: WaitRecord, due: () => void): void {
    this.#heard()
    this.#options.waits.add(wait, () => {
      this.begin()
      due()
    })
    this.soon()
  }

  /** What was waited for is there before its time was up, and is under way now. */
  came(path: string): void {
    this.#heard()
    this.#options.waits.remove(path)
    this.begin()
  }

  drain(): void {
    this.#isDraining = true
    this.soon()
  }

  /** Whether nothing new is begun, which then keeps the run from waiting when it is given back. */
  isRefusing(): boolean {
    this.#hasRefused ||= this.#isDraining
    return this.#isDraining
  }

  over(): void {
    this.#check?.cancel()
    this.#kept?.over()
  }

  /** Looks, once user code has had its turn, whether nothing is left to do but wait. */
  soon(): void {
    if (this.#isCheckDue) return
    this.#isCheckDue = true
    this.#activation.deps.clock.soon(() => {
      this.#isCheckDue = false
      this.#rest()
    })
  }

  /** More of what has come may follow. */
  #heard(): void {
    this.#heardAt = this.#activation.deps.clock.monotonic()
  }

  #rest(): void {
    if (this.#activation.isOver) return
    if (this.#underWay === 0) this.#comeToRest()
    if (this.#activation.isOver || this.#options.waits.size === 0) return
    this.#keep()
    this.#options.staying()
  }

  #comeToRest(): void {
    if (this.#isDraining) return this.#giveBack()
    const { waits, hasMore } = this.#options
    if (waits.size === 0 || hasMore()) return
    const { store, clock, parksAtOnce = false } = this.#activation.deps
    const untilMs = waits.earliest - store.now()
    if (untilMs <= 0) return
    // What is told is heard by the store first.
    const isLong = !parksAtOnce && this.#options.history() + waits.size > shortHistory
    if (waits.has('completion') || (waits.has('message') && !isLong)) return this.#park(waits.records)
    const idleMs = clock.monotonic() - this.#heardAt
    const isResident = waits.has('run') || waits.has('limiter') || waits.has('message')
    const isNeeded = this.#isHoldingUp || this.#activation.around.isFull()
    if (isResident && idleMs < residentMs && !isNeeded) return this.#stay(residentMs - idleMs)
    if (untilMs > residentMs) this.#park(waits.records)
  }

  /** What it waits for lasts, though it is not parked. */
  #keep(): void {
    this.#kept ??= new KeptWaits(this.#activation, { waits: this.#options.waits, isBusy: () => this.#underWay > 0 })
    this.#kept.soon()
  }

  /** The next activation goes on at once, or when the waits of this one are over: their times hold. */
  #giveBack(): void {
    const { waits, hasMore } = this.#options
    if (waits.size === 0) return this.#activation.release()
    const at = this.#hasRefused || hasMore() ? this.#activation.deps.store.now() : undefined
    this.#park([...waits.records, ...waits.unasked], at)
  }

  #park(records: readonly WaitRecord[], at?: number): void {
    this.#options.parking()
    this.#activation.park([...records, ...this.#options.answers()], at)
  }

  /** Waits in memory. Whoever waits for a slot that the run has meanwhile, as what it started itself, does not wait for that. */
  #stay(delayMs: number): void {
    if (this.#activation.definition.settings.limits.length === 0) return this.#restIn(delayMs)
    this.#restIn(Math.min(delayMs, lookAtLinesMs))
    void this.#askWhoWaits()
  }

  async #askWhoWaits(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    const { deps, held } = this.#activation
    // What the store does not tell, time does.
    this.#isHoldingUp = await deps.store.isHoldingUp(held.runId).catch(() => false)
    this.#isAsking = false
    if (this.#isHoldingUp) this.#rest()
    this.#isHoldingUp = false
  }

  #restIn(delayMs: number): void {
    this.#check?.cancel()
    this.#check = this.#activation.deps.clock.after(delayMs, () => this.#rest(), { background: true })
  }
}
