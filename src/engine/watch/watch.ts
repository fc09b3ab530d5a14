// Who waits for news of which run; told at once by this process, and when another one has written.
import type { Clock, Timer } from '../../lib/clock.ts'
import { toError } from '../../lib/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Changes } from './changes.ts'
import { Ear, lookAgain, type Listener, type News } from './ear.ts'

// With every hint lost, news still arrive by then.
const backstopMs = 500
// When many wait, the store is asked less often.
const fewListeners = 50
const manyMs = 25
// In one statement; others have their turn before the next.
const endsAtOnce = 500
// So many times as long as a look took nobody looks: it takes a tenth of the time at most.
const restShare = 10

export interface WatchOptions {
  readonly changes: Changes
  readonly clock: Clock
  readonly store: Pick<Store, 'listEnds'>
  /** Whether this process performs a run, and so tells its end itself. */
  readonly isHere: (id: string) => boolean
  /** Somebody begins to wait for the result of a run. */
  readonly awaited: () => void
}

export class Watch {
  readonly #options: WatchOptions
  readonly #changed = { isAwaited: true, changed: (): void => this.#lookSoon() }
  readonly #listeners = new Map<string, Set<Listener>>()
  /** What those want to know who came in this turn. */
  #asked: { readonly ids: Set<string>; readonly answered: Promise<void> } | undefined
  #next: { readonly at: number; readonly timer: Timer } | undefined
  #isLooking = false
  #restUntil = 0
  #end: Error | undefined

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Listens to a run from now on; throws what `close` was told. */
  listen(id: string, awaitsEnd: boolean): Ear {
    this.checkOpen()
    const ear = new Ear((closed) => this.remove(id, closed), awaitsEnd)
    this.add(id, ear)
    return ear
  }

  /** Tells the listener news of a run until it is removed. */
  add(id: string, listener: Listener): void {
    if (this.#listeners.size === 0) this.#open()
    if (listener.awaitsEnd) this.#options.awaited()
    const known = this.#listeners.get(id)
    if (known === undefined) this.#listeners.set(id, new Set([listener]))
    else known.add(listener)
  }

  remove(id: string, listener: Listener): void {
    const listeners = this.#listeners.get(id)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#listeners.delete(id)
    if (this.#listeners.size > 0) return
    this.#options.changes.forget(this.#changed)
    this.#next?.timer.cancel()
    this.#next = undefined
  }

  /** Looks at once for the end of a run, together with all that is asked for in this turn, and tells who listens; nothing when it will come from here. */
  async see(id: string): Promise<void> {
    if (this.#options.isHere(id)) return
    this.#asked ??= { ids: new Set(), answered: this.#answer() }
    this.#asked.ids.add(id)
    await this.#asked.answered
  }

  /** Whether somebody in this process waits for the result of a run. */
  isAwaited(id: string): boolean {
    for (const { awaitsEnd } of this.#listeners.get(id) ?? []) if (awaitsEnd) return true
    return false
  }

  /** The runs whose result somebody in this process waits for. */
  awaitedIds(): string[] {
    return [...this.#listeners.keys()].filter((id) => this.isAwaited(id))
  }

  /** The runs of which somebody waits for news who is no run. */
  get listened(): string[] {
    return [...this.#listeners.keys()].filter((id) => this.#earsOf(id).length > 0)
  }

  /** Tells those why none will come. */
  tell(id: string, trouble: Error): void {
    for (const ear of this.#earsOf(id)) ear.hear({ trouble })
  }

  wake(id: string, news: News = lookAgain): void {
    const listeners = this.#listeners.get(id)
    if (listeners === undefined) return
    for (const listener of listeners) listener.hear(news)
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

  wakeAll(news: News): void {
    for (const id of this.#listeners.keys()) this.wake(id, news)
  }

  #earsOf(id: string): Ear[] {
    return [...(this.#listeners.get(id) ?? [])].filter((listener) => listener instanceof Ear)
  }

  #open(): void {
    this.#options.changes.listen(this.#changed)
    this.#lookIn(backstopMs)
  }

  #lookSoon(): void {
    if (this.#listeners.size <= fewListeners && !this.#isLooking) void this.#look()
    else this.#lookIn(manyMs)
  }

  #lookIn(delayMs: number): void {
    const { clock } = this.#options
    const now = clock.monotonic()
    const at = Math.max(now + delayMs, this.#restUntil)
    if (this.#next !== undefined && this.#next.at <= at) return
    this.#next?.timer.cancel()
    this.#next = { at, timer: clock.after(at - now, () => void this.#look(), { background: true, upkeep: true }) }
  }

  /** Who watches what a run says looks by itself; of the ends that are awaited many are asked for at once. */
  async #look(): Promise<void> {
    this.#next?.timer.cancel()
    this.#next = undefined
    if (this.#isLooking) return this.#lookIn(manyMs)
    this.#isLooking = true
    for (const ids of slicesOf(this.#wakeReaders())) await this.#lookAndRest(ids)
    this.#isLooking = false
    if (this.#listeners.size > 0) this.#lookIn(backstopMs)
  }

  /** Returns the runs of which only the end is awaited, and comes from elsewhere. */
  #wakeReaders(): string[] {
    const awaited: string[] = []
    for (const [id, listeners] of this.#listeners) {
      let isRead = false
      for (const { awaitsEnd } of listeners) isRead ||= !awaitsEnd
      if (isRead) this.wake(id)
      else if (!this.#options.isHere(id)) awaited.push(id)
    }
    return awaited
  }

  async #lookAndRest(ids: readonly string[]): Promise<void> {
    const { clock } = this.#options
    const begunAt = clock.monotonic()
    await this.#lookAt(ids)
    const now = clock.monotonic()
    this.#restUntil = Math.max(this.#restUntil, begunAt) + (now - begunAt) * restShare
    await this.#turn()
  }

  async #answer(): Promise<void> {
    await this.#turn()
    const ids = [...(this.#asked?.ids ?? [])]
    this.#asked = undefined
    for (const slice of slicesOf(ids)) await this.#lookAt(slice)
  }

  async #lookAt(ids: readonly string[]): Promise<void> {
    try {
      const ends = await this.#options.store.listEnds(ids)
      for (const [id, end] of ends) this.wake(id, end === 'gone' ? { isGone: true } : { finished: end })
    } catch (error) {
      for (const id of ids) this.wake(id, { trouble: toError(error) })
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.soon(resolve))
  }
}

function slicesOf(ids: readonly string[]): string[][] {
  const slices: string[][] = []
  for (let from = 0; from < ids.length; from += endsAtOnce) slices.push(ids.slice(from, from + endsAtOnce))
  return slices
}
