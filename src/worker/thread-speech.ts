// Runs in a worker thread: what the code there says, on its way out.
import type { Attempt } from '../engine/activation/attempt.ts'
import type { MessageRules } from '../engine/definition/definition.ts'
import { messageSize } from '../engine/mailboxes/outgoing-messages.ts'
import { checkLevel, spoken, type RunLogLevel } from '../engine/activation/speech.ts'
import { sharedAt } from '../engine/pool/threads.ts'
import { encode } from '../lib/codec.ts'
import type { LogFields } from '../lib/log.ts'
import { plainFields } from '../lib/plain.ts'
import { textOf } from '../lib/text.ts'
import type { News } from './thread-wire.ts'

// Invariant: I15. What was said and is not taken in yet; who says more is held up.
const mostUnheard = 1_000
const patienceMs = 1_000

export interface Mouth {
  readonly shared: Int32Array
  readonly rules: MessageRules
  post(news: News): void
  /** Whether somebody listens. */
  isHeard(): boolean
}

export class ThreadSpeech implements Pick<Attempt['speech'], 'emit' | 'progress' | 'log'> {
  readonly #mouth: Mouth
  readonly #heardBefore: number
  #said = 0
  #messages = 0

  constructor(mouth: Mouth) {
    this.#mouth = mouth
    this.#heardBefore = Atomics.load(mouth.shared, sharedAt.heard)
  }

  emit(message: unknown): boolean {
    if (!this.#mouth.isHeard()) return false
    const { keep, overflow } = this.#mouth.rules
    const isTooMany = this.#messages >= keep && overflow === 'drop-newest'
    // The first one too many goes out, so that it can be told.
    if (isTooMany && this.#messages > keep) return false
    const value = isTooMany ? 'u' : encode(message, messageSize)
    this.#messages += 1
    this.#say({ type: 'emit', value })
    return !isTooMany
  }

  progress(done: number, total: number): void {
    this.#say({ type: 'progress', done, total })
  }

  log(level: RunLogLevel, text: string, fields?: LogFields): void {
    checkLevel(level)
    const said = spoken(text, fields)
    this.#say({ type: 'log', level, text: textOf(said.text), fields: plainFields(said.fields) })
  }

  #say(news: News): void {
    const { shared, post } = this.#mouth
    post(news)
    this.#said += 1
    const heard = Atomics.load(shared, sharedAt.heard)
    if (this.#said - (heard - this.#heardBefore) >= mostUnheard) Atomics.wait(shared, sharedAt.heard, heard, patienceMs)
  }
}
