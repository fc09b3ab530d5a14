// One reading of the messages of a run: in order, from any of them on, in slices.
import type { Clock } from '../lib/clock.ts'
import { decode } from '../lib/codec.ts'
import { optionInvalid } from '../model/errors.ts'
import type { EmitCursor, EmittedRow } from '../store/store.ts'
import { checkOptions } from './checks.ts'
import { look } from './look.ts'
import type { RunFeed } from './run-feed.ts'

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

// A slow reader holds no more than that.
const slice = 100

const fromTheFirst: EmitCursor = { epoch: 0, n: 0 }

/** Where the options say that reading goes on. Throws `option_invalid`. */
export function checkMessagesOptions(options: MessagesOptions): EmitCursor {
  checkOptions('handle.messages', options, ['from', 'signal'])
  const { from, signal } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw optionInvalid('signal', signal, 'an AbortSignal')
  if (from === undefined) return fromTheFirst
  const [, epoch, n] = /^(\d{1,15})-(\d{1,15})$/.exec(from) ?? []
  if (epoch === undefined) throw optionInvalid('from', from, 'the offset of a message')
  return { epoch: Number(epoch), n: Number(n) }
}

export class MessageReader {
  readonly #feed: RunFeed
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined
  #fetched: EmitCursor
  #read: EmitCursor
  #unread: EmittedRow[] = []
  #fetching: Promise<boolean> | undefined

  constructor(
    feed: RunFeed,
    clock: Clock,
    { from = fromTheFirst, signal }: { from?: EmitCursor; signal?: AbortSignal | undefined },
  ) {
    this.#feed = feed
    this.#clock = clock
    this.#signal = signal
    this.#fetched = this.#read = from
  }

  /** The next message; undefined when the run has ended and all were read. */
  async next(): Promise<RunMessage | undefined> {
    for (;;) {
      const row = this.#unread.shift()
      if (row !== undefined) return this.#messageOf(row)
      // Race: several may ask at the same time; each message is read once.
      this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined))
      if (!(await this.#fetching)) return undefined
    }
  }

  #messageOf({ epoch, n, value }: EmittedRow): RunMessage {
    const missed = n - 1 - (epoch === this.#read.epoch ? this.#read.n : 0)
    this.#read = { epoch, n }
    return { offset: `${epoch}-${n}`, message: decode(value), ...(missed > 0 && { missed }) }
  }

  /** True once there are more, false when there will be none. */
  async #fetch(): Promise<boolean> {
    const see = async (): Promise<boolean | undefined> => {
      // Asked in this order: what was said before the end is read before the end is believed.
      const finished = await this.#feed.finished()
      this.#unread = [...(await this.#feed.messages(this.#fetched, slice))]
      this.#fetched = this.#unread.at(-1) ?? this.#fetched
      if (this.#unread.length > 0) return true
      return finished === undefined ? undefined : false
    }
    return (await look(this.#feed, see, { clock: this.#clock, signal: this.#signal })) ?? false
  }
}
