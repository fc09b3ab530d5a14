// Who is restarted when an actor fails, in which order, and when not any more.

import type { Clock, Timer } from '../lib/clock.ts'
import { deferred } from '../lib/deferred.ts'
import type { Cell } from './cell.ts'
import type { StopReason } from './handle.ts'
import { restarting } from './life-state.ts'
import type { RestartBudget } from './restart-budget.ts'
import type { Siblings } from './siblings.ts'

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
  /** How often it was restarted. */
  count: number
}

interface Pause {
  readonly group: readonly Cell[]
  readonly timer: Timer
  readonly end: () => void
}

/** Restarts the children of one parent. */
export class Supervision {
  strategy: Strategy = 'one-for-one'
  readonly #clock: Clock
  readonly #children: Siblings
  readonly #pauses = new Map<Cell, Pause>()
  // Invariant: a group is restarted as a whole before the next that left it is looked at.
  readonly #left: Cell[] = []
  #isRestartingGroup = false

  constructor(clock: Clock, children: Siblings) {
    this.#clock = clock
    this.#children = children
  }

  /** Restarts a child that failed or left, as far as its budget goes; else the child ends and its parent fails. */
  childLeft(cell: Cell, reason: StopReason): void {
    void cell.life.retire(reason)
    if (this.strategy === 'one-for-one') {
      void this.#restart(cell)
      return
    }
    this.#left.push(cell)
    if (!this.#isRestartingGroup) void this.#restartGroups()
  }

  /** Ends the wait before a restart that takes the actor along. */
  hurry(cell: Cell): void {
    for (const { group, end } of this.#pauses.values()) if (group.includes(cell)) end()
  }

  async #restartGroups(): Promise<void> {
    this.#isRestartingGroup = true
    for (let cell = this.#left.shift(); cell !== undefined; cell = this.#left.shift()) {
      await this.#restart(cell)
    }
    this.#isRestartingGroup = false
  }

  /** Takes leave of its group, youngest first, and makes it anew, oldest first. */
  async #restart(failed: Cell): Promise<void> {
    // Otherwise it has come back with another one already.
    if (failed.state !== restarting) return
    await failed.life.retire('restarted')
    // Otherwise it was killed while it took leave.
    if (failed.state !== restarting) return
    const group = this.#groupOf(failed)
    const waitMs = failed.life.rebirth?.budget.take(this.#clock.monotonic())
    if (waitMs === undefined) return giveUp(failed, group)
    for (const cell of group.toReversed()) {
      if (cell.life.rebirth === undefined) cell.life.kill()
      else await cell.life.retire('restarted')
    }
    if (waitMs > 0 && !group.some((cell) => cell.life.isClosing)) await this.#pause(failed, group, waitMs)
    for (const cell of group) {
      await cell.life.revive()
      // It failed again, and its own restart takes along those that come after it.
      if (cell.state === restarting) return
    }
  }

  /** Oldest first. */
  #groupOf(failed: Cell): readonly Cell[] {
    if (this.strategy === 'one-for-one') return [failed]
    const group: Cell[] = []
    for (let cell = this.#children.last; cell !== undefined; cell = cell.older) {
      group.push(cell)
      if (this.strategy === 'rest-for-one' && cell === failed) break
    }
    return group.reverse()
  }

  #pause(failed: Cell, group: readonly Cell[], waitMs: number): Promise<void> {
    if (failed.state !== restarting) return Promise.resolve()
    const over = deferred<void>()
    const end = (): void => {
      this.#pauses.get(failed)?.timer.cancel()
      this.#pauses.delete(failed)
      over.resolve()
    }
    this.#pauses.set(failed, { group, timer: this.#clock.after(waitMs, end), end })
    return over.promise
  }
}

/** A parent that is ending does not fail any more, so those that were to come back with the actor are ended here. */
function giveUp(failed: Cell, group: readonly Cell[]): void {
  failed.life.giveUp()
  for (const cell of group) if (cell.state === restarting) cell.life.kill()
}
