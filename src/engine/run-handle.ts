// The handle of a run: its result, its messages, its end. It may be dropped; the run goes on.
import type { Clock } from '../lib/clock.ts'
import { decode } from '../lib/codec.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import { fromErrorRecord, type ErrorRecord } from '../lib/error-record.ts'
import { resultTimeout, reviveError, runNotFound } from '../model/errors.ts'
import type { EmitCursor, EmittedRow, FinishedRun } from '../store/store.ts'
import type { RunFeed } from './run-feed.ts'
import { runStatus, type RunStatus } from './run-status.ts'
import type { News } from './watch.ts'

// Messages are read from the store in slices of this many, so a slow reader holds no more than that.
const slice = 100

const fromTheFirst: EmitCursor = { epoch: 0, n: 0 }
const nothingUnread: EmittedRow[] = []
const nothingNew: News = {}
const timeUp: News = {}

export interface ResultOptions {
  /** How long to wait; for ever unless told. The run goes on whatever happens. */
  readonly timeout?: Duration
}

export class RunHandle<Output = unknown> implements AsyncIterable<unknown> {
  readonly id: string
  readonly name: string
  readonly #feed: RunFeed
  readonly #clock: Clock
  #cursor = fromTheFirst
  #unread = nothingUnread

  constructor(feed: RunFeed, clock: Clock) {
    this.#feed = feed
    this.#clock = clock
    this.id = feed.id
    this.name = feed.name
  }

  /**
   * Waits for the end of the run and gives its output.
   *
   * Throws: what the run failed with; `run_cancelled`; `timed_out` when its own time was up;
   * `result_timeout` when `timeout` passed first; `engine_stopped`.
   */
  async result(options: ResultOptions = {}): Promise<Output> {
    const { outcome, value } = await this.#finished(options)
    if (outcome === 'succeeded') return decode(value) as Output
    throw fromErrorRecord(JSON.parse(value) as ErrorRecord, reviveError)
  }

  /** The next message of the run, in order, from its first one on; undefined when it has ended and all were read. */
  async recv(): Promise<unknown> {
    return (await this.#next())?.message
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, void> {
    for (let next = await this.#next(); next !== undefined; next = await this.#next()) yield next.message
  }

  /** Asks the run to end; true when it ended as cancelled, false when it had or got another end first. */
  async cancel(reason = ''): Promise<boolean> {
    const told = await this.#feed.cancel(reason)
    if (told === 'not_found') throw runNotFound(this.id)
    const { outcome } = await this.#finished({})
    return told !== 'finished' && outcome === 'cancelled'
  }

  /** The run as it is now. */
  async status(): Promise<RunStatus> {
    const row = await this.#feed.view()
    if (row === undefined) throw runNotFound(this.id)
    return runStatus(row)
  }

  // A message in a box, because undefined is one too.
  async #next(): Promise<{ readonly message: unknown } | undefined> {
    for (;;) {
      const next = this.#unread.shift()
      if (next !== undefined) return { message: decode(next.value) }
      const hasEnded = await this.#look(async () => {
        // Asked in this order: what was said before the end is read before the end is believed.
        const finished = await this.#feed.finished()
        this.#unread = [...(await this.#feed.messages(this.#cursor, slice))]
        this.#cursor = this.#unread.at(-1) ?? this.#cursor
        if (this.#unread.length > 0) return false
        return finished === undefined ? undefined : true
      })
      if (hasEnded) return undefined
    }
  }

  #finished(options: ResultOptions): Promise<FinishedRun> {
    // A run that is under way in this process tells its end itself: there is nothing to look for yet.
    if (options.timeout === undefined && this.#feed.whenFinished !== undefined) return this.#feed.whenFinished()
    const { isHere } = this.#feed
    return this.#look((news) => news.finished ?? this.#feed.finished(), { ...options, isHere })
  }

  /** Looks now and after every news of the run, until there is something to see. */
  async #look<T>(
    see: (news: News) => T | undefined | Promise<T | undefined>,
    { timeout, isHere = false }: ResultOptions & { readonly isHere?: boolean } = {},
  ): Promise<T> {
    const timeoutMs = timeout === undefined ? undefined : toMs(timeout)
    // Race: listening comes before looking, or the news between the two would be missed.
    const ear = this.#feed.listen()
    const timer = timeoutMs === undefined ? undefined : this.#clock.after(timeoutMs, () => ear.hear(timeUp))
    try {
      for (let news = isHere ? await ear.next() : nothingNew; ; news = await ear.next()) {
        if (news === timeUp) throw resultTimeout(this.id, timeoutMs ?? 0)
        if (news.trouble !== undefined) throw news.trouble
        const seen = await see(news)
        if (seen !== undefined) return seen
      }
    } finally {
      timer?.cancel()
      ear.close()
    }
  }
}
