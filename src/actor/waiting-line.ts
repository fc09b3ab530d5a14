// The line of those that wait for room in a full mailbox.

import { Ring } from '../lib/ring.ts'
import type { Envelope } from './envelope.ts'
import type { Pending } from './pending.ts'

export interface Waiting {
  readonly envelope: Envelope
  /** Settles when the message is in, or never will be; an ask waits for its answer instead. */
  readonly entry: Pending | undefined
}

const firstSweep = 64

export class WaitingLine {
  readonly #line = new Ring<Waiting>()
  #sweepAt = firstSweep

  /** Adds one, and returns the asks that were found to wait no more. */
  push(waiting: Waiting): readonly Envelope[] {
    const gone = this.#line.size < this.#sweepAt ? [] : this.#sweep()
    this.#line.push(waiting)
    return gone
  }

  shift(): Waiting | undefined {
    return this.#line.shift()
  }

  // Asks that gave up would pile up before an actor that is stuck; each doubling of the line clears them.
  #sweep(): readonly Envelope[] {
    const gone: Envelope[] = []
    for (let left = this.#line.size; left > 0; left--) {
      const next = this.#line.shift() as Waiting
      if (next.envelope.ask?.isSettled === true) gone.push(next.envelope)
      else this.#line.push(next)
    }
    this.#sweepAt = Math.max(firstSweep, this.#line.size * 2)
    return gone
  }
}
