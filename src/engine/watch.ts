// Who waits for news of which run; told at once by this process, and when another one has written.
import type { Clock, Timer } from '../lib/clock.ts'
import type { FinishedRun } from '../store/store.ts'
import type { Changes } from './changes.ts'

// With every hint lost, news still arrive by then.
const backstopMs = 500
// Each of those who wait asks the store: when they are many, they do so together and less often.
const fewEars = 50
const manyMs = 25

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

export class Watch {
  readonly #changes: Changes
  readonly #clock: Clock
  readonly #listener = { isAwaited: true, changed: (): void => this.#lookSoon() }
  readonly #ears = new Map<string, Set<Ear>>()
  #timer: Timer | undefined
  #isLookSoon = false
  #end: Error | undefined
  /** Called when somebody begins to wait for the result of a run. */
  awaited: () => void = () => {}

  constructor(changes: Changes, clock: Clock) {
    this.#changes = changes
    this.#clock = clock
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

  wakeAll(news: News = lookAgain): void {
    for (const id of this.#ears.keys()) this.wake(id, news)
  }

  #open(): void {
    this.#changes.listen(this.#listener)
    this.#arm(backstopMs)
  }

  #lookSoon(): void {
    if (this.#ears.size <= fewEars) return this.wakeAll()
    if (this.#isLookSoon) return
    this.#isLookSoon = true
    this.#timer?.cancel()
    this.#arm(manyMs)
  }

  #arm(delayMs: number): void {
    const look = (): void => {
      this.#isLookSoon = false
      this.#arm(backstopMs)
      this.wakeAll()
    }
    this.#timer = this.#clock.after(delayMs, look, { background: true })
  }

  #forget(id: string, ear: Ear): void {
    const ears = this.#ears.get(id)
    ears?.delete(ear)
    if (ears?.size === 0) this.#ears.delete(id)
    if (this.#ears.size > 0) return
    this.#changes.forget(this.#listener)
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isLookSoon = false
  }
}
