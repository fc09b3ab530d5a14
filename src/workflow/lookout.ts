// Looking in the store for what a workflow waits for: when that begins, when there may be something, and every second.
import type { Activation } from '../engine/activation.ts'
import type { Timer } from '../lib/clock.ts'
import { toError } from '../lib/errors.ts'

/** What it needs of the steps of the run. */
export interface LookoutOwner {
  readonly activation: Activation
  /** The run must not be parked while the store is asked. */
  asking(): void
  asked(): void
}

// What another process brought to a run that cannot park, as something of it executes, is found by then.
const lookAgainMs = 1_000

export class Lookout {
  readonly #owner: LookoutOwner
  readonly #isWaiting: () => boolean
  readonly #see: () => Promise<void>
  #isLooking = false
  #mustLookAgain = false
  #timer: Timer | undefined

  constructor(owner: LookoutOwner, isWaiting: () => boolean, see: () => Promise<void>) {
    this.#owner = owner
    this.#isWaiting = isWaiting
    this.#see = see
  }

  look(): void {
    if (!this.#isWaiting()) return
    this.#mustLookAgain = this.#isLooking
    if (this.#isLooking) return
    this.#isLooking = true
    this.#owner.asking()
    void this.#look()
  }

  end(): void {
    this.#timer?.cancel()
  }

  async #look(): Promise<void> {
    const { activation } = this.#owner
    try {
      await this.#see()
    } catch (error) {
      if (!activation.isOver) activation.writeFailed(toError(error))
    }
    this.#isLooking = false
    if (!activation.isOver) {
      if (this.#mustLookAgain) this.look()
      this.#lookLater()
    }
    this.#owner.asked()
  }

  #lookLater(): void {
    this.#timer?.cancel()
    if (!this.#isWaiting()) return
    const { clock } = this.#owner.activation.deps
    this.#timer = clock.after(lookAgainMs, () => this.look(), { background: true, upkeep: true })
  }
}
