// The activations on this node, found by the number of their run or by the id that users know.
import type { Activation } from './activation.ts'

export class ActiveRuns {
  readonly #byRun = new Map<number, Activation>()
  readonly #byId = new Map<string, Activation>()

  get size(): number {
    return this.#byRun.size
  }

  add(activation: Activation): void {
    this.#byRun.set(activation.held.runId, activation)
    this.#byId.set(activation.claimed.id, activation)
  }

  /** Takes out this activation; a later one of the same run stays. */
  remove(activation: Activation): void {
    const { held, claimed } = activation
    if (this.#byRun.get(held.runId) !== activation) return
    this.#byRun.delete(held.runId)
    this.#byId.delete(claimed.id)
  }

  find(runId: number): Activation | undefined {
    return this.#byRun.get(runId)
  }

  hasId(id: string): boolean {
    return this.#byId.has(id)
  }

  ids(): string[] {
    return [...this.#byId.keys()]
  }

  /** A copy, so that it may be walked while runs end. */
  all(): Activation[] {
    return [...this.#byRun.values()]
  }
}
