// All that is under way on a node: its runs, those that are not durable, and what waits for limiters. It comes to rest, is cancelled, or is given up together.
import type { Clock } from '../lib/clock.ts'
import type { ActiveRuns } from './activation/active-runs.ts'
import type { Loss } from './activation/ending.ts'
import type { LocalRuns } from './activation/local-runs.ts'
import { isDoneWithin } from './in-time.ts'
import type { Slots } from './limits/slots.ts'

export interface UnderWayParts {
  readonly clock: Clock
  readonly active: ActiveRuns
  readonly local: LocalRuns
  readonly slots: Slots
}

/** Both of the monotonic clock. */
export interface RestTimes {
  /** Until when it may finish. */
  readonly restBy: number
  /** Until when what is given back may still write. */
  readonly overBy: number
}

export class UnderWay {
  readonly #parts: UnderWayParts
  #shutdown: string | undefined

  constructor(parts: UnderWayParts) {
    this.#parts = parts
  }

  /** Of its runs, durable or not. */
  ids(): string[] {
    return [...this.#parts.active.ids(), ...this.#parts.local.running()]
  }

  /** Also what still comes until all has come to rest. */
  cancelAll(reason: string): void {
    this.#shutdown = reason
    for (const activation of this.#parts.active.all()) activation.cancel(reason)
    this.#parts.local.cancelAll(reason)
  }

  /** Others may go on with it, or already do. */
  giveUp(how: Loss): void {
    this.#parts.active.loseAll(how)
    this.#parts.slots.inDoubt()
  }

  /** drain → wait → release → wait → give up */
  async comeToRest(times: RestTimes): Promise<void> {
    const { clock, active, local, slots } = this.#parts
    if (this.#shutdown !== undefined) this.cancelAll(this.#shutdown)
    for (const activation of active.all()) activation.drain()
    const isOver = Promise.all([local.close(), slots.close()])
    const areDoneBy = async (at: number): Promise<boolean> => {
      const withinMs = at - clock.monotonic()
      const ends = [active.whenEmpty(), isOver].map((end) => isDoneWithin(clock, withinMs, end))
      return (await Promise.all(ends)).every(Boolean)
    }
    if (await areDoneBy(times.restBy)) return
    for (const activation of active.all()) activation.release()
    local.release()
    slots.release()
    await areDoneBy(times.overBy)
    local.giveUp()
  }
}
