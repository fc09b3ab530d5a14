// The activations on this node, found by the number of their run or by the id that users know.
import { deferred, type Deferred } from '../lib/deferred.ts'
import { Roster } from '../lib/roster.ts'
import type { Activation } from './activation.ts'

export class ActiveRuns {
  readonly #roster = new Roster<string, Activation>(({ claimed }) => claimed.id)
  // Those of runs that were on a node when it died.
  readonly #delivered = new Set<Activation>()
  #emptied: Deferred<void> | undefined

  get size(): number {
    return this.#roster.size
  }

  add(activation: Activation): void {
    this.#roster.add(activation)
    if (activation.claimed.deliveries > 0) this.#delivered.add(activation)
  }

  /** Takes out this activation; a later one of the same run stays. */
  remove(activation: Activation): void {
    if (activation.claimed.deliveries > 0) this.#delivered.delete(activation)
    if (!this.#roster.remove(activation) || this.size > 0) return
    this.#emptied?.resolve()
    this.#emptied = undefined
  }

  /** Resolves once there is none, whatever comes after. */
  async whenEmpty(): Promise<void> {
    if (this.size === 0) return
    this.#emptied ??= deferred()
    await this.#emptied.promise
  }

  /** A walk: seldom anybody asks by number. */
  find(runId: number): Activation | undefined {
    return this.all().findLast(({ held }) => held.runId === runId)
  }

  findById(id: string): Activation | undefined {
    return this.#roster.find(id)
  }

  hasId(id: string): boolean {
    return this.#roster.find(id) !== undefined
  }

  /** Whether a run is performed that was on `deliveries` nodes in a row when they died. */
  hasSuspect(deliveries: number): boolean {
    for (const { claimed } of this.#delivered) if (claimed.deliveries >= deliveries) return true
    return false
  }

  ids(): string[] {
    return this.all().map(({ claimed }) => claimed.id)
  }

  /** A copy, so that it may be walked while runs end. */
  all(): Activation[] {
    return this.#roster.all()
  }
}
