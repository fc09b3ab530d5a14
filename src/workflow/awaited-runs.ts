// The runs whose ends a workflow waits for: told by this node when they end here, and looked for in the store.
import type { FinishedRun } from '../store/store.ts'
import { Lookout, type LookoutOwner } from './lookout.ts'

/** One that waits for the end of a run. */
export interface AwaitedRun {
  readonly path: string
  readonly id: string
  /** `gone`: it is not in the store any more. */
  readonly ended: (end: FinishedRun | 'gone') => void
}

interface Waiting extends AwaitedRun {
  readonly stopListening: () => void
}

export class AwaitedRuns {
  readonly #owner: LookoutOwner
  readonly #lookout: Lookout
  readonly #waiting = new Map<string, Waiting>()
  #stopLookingOut: (() => void) | undefined

  constructor(owner: LookoutOwner) {
    this.#owner = owner
    const isWaiting = (): boolean => this.#waiting.size > 0
    this.#lookout = new Lookout(owner, isWaiting, () => this.#see())
  }

  add(run: AwaitedRun): void {
    const { ends } = this.#owner.activation.around
    this.#stopLookingOut ??= ends.lookOut(() => this.look())
    const stopListening = ends.listen(run.id, (finished) => this.#ended(run.path, finished))
    this.#waiting.set(run.path, { ...run, stopListening })
    this.look()
  }

  /** It waits no more: its time is up. */
  remove(path: string): void {
    this.#waiting.get(path)?.stopListening()
    this.#waiting.delete(path)
  }

  clear(): void {
    for (const { stopListening } of this.#waiting.values()) stopListening()
    this.#waiting.clear()
    this.#stopLookingOut?.()
    this.#lookout.end()
  }

  /** One of them may have ended. */
  look(): void {
    this.#lookout.look()
  }

  async #see(): Promise<void> {
    const ids = [...new Set(Array.from(this.#waiting.values(), ({ id }) => id))]
    const ends = await this.#owner.activation.deps.store.listEnds(ids)
    for (const { path, id } of this.#waiting.values()) {
      const end = ends.get(id)
      if (end !== undefined) this.#ended(path, end)
    }
  }

  #ended(path: string, end: FinishedRun | 'gone'): void {
    const waiting = this.#waiting.get(path)
    this.remove(path)
    waiting?.ended(end)
  }
}
