// Looking at a run until there is something to see: now, and after every news of it.
import type { Clock } from '../../lib/clock.ts'
import { resultTimeout } from '../../model/time-errors.ts'
import type { RunFeed } from './run-feed.ts'
import type { News } from './ear.ts'

export interface LookOptions {
  readonly clock: Clock
  readonly timeoutMs?: number | undefined
  /** There is nothing to see before its first news. */
  readonly isHere?: boolean
  /** It is the result that is waited for. */
  readonly awaitsEnd?: boolean
  /** Ends the looking, which then has seen nothing. */
  readonly signal?: AbortSignal | undefined
}

const nothingNew: News = {}
const timeUp: News = {}
const aborted: News = {}

/** What `see` gives as soon as that is something; undefined when aborted. Throws `result_timeout`, and what the run is in trouble with. */
export async function look<T>(
  feed: RunFeed,
  see: (news: News) => T | undefined | Promise<T | undefined>,
  { clock, timeoutMs, isHere = false, awaitsEnd = false, signal }: LookOptions,
): Promise<T | undefined> {
  if (isAborted(signal)) return undefined
  // Race: listening comes before looking, or the news between the two would be missed.
  const ear = feed.listen(awaitsEnd)
  const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, () => ear.hear(timeUp))
  const abort = (): void => ear.hear(aborted)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for (let news = isHere ? await ear.next() : nothingNew; ; news = await ear.next()) {
      if (news === timeUp) throw resultTimeout(feed.id, timeoutMs ?? 0)
      if (news === aborted) return undefined
      if (news.trouble !== undefined) throw news.trouble
      const seen = await see(news)
      if (seen !== undefined) return seen
      if (isAborted(signal)) return undefined
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    timer?.cancel()
    ear.close()
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}
