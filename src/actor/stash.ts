// Messages that an actor put aside, to be handled later in the order they came.

import type { Envelope } from './envelope.ts'
import type { Mailbox } from './mailbox.ts'

interface Stashed {
  readonly envelope: Envelope
  readonly lane: Mailbox
}

export class Stash {
  #stashed: Stashed[] = []

  get size(): number {
    return this.#stashed.length
  }

  add(envelope: Envelope, lane: Mailbox): void {
    this.#stashed.push({ envelope, lane })
  }

  /** Puts all back, each at the head of the lane it came from, the oldest first in line. */
  empty(): void {
    const stashed = this.#stashed
    this.#stashed = []
    for (let next = stashed.pop(); next !== undefined; next = stashed.pop()) next.lane.unshift(next.envelope)
  }
}
