// Which handlers of one actor may run beside others: `static concurrent` and `static shared`.

import type { Envelope } from './envelope.ts'

/** How many of one handler may run at once, and whether it only reads. */
export interface OverlapRule {
  readonly limit: number
  readonly isShared: boolean
}

export type OverlapRules = ReadonlyMap<string, OverlapRule>

/**
 * The handlers of one actor that run beside others now.
 *
 * A shared handler reads: it runs beside other shared ones, and a handler that may write waits for all of them.
 * A concurrent one takes care of itself: it holds nobody up, and waits only for its own limit and for an ordinary handler under way.
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

  ruleOf(name: string): OverlapRule | undefined {
    return this.#rules.get(name)
  }

  /** Whether a message may be handled now, beside all that run. */
  admits(name: string): boolean {
    const rule = this.#rules.get(name)
    if (rule === undefined) return this.#shared === 0
    return (this.#counts.get(name) ?? 0) < rule.limit
  }

  begin(envelope: Envelope, { isShared }: OverlapRule): void {
    this.running.add(envelope)
    this.#counts.set(envelope.name, (this.#counts.get(envelope.name) ?? 0) + 1)
    if (isShared) this.#shared++
  }

  end(envelope: Envelope, { isShared }: OverlapRule): void {
    this.running.delete(envelope)
    this.#counts.set(envelope.name, (this.#counts.get(envelope.name) ?? 1) - 1)
    if (isShared) this.#shared--
  }
}
