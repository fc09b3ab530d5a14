// What is told of a run, and those who listen.
import type { FinishedRun } from '../../store/store.ts'

/** What is known already; nothing but a reason to look, when all is missing. */
export interface News {
  readonly finished?: FinishedRun
  /** The run is not in the store any more. */
  readonly isGone?: true
  /** The store failed this run: whoever waits should know. */
  readonly trouble?: Error
}

export interface Listener {
  /** It waits for the result of the run, and for nothing else. */
  readonly awaitsEnd: boolean
  hear(news: News): void
}

export const lookAgain: News = {}

/** Hears the news of one run until it is closed; keeps what came while nobody asked. */
export class Ear implements Listener {
  readonly awaitsEnd: boolean
  readonly #close: (ear: Ear) => void
  #news: News | undefined
  #waiting: ((news: News) => void) | undefined

  constructor(close: (ear: Ear) => void, awaitsEnd: boolean) {
    this.#close = close
    this.awaitsEnd = awaitsEnd
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
