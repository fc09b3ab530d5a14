// The two lines of messages before an actor that has a priority lane, and whose turn it is.

import type { Mailbox } from './mailbox.ts'
import type { Overlap } from './overlap.ts'

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

  /** The lane whose message comes next; the other one while that message waits for others of its own kind. */
  next(overlap: Overlap | undefined): Mailbox {
    const takesUrgent = this.urgent.size > 0 && (this.#inARow < urgentInARow || this.#ordinary.size === 0)
    const [first, second] = takesUrgent ? [this.urgent, this.#ordinary] : [this.#ordinary, this.urgent]
    const envelope = first.peek()
    return envelope !== undefined && overlap?.isFull(envelope.name) === true ? second : first
  }

  /** Counts a message that was taken out. */
  took(lane: Mailbox): void {
    this.latest = lane
    this.#inARow = lane === this.urgent ? this.#inARow + 1 : 0
  }
}
