// Reading the messages of a run.
import type { Clock } from '../../lib/clock.ts'
import { decode } from '../../lib/codec.ts'
import type { EmitCursor, EmittedRow } from '../../store/store.ts'
import { checkOptions } from '../checks.ts'
import type { RunFeed } from './run-feed.ts'
import { checkFrom, checkSignal, offsetOf, SliceReader } from './slice-reader.ts'

export interface MessagesOptions {
  /** The offset of the last message that was read, also before a restart or in another process; from the first one that is kept unless told. */
  readonly from?: string | undefined
  /** Ends the reading, whatever the run does. */
  readonly signal?: AbortSignal | undefined
}

/** A message of a run, and where it stands. */
export interface RunMessage {
  /** Give it as `from` to go on behind this message. */
  readonly offset: string
  readonly message: unknown
  /** How many were dropped between the one before and this one; there when some were. */
  readonly missed?: number
}

export class MessageReader {
  readonly #reader: SliceReader<EmittedRow>
  #read: EmitCursor

  /** Throws `option_invalid`. */
  constructor(feed: RunFeed, clock: Clock, options: MessagesOptions = {}) {
    checkOptions('handle.messages', options, ['from', 'signal'])
    checkSignal(options.signal)
    this.#read = checkFrom(options.from)
    this.#reader = new SliceReader({
      feed,
      clock,
      from: this.#read,
      signal: options.signal,
      isFollowed: true,
      fetch: (after, limit) => feed.messages(after, limit),
    })
  }

  /** The next message; undefined when the run has ended and all were read. */
  async next(): Promise<RunMessage | undefined> {
    const row = await this.#reader.next()
    if (row === undefined) return undefined
    const { epoch, n, value } = row
    const missed = n - 1 - (epoch === this.#read.epoch ? this.#read.n : 0)
    this.#read = row
    return { offset: offsetOf(row), message: decode(value), ...(missed > 0 && { missed }) }
  }

  async *rest(): AsyncGenerator<RunMessage, void, void> {
    for (let next = await this.next(); next !== undefined; next = await this.next()) yield next
  }
}
