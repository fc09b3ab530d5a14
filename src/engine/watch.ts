// Who waits for news of which run; told at once by this process, and by polling of what others did.
import type { Clock, Timer } from '../lib/clock.ts'
import type { FinishedRun, Store } from '../store/store.ts'

// How often the store is asked whether another process has written; one read of a counter.
const pollMs = 25
// With every hint lost, news still arrive by then.
const pollsPerLook = 20

/** What is known already; nothing but a reason to look, when both are missing. */
export interface News {
  readonly finished?: FinishedRun | undefined
  /** The store failed this run: whoever waits should know. */
  readonly trouble?: Error
}

const lookAgain: News = {}

type Listener = (news: News) => void

export class Watch {
  readonly #store: Store
  readonly #clock: Clock
  readonly #listeners = new Map<string, Set<Listener>>()
  #timer: Timer | undefined
  #seenChange = 0
  #polls = 0
  #end: Error | undefined

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Calls once when something may have changed for a run; the returned function takes that back. */
  listen(id: string, listener: Listener): () => void {
    const known = this.#listeners.get(id) ?? new Set()
    if (known.size === 0) this.#listeners.set(id, known)
    known.add(listener)
    this.#poll()
    return () => {
      known.delete(listener)
      if (known.size === 0 && this.#listeners.get(id) === known) this.#listeners.delete(id)
      if (this.#listeners.size === 0) this.#stopPolling()
    }
  }

  wake(id: string, news: News = lookAgain): void {
    const listeners = this.#listeners.get(id)
    if (listeners === undefined) return
    this.#listeners.delete(id)
    if (this.#listeners.size === 0) this.#stopPolling()
    for (const listener of listeners) listener(news)
  }

  /** Nothing can be seen any more: tells everyone who waits, and everyone who asks from now on. */
  close(end: Error): void {
    this.#end = end
    this.wakeAll({ trouble: end })
  }

  /** Throws what `close` was told. */
  checkOpen(): void {
    if (this.#end !== undefined) throw this.#end
  }

  wakeAll(news: News = lookAgain): void {
    for (const id of [...this.#listeners.keys()]) this.wake(id, news)
  }

  // The timer keeps the process alive just as long as somebody waits.
  #poll(): void {
    this.#timer ??= this.#clock.after(pollMs, () => {
      this.#timer = undefined
      if (this.#listeners.size === 0) return
      this.#poll()
      this.#look()
    })
  }

  #look(): void {
    this.#polls += 1
    const change = this.#store.changeCount()
    if (change === this.#seenChange && this.#polls % pollsPerLook !== 0) return
    this.#seenChange = change
    this.wakeAll()
  }

  #stopPolling(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
