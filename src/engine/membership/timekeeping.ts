// The Timekeeper of an engine while it has one: from when it becomes a node until it stops.
import type { Handle } from '../../actor/handle.ts'
import type { Ref } from '../../actor/ref.ts'
import type { Changes } from '../watch/changes.ts'
import type { TakingIn } from './taking-in.ts'
import type { Timekeeper } from './timekeeper.ts'

interface Employed {
  readonly ref: Ref<Timekeeper>
  readonly handle: Handle<Timekeeper>
}

export interface TimekeepingOptions {
  readonly changes: Changes
  readonly takingIn: TakingIn
  readonly employ: () => Employed
}

// However long the store is away: an ask whose time is up is a dead letter, and the next hint would say the same.
const hearingLimit = '1d'

/** What is told while there is none goes nowhere: nothing is due on what is no node. */
export class Timekeeping {
  readonly #options: TimekeepingOptions
  readonly #listener = { isAwaited: false, changed: (): void => this.#changed() }
  #employed: Employed | undefined
  /** It has yet to hear that others wrote. */
  #isTold = false

  constructor(options: TimekeepingOptions) {
    this.#options = options
  }

  get isKept(): boolean {
    return this.#employed !== undefined
  }

  /** Resolves once it has looked for what is due. */
  async begin(): Promise<void> {
    this.#employed = this.#options.employ()
    await this.#employed.ref.ask('wake')
    this.#options.changes.listen(this.#listener)
    this.#options.takingIn.serve()
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
    this.#options.changes.forget(this.#listener)
    this.#options.takingIn.close()
    await handle?.stop({ within })
  }

  // While its store is away it hears nothing, and thousands of hints would pile up that say the same.
  #changed(): void {
    this.#options.takingIn.soon()
    if (this.#isTold || this.#employed === undefined) return
    this.#isTold = true
    const heard = (): void => void (this.#isTold = false)
    this.#employed.ref.ask('othersWrote', undefined, { timeout: hearingLimit }).then(heard, heard)
  }
}
