// One reading of what a run says: in order, from any place on, in slices.
import type { Clock } from '../../lib/clock.ts'
import { optionInvalid } from '../../model/errors.ts'
import type { EmitCursor } from '../../store/store.ts'
import { look } from './look.ts'
import type { RunFeed } from './run-feed.ts'

export interface Reading<Row extends EmitCursor> {
  readonly feed: RunFeed
  readonly clock: Clock
  /** Behind this one. */
  readonly from: EmitCursor
  readonly signal: AbortSignal | undefined
  /** Whether it waits for what the run has yet to say. */
  readonly isFollowed: boolean
  readonly fetch: (after: EmitCursor, limit: number) => readonly Row[] | Promise<readonly Row[]>
}

// A slow reader holds no more than that.
const slice = 100

const fromTheFirst: EmitCursor = { epoch: 0, n: 0 }

/** The place an offset stands for. Throws `option_invalid`. */
export function checkFrom(from: unknown): EmitCursor {
  if (from === undefined) return fromTheFirst
  const [, epoch, n] = /^(\d{1,15})-(\d{1,15})$/.exec(typeof from === 'string' ? from : '') ?? []
  if (epoch === undefined) throw optionInvalid('from', from, 'the offset of a message or line')
  return { epoch: Number(epoch), n: Number(n) }
}

/** Throws `option_invalid`. */
export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw optionInvalid('signal', signal, 'an AbortSignal')
}

export function offsetOf({ epoch, n }: EmitCursor): string {
  return `${epoch}-${n}`
}

export class SliceReader<Row extends EmitCursor> {
  readonly #reading: Reading<Row>
  #fetched: EmitCursor
  #unread: Row[] = []
  #fetching: Promise<boolean> | undefined

  constructor(reading: Reading<Row>) {
    this.#reading = reading
    this.#fetched = reading.from
  }

  /** The next one; undefined when there will be none: the run has ended and all was read, or it is not waited for. */
  async next(): Promise<Row | undefined> {
    for (;;) {
      const row = this.#unread.shift()
      if (row !== undefined) return row
      // Race: several may ask at the same time; each row is read once.
      this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined))
      if (!(await this.#fetching)) return undefined
    }
  }

  /** True once there are more, false when there will be none. */
  async #fetch(): Promise<boolean> {
    const { feed, clock, signal, isFollowed, fetch } = this.#reading
    const see = async (): Promise<boolean | undefined> => {
      // Asked in this order: what was said before the end is read before the end is believed.
      const finished = isFollowed ? await feed.finished() : undefined
      this.#unread = [...(await fetch(this.#fetched, slice))]
      this.#fetched = this.#unread.at(-1) ?? this.#fetched
      if (this.#unread.length > 0) return true
      return isFollowed && finished === undefined ? undefined : false
    }
    return (await look(feed, see, { clock, signal })) ?? false
  }
}
