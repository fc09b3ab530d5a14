// What the handlers of an entity are given: the state, who it is, and all that they can say.
import { types } from 'node:util'
import { checkKey, checkName, checkObject, timeOf } from '../engine/checks.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import type { UnkeyedOptions } from '../engine/verbs/call.ts'
import { storedTime } from '../engine/verbs/call.ts'
import type { Definition } from '../engine/definition/definition.ts'
import type { PublishOptions } from '../engine/events/events.ts'
import { encodeMessage } from '../engine/verbs/telling.ts'
import { toMs, type Duration } from '../lib/duration.ts'
import type { LogFields } from '../lib/log.ts'
import { optionInvalid } from '../model/errors.ts'
import { handlerMissing } from '../model/entity-errors.ts'
import { addressOf } from './address.ts'
import type { Entity } from './entity.ts'
import { SentRef, type EntityRef, type EntityRefOptions } from './entity-ref.ts'
import type { Turn } from './turn.ts'

/** When a reminder comes: so much later, at a time, or again and again. */
export type RemindAt = Duration | Date | { readonly every: Duration }

const noOptions = {}

/** What the handlers of an entity are called with. */
export class EntityContext<State = unknown> {
  readonly #turn: Turn

  /** @internal */
  constructor(turn: Turn) {
    this.#turn = turn
  }

  /** To be changed or replaced: as it is at the end of the handler, it is stored. What JSON and `devalue` do not keep is refused. */
  get state(): State {
    return this.#turn.state as State
  }

  set state(state: State) {
    this.#turn.state = state
  }

  get key(): string {
    return this.#turn.place.key
  }

  /** Of the run that the entity is, for `troupe show`. */
  get runId(): string {
    return this.#turn.place.activation.claimed.id
  }

  /** Which try of this message it is; the first is 1. */
  get attempt(): number {
    return this.#turn.attempt
  }

  /** Aborted when the handler times out, the entity is cancelled, or this node loses it. */
  get signal(): AbortSignal {
    return this.#turn.signal
  }

  /** Reaches this entity: what it tells itself is handled after what has come before. */
  get self(): EntityRef {
    const { behaviour, key } = this.#turn.place
    return new SentRef(key, this.#turn.to({ name: behaviour.name, key, behaviour }, 0))
  }

  /**
   * Reaches another entity, as `troupe.entity` does. What is told goes with the commit of this handler; an ask goes at once and is not taken back when the handler throws.
   *
   * Two entities that ask each other at once wait until their asks time out: let one of them tell.
   */
  entity<Handlers>(definition: Entity<Handlers>, key: string, options?: EntityRefOptions): EntityRef<Handlers>
  entity(name: string, key: string, options?: EntityRefOptions): EntityRef
  entity(target: Entity | string, key: string, options?: EntityRefOptions): EntityRef {
    const { address, timeoutMs } = addressOf(target, key, options)
    return new SentRef(key, this.#turn.to(address, timeoutMs))
  }

  /** Tells a run something, as `troupe.tell` does, with the commit of this handler. What has ended by then does not receive it. */
  async tell(runId: string, name: string, payload?: unknown): Promise<true> {
    checkName('The name of a message', name)
    return this.#turn.tellRun({ id: runId, name, value: encodeMessage(payload) })
  }

  /** Starts a run with the commit of this handler, and gives its id; the run begins after that. Throws what `troupe.call` throws. */
  async call(target: Definition | string, input?: unknown, options: UnkeyedOptions = noOptions): Promise<string> {
    return this.#turn.start(target, input, options)
  }

  /** Publishes an event with the commit of this handler. Throws: `option_invalid`, `value_not_storable`, `value_too_large` (256 KiB). */
  publish(event: string, payload?: unknown, options: PublishOptions = noOptions): void {
    this.#turn.publish(event, payload, options)
  }

  /**
   * Tells this entity something later, as `'bill'` or `['bill', 10]`, once or `{ every }` so long; of one name there is one reminder, the newest. It outlasts everything: one that was missed comes late,
   * and of those missed of one name only one. Then it is a message as any.
   *
   * Saves: one row, with the commit of this handler. Throws: `option_invalid` (more than 1,000), `message_unknown`, `value_not_storable`, `value_too_large` (256 KiB).
   *
   * ```ts
   * import { Troupe, entity } from 'troupe'
   * const cart = entity('cart', { state: () => ({ items: 0, isLeft: false }) }, {
   *   add(ctx) {
   *     ctx.remind('left', '10ms', 'leave')
   *     ctx.state.items += 1
   *   },
   *   leave(ctx) {
   *     ctx.state.isLeft = true
   *     ctx.publish('cart.left', ctx.key)
   *   },
   * })
   * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [cart] })
   * await troupe.start()
   * const left = new Promise((resolve) => void troupe.subscribe('cart.left', resolve))
   * await troupe.entity(cart, 'ann').tell('add')
   * console.log(await left) // ann
   * ```
   */
  remind(name: string, when: RemindAt, told: string | readonly [message: string, ...args: unknown[]]): void {
    checkKey('The name of a reminder', name)
    const { behaviour, key } = this.#turn.place
    const [message, ...args] = typeof told === 'string' ? [told] : told
    if (!behaviour.handlers.has(message))
      throw handlerMissing({ entity: behaviour.name, key, message }, [...behaviour.handlers.keys()])
    encodeMessage(args)
    this.#turn.reminders.set(name, { ...this.#timesOf(when), message, args })
  }

  /** Takes a reminder back; one that was due already may still come. */
  forget(name: string): void {
    this.#turn.reminders.set(name, null)
  }

  /** Forgets the state and all reminders with the commit of this handler; the next message finds a new state. */
  destroy(): void {
    this.#turn.isDestroying = true
  }

  /** Says a line, as the `ctx.log` of a worker. It is said also when the handler fails. */
  log(level: RunLogLevel, text: string, fields?: LogFields): void {
    if (!this.#turn.isOver) this.#turn.place.activation.speech.log(level, text, fields)
  }

  #timesOf(when: RemindAt): { readonly dueAt: number; readonly everyMs: number | null } {
    const now = this.#turn.place.activation.deps.store.now()
    if (types.isDate(when)) return { dueAt: storedTime(timeOf('The time of a reminder', when)), everyMs: null }
    if (typeof when !== 'object')
      return { dueAt: storedTime(now + toMs(when, 'The time of a reminder')), everyMs: null }
    checkObject('The time of a reminder', when, 'a duration, a Date, or { every }')
    const everyMs = toMs(when.every, 'every of a reminder')
    if (!(everyMs >= 1)) throw optionInvalid('every of a reminder', when.every, 'a duration of a millisecond or more')
    return { dueAt: storedTime(now + everyMs), everyMs }
  }
}
