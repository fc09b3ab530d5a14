// The runs on this node that listen for what others bring them: they look when another process has written.
import type { Clock } from '../../lib/clock.ts'

// They ask the store together, and not with every write of others; a thousand do so once a second.
const soonestMs = 10

export class Mailboxes {
  readonly #clock: Clock
  readonly #looks = new Set<() => void>()
  #isLookSoon = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls whenever others may have brought something, until what it returns is called. */
  open(look: () => void): () => void {
    this.#looks.add(look)
    return () => void this.#looks.delete(look)
  }

  othersWrote(): void {
    if (this.#isLookSoon || this.#looks.size === 0) return
    this.#isLookSoon = true
    const look = (): void => {
      this.#isLookSoon = false
      for (const one of this.#looks) one()
    }
    this.#clock.after(Math.max(soonestMs, this.#looks.size), look, { background: true, upkeep: true })
  }
}
