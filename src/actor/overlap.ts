// Which handlers of one actor may run beside others: `static concurrent` and `static shared`.

import { settle } from '../lib/thenable.ts'
import type { Envelope } from './envelope.ts'

/** How many of one handler may run at once, and whether it only reads. */
export interface OverlapRule {
  readonly limit: number
  readonly isShared: boolean
}

export type OverlapRules = Pick<ReadonlyMap<string, OverlapRule>, 'get'>

interface Outcome {
  replied(reply: unknown): void
  failed(error: unknown): void
}

/**
 * The handlers of one actor that run beside others now.
 *
 * A shared handler reads: it runs beside other shared ones, and a handler that may write waits for all of them.
 * A concurrent one takes care of itself: while it runs it holds nobody up. One beyond its limit waits, and what came after it in its lane, too.
 */
export class Overlap {
  readonly running = new Set<Envelope>()
  readonly #rules: OverlapRules
  readonly #counts = new Map<string, number>()
  #shared = 0

  constructor(rules: OverlapRules) {
    this.#rules = rules
  }

  /** Whether handlers that may write must wait. */
  get holdsWriters(): boolean {
    return this.#shared > 0
  }

  /** Whether it lets others run beside it. */
  has(name: string): boolean {
    return this.#rules.get(name) !== undefined
  }

  /** Whether a message may be handled now, beside all that run. */
  admits(name: string): boolean {
    return this.has(name) ? !this.isFull(name) : this.#shared === 0
  }

  /** Whether as many of one handler run as may. */
  isFull(name: string): boolean {
    return (this.#counts.get(name) ?? 0) >= (this.#rules.get(name)?.limit ?? Infinity)
  }

  /** Calls the handler of a message beside those that run; what comes of it is told, unless it is cut off before. */
  run(envelope: Envelope, handler: () => unknown, { replied, failed }: Outcome): void {
    const { name } = envelope
    const shared = this.#rules.get(name)?.isShared === true ? 1 : 0
    const count = (change: number): void => {
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + change)
      this.#shared += change * shared
    }
    const end = (tell: () => void): void => {
      if (!this.running.delete(envelope)) return
      count(-1)
      tell()
    }
    this.running.add(envelope)
    count(1)
    settle(
      handler,
      (reply) => end(() => replied(reply)),
      (error) => end(() => failed(error)),
    )
  }
}
