// The messages of one activation on their way to its readers: in order, some at a time, and never more than are kept.
import { encode } from '../../lib/codec.ts'
import { Ring } from '../../lib/ring.ts'
import type { EmitRecord } from '../../store/speech.ts'
import type { Activation } from '../activation/activation.ts'
import type { MessageRules } from '../definition/definition.ts'
import { Encoded } from '../activation/encoded.ts'
import { messageBytes } from '../value-size.ts'
import type { HeldRecord, WriteOwner } from '../writes.ts'

// Bounds a write, so that one talkative run does not hold up the commits of all others.
const mostAtOnce = 500
// The oldest are dropped so many at a time, or a tenth of what is kept when that is less.
const mostDropped = 1_000

export const messageSize = { maxBytes: messageBytes, what: 'message' }

export class OutgoingMessages implements WriteOwner {
  readonly #activation: Activation
  readonly #rules: MessageRules
  /** What waits until the messages before it are durable. */
  #gathered: Ring<EmitRecord> | undefined
  #said = 0
  #droppedThrough = 0
  #hasDropped = false
  #underWay = 0

  constructor(activation: Activation) {
    this.#activation = activation
    this.#rules = activation.definition.settings.messages
  }

  /** False when it was dropped: the run is over, or has said too much. */
  emit(message: unknown): boolean {
    if (!this.#activation.isHeard) return false
    this.#activation.beat()
    const { keep, overflow } = this.#rules
    const isTooMany = this.#said >= keep
    if (isTooMany && overflow === 'drop-newest') return this.#noteDrop()
    const value = message instanceof Encoded ? message.text : encode(message, messageSize)
    if (isTooMany) this.#noteDrop()
    this.#said += 1
    const record = { held: this.#activation.held, n: this.#said, value }
    if (this.#underWay === 0) this.#send([{ list: 'emits', record }])
    else this.#gather(record)
    return true
  }

  /** Sends all that was said, ahead of what is written next. */
  flush(): void {
    while (this.#left > 0) this.#sendSome()
  }

  written(): void {
    const { around, claimed } = this.#activation
    around.heard(claimed.id)
    this.#goOn()
  }

  /** Words are not worth a run: what could not be written is gone, and the next real write tells. */
  writeFailed(error: Error): void {
    this.#activation.deps.log.warn({ run: this.#activation.claimed.id, err: error }, 'a message of a run was lost')
    this.#goOn()
  }

  #goOn(): void {
    this.#underWay -= 1
    if (this.#underWay === 0 && this.#left > 0) this.#sendSome()
  }

  get #left(): number {
    return this.#gathered === undefined ? 0 : this.#gathered.size
  }

  #gather(record: EmitRecord): void {
    this.#gathered ??= new Ring()
    this.#gathered.push(record)
    if (this.#gathered.size > this.#rules.keep) this.#gathered.shift()
  }

  #sendSome(): void {
    const records: HeldRecord[] = []
    while (records.length < mostAtOnce) {
      const record = this.#gathered?.shift()
      if (record === undefined) break
      records.push({ list: 'emits', record })
    }
    this.#send(records)
  }

  #send(records: HeldRecord[]): void {
    const { keep, overflow } = this.#rules
    const through = this.#said - this.#left - keep
    const atOnce = Math.max(1, Math.min(mostDropped, Math.floor(keep / 10)))
    if (overflow === 'drop-oldest' && through >= this.#droppedThrough + atOnce) {
      this.#droppedThrough = through
      records.push({ list: 'drops', record: { held: this.#activation.held, through } })
    }
    this.#underWay += 1
    this.#activation.send(this, records)
  }

  /** Told once; false for the sender. */
  #noteDrop(): false {
    const { speech, around } = this.#activation
    around.counts.droppedMessages += 1
    if (this.#hasDropped) return false
    this.#hasDropped = true
    const { keep, overflow } = this.#rules
    const what = overflow === 'drop-newest' ? 'further ones are dropped' : 'the oldest are dropped from now on'
    speech.log('warn', `${keep} messages sent: ${what}. The option { messages: { keep, overflow } } sets the bound.`)
    return false
  }
}
