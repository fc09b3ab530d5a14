// What a workflow waits to be told: messages are taken in the order in which they came, by those who asked first.
import type { Duration } from '../lib/duration.ts'
import type { MessageRow } from '../store/waits.ts'
import { Lookout, type LookoutOwner } from './lookout.ts'

export interface ReceiveOptions {
  /** For ever unless told. */
  readonly timeout?: Duration
}

/** One that waits for a message of a name. */
export interface Receive {
  readonly path: string
  readonly name: string
  readonly received: (message: MessageRow) => void
}

export class Receives {
  readonly #owner: LookoutOwner
  readonly #lookout: Lookout
  readonly #waiting = new Map<string, Receive>()
  // Received, and perhaps not yet forgotten by the store.
  readonly #taken = new Set<number>()

  constructor(owner: LookoutOwner) {
    this.#owner = owner
    const isWaiting = (): boolean => this.#waiting.size > 0
    this.#lookout = new Lookout(owner, isWaiting, () => this.#see())
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
    this.#lookout.end()
  }

  /** Something may have come. */
  look(): void {
    this.#lookout.look()
  }

  async #see(): Promise<void> {
    for (const name of new Set([...this.#waiting.values()].map((receive) => receive.name))) await this.#take(name)
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
}
