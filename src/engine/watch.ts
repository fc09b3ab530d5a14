// Who waits for news of which run; told at once by this process, and when another one has written.
import type { Clock, Timer } from '../lib/clock.ts'
import { toError } from '../lib/errors.ts'
import type { FinishedRun, Store } from '../store/store.ts'
import type { Changes } from './changes.ts'

// With every hint lost, news still arrive by then.
const backstopMs = 500
// When many wait, the store is asked less often.
const fewEars = 50
const manyMs = 25
// In one statement; others have their turn before the next.
const endsAtOnce = 500
// So many times as long as a look took nobody looks: it takes a tenth of the time at most.
const restShare = 10

/** What is known already; nothing but a reason to look, when both are missing. */
export interface News {
  readonly finished?: FinishedRun
  /** The store failed this run: whoever waits should know. */
  readonly trouble?: Error
}

const lookAgain: News = {}

/** Hears the news of one run until it is closed; keeps what came while nobody asked. */
export class Ear {
  /** Whoever listens waits for the result of the run. */
  readonly awaitsEnd: boolean
  readonly #close: (ear: Ear) => void
  #news: News | undefined
  #waiting: ((news: News) => void) | undefined

  constructor(close: (ear: Ear) => void, awaitsEnd = false) {
    this.awaitsEnd = awaitsEnd
    this.#close = close
  }

  next(): Promise<News> {
    const news = this.#news
    this.#news = undefined
    if (news !== undefined) return Promise.resolve(news)
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  hear(news: News): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) waiting(news)
    // What is known already outlasts a mere reason to look.
    else if (this.#news === undefined || this.#news === lookAgain) this.#news = news
  }

  close(): void {
    this.#close(this)
  }
}

export interface WatchOptions {
  readonly changes: Changes
  readonly clock: Clock
  readonly store: Pick<Store, 'listEnds'>
  /** Whether this process performs a run, and so tells its end itself. */
  readonly isHere: (id: string) => boolean
}

export class Watch {
  readonly #options: WatchOptions
  readonly #listener = { isAwaited: true, changed: (): void => this.#lookSoon() }
  readonly #ears = new Map<string, Set<Ear>>()
  #next: { readonly at: number; readonly timer: Timer } | undefined
  #isLooking = false
  #restUntil = 0
  #end: Error | undefined
  /** Called when somebody begins to wait for the result of a run. */
  awaited: () => void = () => {}

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Listens to a run from now on; throws what `close` was told. */
  listen(id: string, awaitsEnd: boolean): Ear {
    this.checkOpen()
    if (this.#ears.size === 0) this.#open()
    if (awaitsEnd) this.awaited()
    const ear = new Ear((closed) => this.#forget(id, closed), awaitsEnd)
    const known = this.#ears.get(id)
    if (known === undefined) this.#ears.set(id, new Set([ear]))
    else known.add(ear)
    return ear
  }

  /** Whether somebody in this process waits for the result of a run. */
  isAwaited(id: string): boolean {
    for (const { awaitsEnd } of this.#ears.get(id) ?? []) if (awaitsEnd) return true
    return false
  }

  /** The runs whose result somebody in this process waits for. */
  awaitedIds(): string[] {
    return [...this.#ears.keys()].filter((id) => this.isAwaited(id))
  }

  wake(id: string, news: News = lookAgain): void {
    const ears = this.#ears.get(id)
    if (ears === undefined) return
    for (const ear of ears) ear.hear(news)
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
    for (const id of this.#ears.keys()) this.wake(id, news)
  }

  #open(): void {
    this.#options.changes.listen(this.#listener)
    this.#lookIn(backstopMs)
  }

  #lookSoon(): void {
    if (this.#ears.size <= fewEars && !this.#isLooking) void this.#look()
    else this.#lookIn(manyMs)
  }

  #lookIn(delayMs: number): void {
    const { clock } = this.#options
    const now = clock.monotonic()
    const at = Math.max(now + delayMs, this.#restUntil)
    if (this.#next !== undefined && this.#next.at <= at) return
    this.#next?.timer.cancel()
    this.#next = { at, timer: clock.after(at - now, () => void this.#look(), { background: true }) }
  }

  /** Who watches what a run says looks by itself; of the ends that are awaited many are asked for at once. */
  async #look(): Promise<void> {
    this.#next?.timer.cancel()
    this.#next = undefined
    if (this.#isLooking) return this.#lookIn(manyMs)
    this.#isLooking = true
    const awaited = this.#wakeReaders()
    for (let from = 0; from < awaited.length; from += endsAtOnce)
      await this.#lookAt(awaited.slice(from, from + endsAtOnce))
    this.#isLooking = false
    if (this.#ears.size > 0) this.#lookIn(backstopMs)
  }

  /** Returns the runs of which only the end is awaited, and comes from elsewhere. */
  #wakeReaders(): string[] {
    const awaited: string[] = []
    for (const [id, ears] of this.#ears) {
      let isRead = false
      for (const { awaitsEnd } of ears) isRead ||= !awaitsEnd
      if (isRead) this.wake(id)
      else if (!this.#options.isHere(id)) awaited.push(id)
    }
    return awaited
  }

  async #lookAt(ids: readonly string[]): Promise<void> {
    const { clock, store } = this.#options
    const begunAt = clock.monotonic()
    try {
      const ends = await store.listEnds(ids)
      for (const [id, end] of ends) this.wake(id, end === 'gone' ? lookAgain : { finished: end })
    } catch (error) {
      for (const id of ids) this.wake(id, { trouble: toError(error) })
    }
    const now = clock.monotonic()
    this.#restUntil = Math.max(this.#restUntil, begunAt) + (now - begunAt) * restShare
    await new Promise<void>((resolve) => clock.soon(resolve))
  }

  #forget(id: string, ear: Ear): void {
    const ears = this.#ears.get(id)
    ears?.delete(ear)
    if (ears?.size === 0) this.#ears.delete(id)
    if (this.#ears.size > 0) return
    this.#options.changes.forget(this.#listener)
    this.#next?.timer.cancel()
    this.#next = undefined
  }
}
