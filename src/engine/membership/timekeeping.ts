// The Timekeeper of an engine while it has one: from when it becomes a node until it stops.
import type { Handle } from '../../actor/handle.ts'
import type { Ref } from '../../actor/ref.ts'
import type { Changes } from '../watch/changes.ts'
import type { Timekeeper } from './timekeeper.ts'

interface Employed {
  readonly ref: Ref<Timekeeper>
  readonly handle: Handle<Timekeeper>
}

/** What is told while there is none goes nowhere: nothing is due on what is no node. */
export class Timekeeping {
  readonly #changes: Changes
  readonly #employ: () => Employed
  readonly #listener = { isAwaited: false, changed: (): void => void this.#employed?.ref.tell('othersWrote') }
  #employed: Employed | undefined

  constructor(changes: Changes, employ: () => Employed) {
    this.#changes = changes
    this.#employ = employ
  }

  get isKept(): boolean {
    return this.#employed !== undefined
  }

  /** Resolves once it has looked for what is due. */
  async begin(): Promise<void> {
    this.#employed = this.#employ()
    await this.#employed.ref.ask('wake')
    this.#changes.listen(this.#listener)
  }

  /** Something may be due sooner than it knows. */
  wake(): void {
    this.#employed?.ref.tell('wake')
  }

  dueAt(at: number): void {
    this.#employed?.ref.tell('dueAt', at)
  }

  /** The store could not write what a run wanted. */
  doubt(): void {
    this.#employed?.ref.tell('doubt')
  }

  async end(within: number): Promise<void> {
    const handle = this.#employed?.handle
    // Nobody tells it anything from now on: it would not be heard.
    this.#employed = undefined
    this.#changes.forget(this.#listener)
    await handle?.stop({ within })
  }
}
