// Runs in a worker thread: one attempt there, which tells the one that stands for it outside what its code says and does.
import type { Performance } from '../engine/activation/surroundings.ts'
import type { Attempt } from '../engine/activation/attempt.ts'
import { errorText } from '../engine/error-text.ts'
import { mostCleanups, type Cleanup } from '../engine/activation/cleanups.ts'
import { valueSize } from '../engine/value-size.ts'
import type { HeldRecord, WriteOwner } from '../engine/writes.ts'
import { systemClock } from '../lib/clock.ts'
import { decodeError, encode } from '../lib/codec.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import { reviveError } from '../model/error-classes.ts'
import { optionInvalid } from '../model/errors.ts'
import type { Held } from '../store/store.ts'
import { ThreadSpeech } from './thread-speech.ts'
import type { News, Place, RunMessage, ThreadData, ToThread } from './thread-wire.ts'

export interface ThreadSide {
  readonly data: ThreadData
  post(news: News): void
  /** Takes in what has arrived while the code did not yield. */
  look(): void
}

// The claim is known outside.
const held: Held = { runId: 0, generation: 0, epoch: 0 }
// Signs of life that follow one another faster say nothing new.
const beatEveryMs = 10

export class ThreadAttempt implements Attempt {
  readonly definition: Attempt['definition']
  readonly claimed: Attempt['claimed']
  readonly held = held
  readonly idempotencyKey: string
  readonly deps: Attempt['deps']
  readonly around: Attempt['around']
  readonly speech: ThreadSpeech
  isOver = false
  isHeard = true
  readonly #side: ThreadSide
  readonly #cleanups: Cleanup[] = []
  #abort: AbortController | undefined
  #reason: Error | undefined
  #performance: Performance | undefined
  #beatAt = -Infinity
  #token: Deferred<string> | undefined

  constructor(
    { runId, correlationId, attempt, scheduledAt, states }: RunMessage,
    { name, messages }: Place,
    side: ThreadSide,
  ) {
    this.#side = side
    this.definition = { name }
    this.claimed = { id: runId, correlationId, attempt, scheduledAt, states }
    this.idempotencyKey = runId
    this.deps = { clock: systemClock }
    this.around = side.data
    const { post, data } = side
    this.speech = new ThreadSpeech({ shared: data.shared, rules: messages, post, isHeard: () => this.isHeard })
  }

  /** Code that never yields hears of nothing: asking for the signal looks whether something has come. */
  get signal(): AbortSignal {
    this.#side.look()
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#reason !== undefined) this.#abort.abort(this.#reason)
    }
    return this.#abort.signal
  }

  attach(performance: Performance): void {
    this.#performance = performance
  }

  beat(): void {
    const now = systemClock.monotonic()
    if (now - this.#beatAt < beatEveryMs) return
    this.#beatAt = now
    this.#side.post({ type: 'beat' })
  }

  snooze(delayMs: number): void {
    if (!this.isOver) this.#side.post({ type: 'snooze', delayMs })
  }

  later(): Promise<string> {
    if (this.#token === undefined) this.#side.post({ type: 'later' })
    this.#token ??= deferred()
    return this.#token.promise
  }

  /** What became of asking for a token. */
  given({ token, error }: Extract<ToThread, { type: 'token' }>): void {
    if (token !== undefined) this.#token?.resolve(token)
    else this.#token?.reject(decodeError(error ?? '', reviveError))
    this.#token = token === undefined ? undefined : this.#token
  }

  defer(cleanup: Cleanup): void {
    const n = this.#cleanups.push(cleanup) - 1
    // One more is deferred outside, which cannot tell this code.
    const added = n + 2
    if (added > mostCleanups)
      throw optionInvalid('The number of clean-ups of an attempt', added, `at most ${mostCleanups}`)
    this.#side.post({ type: 'defer', n })
  }

  /** What becomes of it is known outside. */
  write(_owner: WriteOwner, records: readonly HeldRecord[]): void {
    this.#side.post({ type: 'write', records })
  }

  /** What its code returned. */
  returned(value: unknown): void {
    try {
      const text = encode(value, valueSize(this.#side.data.maxValueBytes, 'result'))
      this.#side.post({ type: 'returned', value: text })
    } catch (error) {
      this.#side.post({ type: 'unstorable', error: errorText(toError(error)) })
    }
  }

  threw(error: unknown): void {
    this.#side.post({ type: 'threw', error: errorText(toError(error)) })
  }

  /** It is cut short: its code is told. */
  cut(reason: string): void {
    if (this.isOver) return
    this.isOver = true
    this.#reason = decodeError(reason, reviveError)
    this.#side.post({ type: 'told' })
    this.#performance?.over(this.#reason)
    this.#abort?.abort(this.#reason)
  }

  async clean(n: number): Promise<void> {
    try {
      await this.#cleanups[n]?.()
      this.#side.post({ type: 'cleaned', n })
    } catch (error) {
      this.#side.post({ type: 'cleaned', n, error: errorText(toError(error)) })
    }
  }

  /** Nobody listens any more. */
  close(): void {
    this.isHeard = false
    if (this.isOver) return
    this.isOver = true
    this.#performance?.over(undefined)
  }
}
