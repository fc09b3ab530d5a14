// How long messages take: one in so many is timed on its way.

import type { Clock } from '../lib/clock.ts'
import { Histogram } from '../lib/histogram.ts'
import { isThenable } from '../lib/thenable.ts'
import type { Actor } from './actor.ts'
import type { Envelope } from './envelope.ts'
import type { Method } from './protocol.ts'

// Measured: reading the clock costs as much as a tell, so one message in 256 is timed.
const sampledEvery = 256

/** The way of one message, from the mailbox to the end of its handler. */
export class Observation {
  readonly #clock: Clock
  readonly #latency: Histogram
  readonly #payload: unknown
  readonly #enteredMs: number

  constructor(clock: Clock, latency: Histogram, payload: unknown) {
    this.#clock = clock
    this.#latency = latency
    this.#payload = payload
    this.#enteredMs = clock.monotonic()
  }

  /** Calls the handler of the message and returns what it returns. */
  handle(method: Method, actor: Actor): unknown {
    const end = (): void => this.#latency.add(this.#clock.monotonic() - this.#enteredMs)
    try {
      const reply = method.call(actor, this.#payload)
      if (isThenable(reply)) void reply.then(end, end)
      else end()
      return reply
    } catch (error) {
      end()
      throw error
    }
  }
}

export class Observer {
  readonly latency = new Histogram()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Looks after a message on its way, and returns how many messages later the next one is due. */
  observe(envelope: Envelope): number {
    envelope.observation = new Observation(this.#clock, this.latency, envelope.payload)
    return sampledEvery
  }
}
