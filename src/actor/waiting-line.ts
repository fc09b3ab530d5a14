// The line of those that wait for room in a full mailbox.

import { Ring } from '../lib/ring.ts'
import type { Envelope } from './envelope.ts'

export interface Waiting {
  readonly envelope: Envelope
  /** Tells a sender that the message is in, or why it never will be. */
  readonly settle: ((refusal: Error | undefined) => void) | undefined
}

const firstSweep = 64

export class WaitingLine {
  readonly #line = new Ring<Waiting>()
  #sweepAt = firstSweep

  /** Adds one; `gaveUp` takes the asks that were found to wait no more. */
  push(waiting: Waiting, gaveUp: (envelope: Envelope) => void): void {
    if (this.#line.size >= this.#sweepAt) this.#sweep(gaveUp)
    this.#line.push(waiting)
  }

  shift(): Waiting | undefined {
    return this.#line.shift()
  }

  // Asks that gave up would pile up before an actor that is stuck; each doubling of the line clears them.
  #sweep(gaveUp: (envelope: Envelope) => void): void {
    for (let left = this.#line.size; left > 0; left--) {
      const next = this.#line.shift() as Waiting
      if (next.envelope.ask?.isSettled === true) gaveUp(next.envelope)
      else this.#line.push(next)
    }
    this.#sweepAt = Math.max(firstSweep, this.#line.size * 2)
  }
}
