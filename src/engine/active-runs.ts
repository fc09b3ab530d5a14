// The activations on this node, found by the number of their run or by the id that users know.
import { deferred, type Deferred } from '../lib/deferred.ts'
import type { Activation } from './activation.ts'

export class ActiveRuns {
  readonly #byRun = new Map<number, Activation>()
  readonly #byId = new Map<string, Activation>()
  // Those of runs that were on a node when it died.
  readonly #delivered = new Set<Activation>()
  #emptied: Deferred<void> | undefined

  get size(): number {
    return this.#byRun.size
  }

  add(activation: Activation): void {
    this.#byRun.set(activation.held.runId, activation)
    this.#byId.set(activation.claimed.id, activation)
    if (activation.claimed.deliveries > 0) this.#delivered.add(activation)
  }

  /** Takes out this activation; a later one of the same run stays. */
  remove(activation: Activation): void {
    const { held, claimed } = activation
    this.#delivered.delete(activation)
    if (this.#byRun.get(held.runId) !== activation) return
    this.#byRun.delete(held.runId)
    this.#byId.delete(claimed.id)
    if (this.size > 0) return
    this.#emptied?.resolve()
    this.#emptied = undefined
  }

  /** Resolves once there is none, whatever comes after. */
  async whenEmpty(): Promise<void> {
    if (this.size === 0) return
    this.#emptied ??= deferred()
    await this.#emptied.promise
  }

  find(runId: number): Activation | undefined {
    return this.#byRun.get(runId)
  }

  findById(id: string): Activation | undefined {
    return this.#byId.get(id)
  }

  hasId(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Whether a run is performed that was on `deliveries` nodes in a row when they died. */
  hasSuspect(deliveries: number): boolean {
    for (const { claimed } of this.#delivered) if (claimed.deliveries >= deliveries) return true
    return false
  }

  ids(): string[] {
    return [...this.#byId.keys()]
  }

  /** A copy, so that it may be walked while runs end. */
  all(): Activation[] {
    return [...this.#byRun.values()]
  }
}
