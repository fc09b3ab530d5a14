// Who is restarted when an actor fails, in which order, and when not any more.

import type { Clock, Timer } from '../lib/clock.ts'
import { deferred } from '../lib/deferred.ts'
import type { Cell } from './cell.ts'
import type { Siblings } from './core.ts'
import type { StopReason } from './handle.ts'
import { restarting } from './life-state.ts'
import type { RestartBudget } from './restart-budget.ts'

/**
 * - `permanent`: restarted whenever it ends by itself, also by `ctx.stop()`;
 * - `transient`: restarted when it fails;
 * - `temporary`: never restarted.
 */
export type RestartPolicy = 'permanent' | 'transient' | 'temporary'

/**
 * Who is restarted with an actor that failed: nobody else, all its siblings, or those that were started after it.
 * A temporary sibling is killed instead.
 */
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one'

export interface Rebirth {
  readonly policy: 'permanent' | 'transient'
  readonly budget: RestartBudget
}

interface Pause {
  readonly timer: Timer
  readonly end: () => void
}

/** Restarts the children of one parent. */
export class Supervision {
  readonly #clock: Clock
  readonly #children: Siblings
  readonly #strategy: Strategy
  readonly #pauses = new Map<Cell, Pause>()
  // Invariant: a group is restarted as a whole before the next failure in it is looked at.
  readonly #left: Cell[] = []
  #isRestartingGroup = false

  constructor(clock: Clock, children: Siblings, strategy: Strategy) {
    this.#clock = clock
    this.#children = children
    this.#strategy = strategy
  }

  /** Restarts a child that failed or left, as far as its budget goes; else the child ends and its parent fails. */
  childLeft(cell: Cell, reason: StopReason): void {
    const retired = cell.life.retire(reason)
    if (this.#strategy === 'one-for-one') void retired.then(() => this.#restart(cell, [cell]))
    else void retired.then(() => this.#restartGroupOf(cell))
  }

  /** Ends the wait before a restart. */
  hurry(cell: Cell): void {
    this.#pauses.get(cell)?.end()
  }

  async #restartGroupOf(cell: Cell): Promise<void> {
    this.#left.push(cell)
    if (this.#isRestartingGroup) return
    this.#isRestartingGroup = true
    for (let next = this.#left.shift(); next !== undefined; next = this.#left.shift()) {
      await this.#restart(next, this.#groupOf(next))
    }
    this.#isRestartingGroup = false
  }

  /** Takes leave of the group, youngest first, and makes it anew, oldest first. */
  async #restart(failed: Cell, group: readonly Cell[]): Promise<void> {
    const waitMs = failed.life.rebirth?.budget.take(this.#clock.monotonic())
    if (waitMs === undefined) return failed.life.giveUp()
    for (const cell of group.toReversed()) {
      if (cell.life.rebirth === undefined) cell.life.kill()
      else await cell.life.retire('restarted')
    }
    if (waitMs > 0) await this.#pause(failed, waitMs)
    for (const cell of group) {
      await cell.life.revive()
      // It failed again, and its own restart takes along those that come after it.
      if (cell.state === restarting) return
    }
  }

  #groupOf(failed: Cell): Cell[] {
    const group: Cell[] = []
    for (let cell = this.#children.last; cell !== undefined; cell = cell.older) {
      group.unshift(cell)
      if (this.#strategy === 'rest-for-one' && cell === failed) break
    }
    return group
  }

  #pause(cell: Cell, waitMs: number): Promise<void> {
    const over = deferred<void>()
    const end = (): void => {
      this.#pauses.get(cell)?.timer.cancel()
      this.#pauses.delete(cell)
      over.resolve()
    }
    this.#pauses.set(cell, { timer: this.#clock.after(waitMs, end), end })
    return over.promise
  }
}
