// Who on this node waits for the end of which run: told when it ends here, and to look when others have written.
import type { Clock } from '../lib/clock.ts'
import type { FinishedRun } from '../store/store.ts'

type Told = (finished: FinishedRun) => void

// Those who wait ask the store together, and not with every write of others.
const lookAfterMs = 25

export class Ends {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<Told>>()
  readonly #lookouts = new Set<() => void>()
  #isLookSoon = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(id: string): boolean {
    return this.#waiting.has(id)
  }

  /** Calls whenever others may have ended a run, until what it returns is called. */
  lookOut(look: () => void): () => void {
    this.#lookouts.add(look)
    return () => void this.#lookouts.delete(look)
  }

  /** Calls when the run ends here, unless what it returns was called before. */
  listen(id: string, told: Told): () => void {
    const others = this.#waiting.get(id)
    if (others === undefined) this.#waiting.set(id, new Set([told]))
    else others.add(told)
    return () => this.#forget(id, told)
  }

  tell(id: string, finished: FinishedRun): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    for (const told of waiting) told(finished)
  }

  othersWrote(): void {
    if (this.#isLookSoon || this.#lookouts.size === 0) return
    this.#isLookSoon = true
    const look = (): void => {
      this.#isLookSoon = false
      for (const one of this.#lookouts) one()
    }
    this.#clock.after(lookAfterMs, look, { background: true })
  }

  #forget(id: string, told: Told): void {
    const waiting = this.#waiting.get(id)
    waiting?.delete(told)
    if (waiting?.size === 0) this.#waiting.delete(id)
  }
}
