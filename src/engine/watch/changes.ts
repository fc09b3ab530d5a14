// Whether other processes have written: one look at a counter of the store, often while they do, and only when the store says so while they do not.
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'

// After a change the next one is looked for so soon; each look in vain doubles that.
const soonestMs = 1
const latestMs = 25
// With the store telling. Measured: a process that looks each 25 ms takes 0.7 % of a core for that alone.
const toldMs = 500

export interface ChangeListener {
  /** Somebody waits, so the process stays alive for it. */
  readonly isAwaited: boolean
  changed(): void
}

/** Tells those who listen; one timer for all of them, and none when nobody does. */
export class Changes {
  readonly #store: Pick<Store, 'changeCount' | 'whenWritten'>
  readonly #clock: Clock
  readonly #listeners = new Set<ChangeListener>()
  #seen: number | undefined
  #delayMs = soonestMs
  #timer: Timer | undefined
  /** Set while the store tells when somebody writes. */
  #quiet: (() => void) | undefined

  constructor(store: Pick<Store, 'changeCount' | 'whenWritten'>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Also the first look is told, as nobody knows what went before. */
  listen(listener: ChangeListener): void {
    if (this.#listeners.size === 0) this.#seen = undefined
    this.#listeners.add(listener)
    this.#hasten()
  }

  forget(listener: ChangeListener): void {
    if (!this.#listeners.delete(listener)) return
    if (this.#listeners.size === 0) this.#hush()
    this.#arm()
  }

  #hasten(): void {
    this.#hush()
    this.#delayMs = soonestMs
    this.#arm()
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#listeners.size === 0) return
    const background = ![...this.#listeners].some(({ isAwaited }) => isAwaited)
    this.#timer = this.#clock.after(this.#delayMs, () => this.#look(), { background, upkeep: true })
  }

  #look(): void {
    const change = this.#store.changeCount()
    const isNew = change !== this.#seen
    this.#seen = change
    if (isNew) this.#hasten()
    else this.#slowDown()
    if (isNew) for (const listener of this.#listeners) listener.changed()
  }

  #slowDown(): void {
    const isTold = this.#quiet !== undefined
    // Race: somebody may have written before the store began to tell, so the next look is as soon as ever.
    this.#quiet ??= this.#store.whenWritten(() => this.#told(), this.#delayMs)
    this.#delayMs = isTold ? toldMs : Math.min(this.#delayMs * 2, latestMs)
    this.#arm()
  }

  #told(): void {
    this.#hasten()
    // Of a file it may be told before it can be read.
    if (this.#store.changeCount() !== this.#seen) this.#look()
  }

  #hush(): void {
    this.#quiet?.()
    this.#quiet = undefined
  }
}
