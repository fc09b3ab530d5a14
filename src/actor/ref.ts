// How an actor is reached: the ref, the narrow view of it called recipient, and their types.

import type { Duration } from '../lib/duration.ts'
import { toMs } from '../lib/duration.ts'
import type { Actor } from './actor.ts'
import type { Cell } from './cell.ts'
import type { Handles, Protocol, ReplyTo, Tagged } from './message.ts'

/** Marks what a ref accepts; there in the types only. */
declare const accepts: unique symbol

export interface AskOptions {
  /** How long to wait for the reply, waiting for room included; the system's `askTimeout` when absent. */
  readonly timeout?: Duration
}

export type MessageName<A> = keyof Protocol<A> & string

type Method<A, K extends keyof Protocol<A>> = Extract<Protocol<A>[K], (payload: never) => unknown>

type PayloadOf<A, K extends keyof Protocol<A>> = Parameters<Method<A, K>>

export type AskArguments<A, K extends keyof Protocol<A>> =
  PayloadOf<A, K> extends [] ? [payload?: undefined, options?: AskOptions] : [...PayloadOf<A, K>, options?: AskOptions]

export type ReplyOf<A, K extends keyof Protocol<A>> = Awaited<ReturnType<Method<A, K>>>

interface Accepts<H> {
  readonly [accepts]?: H
}

/** The part of a ref that may send messages of type `M`; any ref whose actor handles `M` is one. */
export interface Recipient<M extends Tagged> extends Accepts<Handles<M>> {
  tell(message: M): boolean
  send(message: M): Promise<void> | undefined
}

/**
 * Reaches an actor. A ref may be copied, passed on and dropped freely; it prints as `Counter(#7)`.
 *
 * Messages of one sender arrive in the order sent. Every message that was let in is handled or becomes a dead letter, exactly once.
 */
export interface Ref<A extends Actor> extends Accepts<A> {
  readonly id: number

  /** Sends and goes on. False means that the message became a dead letter: the mailbox was full or the actor is gone. */
  tell<K extends MessageName<A>>(name: K, ...payload: PayloadOf<A, K>): boolean
  tell<M extends Tagged>(this: Accepts<Handles<M>>, message: M): boolean

  /**
   * Sends, waiting for room: undefined when the message is in at once, else a promise of that moment.
   *
   * The promise is rejected with `actor_stopped`, `actor_killed` or `actor_failed` when the actor ends first and with `mailbox_full` when the mailbox
   * fails on overflow. One that nobody awaits harms nothing: the dead letter tells. A dropping mailbox never makes a sender wait.
   */
  send<K extends MessageName<A>>(name: K, ...payload: PayloadOf<A, K>): Promise<void> | undefined
  send<M extends Tagged>(this: Accepts<Handles<M>>, message: M): Promise<void> | undefined

  /**
   * Sends, waiting for room, and resolves with the reply.
   *
   * Rejects with what the handler threw (the actor lives on), with `ask_timeout`, or with the reason why it was not handled:
   * `actor_stopped`, `actor_killed`, `actor_failed`, `mailbox_full`, `message_discarded`, `message_unknown`.
   * After a timeout the message may still have been handled: only one that was still in the mailbox never is.
   */
  ask<K extends MessageName<A>>(name: K, ...payload: AskArguments<A, K>): Promise<ReplyOf<A, K>>
  ask<M extends Tagged>(this: Accepts<Handles<M>>, message: M, options?: AskOptions): Promise<ReplyTo<M>>
}

type Own<K extends string, P> = Accepts<{ [N in K]: (payload: P) => unknown }>

/** An actor's ref to itself. Inside the class its own type is still open, so a name is checked against the method it stands for. */
export type Self<A extends Actor> = Ref<A> & SelfVerbs

interface SelfVerbs {
  tell<const K extends string>(this: Own<K, undefined>, name: Exclude<K, keyof Actor>): boolean
  tell<const K extends string, P>(this: Own<K, P>, name: Exclude<K, keyof Actor>, payload: P): boolean
  send<const K extends string>(this: Own<K, undefined>, name: Exclude<K, keyof Actor>): Promise<void> | undefined
  send<const K extends string, P>(this: Own<K, P>, name: Exclude<K, keyof Actor>, payload: P): Promise<void> | undefined
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

let readCell: (ref: ActorRef) => Cell

/** The one class behind `Ref` and `Recipient`. */
export class ActorRef {
  static {
    readCell = (ref) => ref.#cell
  }

  readonly #cell: Cell

  constructor(cell: Cell) {
    this.#cell = cell
  }

  get id(): number {
    return this.#cell.id
  }

  tell(message: string | Tagged, payload?: unknown): boolean {
    return typeof message === 'string'
      ? this.#cell.mailbox.tell(message, payload)
      : this.#cell.mailbox.tell(message.tag, message)
  }

  send(message: string | Tagged, payload?: unknown): Promise<void> | undefined {
    return typeof message === 'string'
      ? this.#cell.mailbox.send(message, payload)
      : this.#cell.mailbox.send(message.tag, message)
  }

  ask(message: string | Tagged, second?: unknown, third?: AskOptions): Promise<unknown> {
    if (typeof message === 'string') return this.#cell.mailbox.ask(message, second, this.#timeoutMs(third))
    return this.#cell.mailbox.ask(message.tag, message, this.#timeoutMs(second as AskOptions | undefined))
  }

  toString(): string {
    return this.#cell.toString()
  }

  [inspect](): string {
    return this.#cell.toString()
  }

  #timeoutMs(options: AskOptions | undefined): number {
    return options?.timeout === undefined ? this.#cell.core.askTimeoutMs : toMs(options.timeout)
  }
}

/** The cell behind a ref, for the other parts of the core. */
export function cellOf(ref: Accepts<unknown>): Cell {
  return readCell(ref as unknown as ActorRef)
}
