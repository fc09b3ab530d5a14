// What a workflow waits to be told: messages are taken in the order in which they came, by those who asked first.
import type { Activation } from '../engine/activation.ts'
import type { Timer } from '../lib/clock.ts'
import { toError } from '../lib/errors.ts'
import type { MessageRow } from '../store/waits.ts'

/** One that waits for a message of a name. */
export interface Receive {
  readonly path: string
  readonly name: string
  readonly received: (message: MessageRow) => void
}

/** What it needs of the steps of the run. */
export interface ReceiveOwner {
  readonly activation: Activation
  /** The run must not be parked while it is asked what came. */
  asking(): void
  asked(): void
}

// What another process told a run that cannot park, as something of it executes, is found by then.
const lookAgainMs = 1_000

export class Receives {
  readonly #owner: ReceiveOwner
  readonly #waiting = new Map<string, Receive>()
  // Received, and perhaps not yet forgotten by the store.
  readonly #taken = new Set<number>()
  #isLooking = false
  #mustLookAgain = false
  #timer: Timer | undefined

  constructor(owner: ReceiveOwner) {
    this.#owner = owner
  }

  add(receive: Receive): void {
    this.#waiting.set(receive.path, receive)
    this.look()
  }

  /** It waits no more: its time is up. */
  remove(path: string): void {
    this.#waiting.delete(path)
  }

  clear(): void {
    this.#waiting.clear()
    this.#timer?.cancel()
  }

  /** Something may have come. */
  look(): void {
    if (this.#waiting.size === 0) return
    this.#mustLookAgain = this.#isLooking
    if (this.#isLooking) return
    this.#isLooking = true
    this.#owner.asking()
    void this.#look()
  }

  async #look(): Promise<void> {
    const { activation } = this.#owner
    try {
      for (const name of new Set([...this.#waiting.values()].map((receive) => receive.name))) await this.#take(name)
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

  async #take(name: string): Promise<void> {
    const { activation } = this.#owner
    const limit = this.#waiting.size + this.#taken.size
    const rows = await activation.deps.store.listMessages({ id: activation.claimed.id, name, limit })
    const messages = rows.filter(({ seq }) => !this.#taken.has(seq))
    for (const receive of this.#waiting.values()) {
      if (receive.name !== name) continue
      const message = messages.shift()
      if (message === undefined) return
      this.#waiting.delete(receive.path)
      this.#taken.add(message.seq)
      receive.received(message)
    }
  }

  #lookLater(): void {
    this.#timer?.cancel()
    if (this.#waiting.size === 0) return
    const { clock } = this.#owner.activation.deps
    this.#timer = clock.after(lookAgainMs, () => this.look(), { background: true })
  }
}
