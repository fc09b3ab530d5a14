// The two lines of messages before an actor that has a priority lane, and whose turn it is.

import type { Mailbox } from './mailbox.ts'

// Invariant: an ordinary message waits for at most so many urgent ones, so neither lane starves the other.
const urgentInARow = 8

export class Lanes {
  readonly urgent: Mailbox
  /** The lane the last message came from. */
  latest: Mailbox
  readonly #ordinary: Mailbox
  #inARow = 0

  constructor(ordinary: Mailbox, urgent: Mailbox) {
    this.#ordinary = this.latest = ordinary
    this.urgent = urgent
  }

  /** The lane whose message comes next. */
  next(): Mailbox {
    const takesUrgent = this.urgent.size > 0 && (this.#inARow < urgentInARow || this.#ordinary.size === 0)
    return takesUrgent ? this.urgent : this.#ordinary
  }

  /** Counts a message that was taken out. */
  took(lane: Mailbox): void {
    this.latest = lane
    this.#inARow = lane === this.urgent ? this.#inARow + 1 : 0
  }
}
