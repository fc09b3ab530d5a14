// Whether other processes have written: one look at a counter of the store, often while they do and seldom while they do not.
import type { Clock, Timer } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'

// After a change the next one is looked for so soon; each look in vain doubles that.
const soonestMs = 1
const latestMs = 25

export interface ChangeListener {
  /** Somebody waits, so the process stays alive for it. */
  readonly isAwaited: boolean
  changed(): void
}

/** Tells those who listen; one timer for all of them, and none when nobody does. */
export class Changes {
  readonly #store: Pick<Store, 'changeCount'>
  readonly #clock: Clock
  readonly #listeners = new Set<ChangeListener>()
  #seen: number | undefined
  #delayMs = soonestMs
  #timer: Timer | undefined

  constructor(store: Pick<Store, 'changeCount'>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Also the first look is told, as nobody knows what went before. */
  listen(listener: ChangeListener): void {
    if (this.#listeners.size === 0) this.#seen = undefined
    this.#listeners.add(listener)
    this.#delayMs = soonestMs
    this.#arm()
  }

  forget(listener: ChangeListener): void {
    if (this.#listeners.delete(listener)) this.#arm()
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#listeners.size === 0) return
    const background = ![...this.#listeners].some(({ isAwaited }) => isAwaited)
    this.#timer = this.#clock.after(this.#delayMs, () => this.#look(), { background })
  }

  #look(): void {
    const change = this.#store.changeCount()
    const isNew = change !== this.#seen
    this.#seen = change
    this.#delayMs = isNew ? soonestMs : Math.min(this.#delayMs * 2, latestMs)
    this.#arm()
    if (isNew) for (const listener of this.#listeners) listener.changed()
  }
}
