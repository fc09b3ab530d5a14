// Messages that an actor put aside, to be handled later in the order they came.

import type { Envelope } from './envelope.ts'
import type { Mailbox } from './mailbox.ts'

export class Stash {
  #stashed: Envelope[] = []

  get size(): number {
    return this.#stashed.length
  }

  add(envelope: Envelope): void {
    this.#stashed.push(envelope)
  }

  /** Puts all back at the head of the mailbox, the oldest first in line. */
  emptyInto(mailbox: Mailbox): void {
    const stashed = this.#stashed
    this.#stashed = []
    for (let next = stashed.pop(); next !== undefined; next = stashed.pop()) mailbox.unshift(next)
  }
}
