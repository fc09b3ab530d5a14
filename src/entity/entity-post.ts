// What brings messages to entities: each with the start of its run, should there be none.
import type { DraftStart } from '../engine/starts.ts'
import type { Deps } from '../engine/deps.ts'
import { storedTime } from '../engine/verbs/call.ts'
import type { Replies } from '../engine/mailboxes/replies.ts'
import { RequestWrite } from '../engine/request-write.ts'
import { encodeMessage } from '../engine/verbs/telling.ts'
import { decode, encode } from '../lib/codec.ts'
import { isTroupeError } from '../lib/errors.ts'
import { fromErrorRecord, type ErrorRecord } from '../lib/error-record.ts'
import { reviveError } from '../model/error-classes.ts'
import { entityEnded, entityLate, handlerMissing, mailboxOfEntityFull, type Told } from '../model/entity-errors.ts'
import type { StartRecord } from '../store/start.ts'
import type { TellAnswer, TellRecord } from '../store/waits.ts'
import { defaultMailbox, type Behaviour } from './behaviour.ts'
import { destroyName, type Sending, type Sent } from './entity-ref.ts'

/** One entity, whether it is there yet or not. */
export interface Address {
  readonly name: string
  readonly key: string
  /** Undefined where its code is elsewhere. */
  readonly behaviour: Behaviour | undefined
}

/** What the post needs of where it is. */
export interface PostPlace {
  readonly deps: Deps
  readonly draft: DraftStart
  readonly replies: Replies
  bring(write: RequestWrite<'tells'>): Promise<void> | void
}

const firstPauseMs = 10
const longestPauseMs = 500

export class EntityPost {
  readonly #place: PostPlace
  /** A start of each name, to make others of. */
  readonly #starts = new Map<string, StartRecord | Promise<StartRecord>>()

  constructor(place: PostPlace) {
    this.#place = place
  }

  /** The ways to one entity. */
  to(address: Address, timeoutMs: number): Sending {
    return {
      tell: (sent) => this.#tell(address, sent),
      send: (sent) => this.#send(address, sent, timeoutMs),
      ask: (sent) => this.#ask(address, sent, timeoutMs),
    }
  }

  /** A message as it is stored. Throws `message_unknown`, `value_not_storable`, `value_too_large`, `worker_not_registered`. */
  async record(address: Address, sent: Sent): Promise<TellRecord> {
    const { name, behaviour } = address
    checkHandled(address, sent)
    // Race: what the caller gave is read before anything is awaited.
    const value = encodeMessage(sent.args)
    const known = this.#starts.get(name) ?? this.#firstStart(address)
    // Race: who sends several without a wait has them sent in this order.
    const start = this.#startOf(address, known instanceof Promise ? await known : known)
    return { id: start.id, name: sent.message, value, start, most: behaviour?.mailbox ?? defaultMailbox }
  }

  async #tell(address: Address, sent: Sent): Promise<true> {
    const answer = await this.#bring(await this.record(address, sent))
    if (answer !== 'told') throw refusal(toldTo(address, sent), answer)
    return true
  }

  async #send(address: Address, sent: Sent, timeoutMs: number): Promise<true> {
    const { clock } = this.#place.deps
    const overAt = clock.monotonic() + timeoutMs
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return await this.#tell(address, sent)
      } catch (error) {
        if (!isTroupeError(error, 'mailbox_full') || clock.monotonic() + pauseMs > overAt) throw error
      }
      await new Promise<void>((resolve) => void clock.after(pauseMs, resolve))
    }
  }

  async #ask(address: Address, sent: Sent, timeoutMs: number): Promise<unknown> {
    const { deps, replies } = this.#place
    const record = await this.record(address, sent)
    const askedUntil = storedTime(deps.store.now() + timeoutMs)
    const answer = await this.#bring({ ...record, askedUntil })
    const told = toldTo(address, sent)
    if (typeof answer === 'string') throw refusal(told, answer)
    const end = await replies.wait(answer.ask, timeoutMs)
    if (typeof end === 'object') {
      if (end.isError) throw fromErrorRecord(JSON.parse(end.value) as ErrorRecord, reviveError)
      return decode(end.value)
    }
    if (end === 'finished') throw entityEnded(told)
    await deps.store.asks.withdraw(answer.ask)
    throw entityLate(told, timeoutMs)
  }

  async #bring(record: TellRecord): Promise<TellAnswer> {
    const write = new RequestWrite('tells', record)
    await this.#place.bring(write)
    return write.answer
  }

  #firstStart({ name, key }: Address): Promise<StartRecord> {
    const drafted = this.#place.draft(name, { entity: name, key }, {}).then(({ record }) => {
      // What an engine gives all runs to end in is not for what lasts.
      const start = { ...record, deadlineAt: null, expiresAt: null, dueAt: null, isUnchecked: false }
      this.#starts.set(name, start)
      return start
    })
    drafted.catch(() => this.#starts.delete(name))
    this.#starts.set(name, drafted)
    return drafted
  }

  #startOf({ name, key }: Address, like: StartRecord): StartRecord {
    const input = encode({ entity: name, key })
    return { ...like, id: this.#place.deps.ids.uuid(), input, key: { rule: 'entity', key } }
  }
}

function checkHandled(address: Address, sent: Sent): void {
  const { behaviour } = address
  if (behaviour === undefined || sent.message === destroyName || behaviour.handlers.has(sent.message)) return
  throw handlerMissing(toldTo(address, sent), [...behaviour.handlers.keys()])
}

export function toldTo({ name, key }: Pick<Address, 'name' | 'key'>, { message }: Pick<Sent, 'message'>): Told {
  return { entity: name, key, message }
}

function refusal(told: Told, answer: TellAnswer): Error {
  return answer === 'full' ? mailboxOfEntityFull(told) : entityEnded(told)
}
