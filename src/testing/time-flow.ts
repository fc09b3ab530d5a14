// Lets virtual time pass when nothing else goes on, and says so when nothing ever will.

import { systemClock } from '../lib/clock.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface TimeFlowOptions {
  readonly clock: VirtualClock
  /** In real time: how long time stands still for code that waits for something outside of the engine. */
  readonly patienceMs: number
  /** Somebody waits for what is to come. */
  readonly isAwaited: () => boolean
  /** Code is being executed that does not wait for the clock. */
  readonly isBusyOutside: () => boolean
  /** Nothing goes on: true when this has set something going. */
  readonly atRest: () => boolean | Promise<boolean>
  /** Somebody waits, and nothing is left that could ever happen; tells who waits. `leaps` is how often time was moved in vain. */
  readonly stuck: (leaps: number) => Promise<void>
}

interface Goal {
  readonly atMs: number
  readonly reached: Deferred<void>
}

// So many turns of the event loop in which nothing happens mean that nothing will.
const quietTurns = 4
// What hints should have told is found by then.
const upkeepMs = 5_000
// Somebody who waits for ever while others go on is told.
const mostLeaps = 100_000

export class TimeFlow {
  readonly #options: TimeFlowOptions
  readonly #goals: Goal[] = []
  #isFlowing = false
  #isClosed = false
  #leaps = 0
  #leapsInVain = 0

  constructor(options: TimeFlowOptions) {
    this.#options = options
    options.clock.moved = () => this.#flow()
  }

  /** Lets so much time pass, with all that happens in it. */
  async advance(ms: number): Promise<void> {
    if (this.#isClosed) return
    const goal = { atMs: this.#options.clock.monotonic() + ms, reached: deferred<void>() }
    this.#goals.push(goal)
    this.#flow()
    await goal.reached.promise
  }

  /** Resolves when nothing goes on and time would have to pass. */
  settle(): Promise<void> {
    return this.advance(0)
  }

  close(): void {
    this.#isClosed = true
    this.#options.clock.moved = () => {}
    for (const { reached } of this.#goals.splice(0)) reached.resolve()
  }

  #flow(): void {
    if (this.#isFlowing || this.#isClosed) return
    this.#isFlowing = true
    void this.#goOn()
  }

  /** settle → let others act → move time */
  async #goOn(): Promise<void> {
    const { atRest, clock } = this.#options
    let seen = -1
    for (let goesOn = true; goesOn && !this.#isClosed;) {
      await this.#quiet()
      seen = clock.activity
      goesOn = !this.#isClosed && ((await atRest()) || (await this.#move()))
    }
    this.#isFlowing = false
    // Race: something may have begun after time had no more reason to go on.
    if (clock.activity !== seen) this.#flow()
  }

  /** False when time has no reason to go on. */
  async #move(): Promise<boolean> {
    const { clock, isAwaited } = this.#options
    if (clock.isDue) return clock.leap()
    const goal = this.#nextGoal()
    if (goal !== undefined) return clock.leap(goal)
    if (!isAwaited()) {
      this.#leaps = this.#leapsInVain = 0
      return false
    }
    if (this.#leaps < mostLeaps && clock.leap()) {
      this.#leaps += 1
      this.#leapsInVain = 0
      return true
    }
    return this.#lookAgain()
  }

  /** Nothing is left to wait for: whether something was missed, and then who waits is told. */
  async #lookAgain(): Promise<boolean> {
    const { clock, stuck, patienceMs } = this.#options
    this.#leapsInVain += 1
    if (this.#leapsInVain === 1 && this.#leaps < mostLeaps) return clock.leap(clock.monotonic() + upkeepMs)
    const { activity } = clock
    await this.#waitOutside(patienceMs, () => clock.activity === activity)
    if (clock.activity !== activity) return true
    await stuck(this.#leaps >= mostLeaps ? this.#leaps : 0)
    this.#leaps = this.#leapsInVain = 0
    return false
  }

  /** Until when time is to be moved; those who wait for less are told. */
  #nextGoal(): number | undefined {
    const nowMs = this.#options.clock.monotonic()
    this.#goals.sort((left, right) => left.atMs - right.atMs)
    while (this.#goals[0] !== undefined && this.#goals[0].atMs <= nowMs) this.#goals.shift()?.reached.resolve()
    return this.#goals[0]?.atMs
  }

  /** Resolves when nothing happens any more by itself. */
  async #quiet(): Promise<void> {
    const { clock, isBusyOutside, patienceMs } = this.#options
    for (let quiet = 0, seen = -1; quiet < quietTurns;) {
      await new Promise<void>((resolve) => systemClock.soon(resolve))
      quiet = clock.activity === seen && !clock.isBusy ? quiet + 1 : 0
      seen = clock.activity
      if (quiet < quietTurns || !isBusyOutside()) continue
      await this.#waitOutside(patienceMs, () => clock.activity === seen && isBusyOutside())
      quiet = clock.activity === seen ? quiet : 0
    }
  }

  /** Real time, as long as it goes on, and at most so much. */
  async #waitOutside(mostMs: number, goesOn: () => boolean): Promise<void> {
    const untilMs = systemClock.monotonic() + mostMs
    while (!this.#isClosed && goesOn() && systemClock.monotonic() < untilMs)
      await new Promise<void>((resolve) => void systemClock.after(1, resolve))
  }
}
