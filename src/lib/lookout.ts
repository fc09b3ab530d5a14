// Looking for something that may be there: whenever somebody says so, once at a time, and now and then though nobody does.
import type { Clock, Timer } from './clock.ts'

export interface LookoutOptions {
  readonly clock: Clock
  /** Whether there is anything to look for; while there is not, nothing happens. */
  readonly isNeeded: () => boolean
  /** Never rejects. */
  readonly look: () => Promise<void>
  /** Looks again so long after the last look, as hints may be lost. */
  readonly backstopMs: number
  /** Whether the process may end although there is something to look for. */
  readonly background: boolean
  /** It has looked and nobody asks for more. */
  readonly rested?: () => void
}

export class Lookout {
  readonly #options: LookoutOptions
  #isAsked = false
  #isLooking = false
  #underWay = Promise.resolve()
  #timer: Timer | undefined

  constructor(options: LookoutOptions) {
    this.#options = options
  }

  get isLooking(): boolean {
    return this.#isLooking
  }

  /** Resolves once it is not looking. */
  get rested(): Promise<void> {
    return this.#underWay
  }

  /** Looks now, or once more when it is looking. */
  look(): void {
    if (!this.#options.isNeeded()) return
    this.#isAsked = true
    if (this.#isLooking) return
    this.#isLooking = true
    this.#underWay = this.#lookWhileAsked()
  }

  /** Looks no more by itself. */
  end(): void {
    this.#timer?.cancel()
  }

  async #lookWhileAsked(): Promise<void> {
    const { clock, isNeeded, look, backstopMs, background, rested } = this.#options
    this.#timer?.cancel()
    while (this.#isAsked && isNeeded()) {
      this.#isAsked = false
      await look()
    }
    this.#isAsked = false
    this.#isLooking = false
    if (isNeeded()) this.#timer = clock.after(backstopMs, () => this.look(), { background, upkeep: true })
    rested?.()
  }
}
