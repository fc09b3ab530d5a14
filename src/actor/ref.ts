// How an actor is reached: the ref, the narrow view of it called recipient, and their types.

import type { Duration } from '../lib/duration.ts'
import { toMs } from '../lib/duration.ts'
import type { Actor } from './actor.ts'
import type { Cell } from './cell.ts'
import { optionInvalid, priorityOff } from './errors.ts'
import { ended } from './life-state.ts'
import type { Mailbox } from './mailbox.ts'
import type { Handles, Protocol, ReplyTo, Tagged } from './message.ts'

/** Marks what a ref accepts; there in the types only. */
declare const accepts: unique symbol

export interface SendOptions {
  /** Goes through the second lane of an actor spawned with `priority: true`. */
  readonly priority?: boolean
}

export interface AskOptions extends SendOptions {
  /** How long to wait for the reply, waiting for room included; the system's `askTimeout` when absent. */
  readonly timeout?: Duration
}

export type MessageName<A> = keyof Protocol<A> & string

type Method<A, K extends keyof Protocol<A>> = Extract<Protocol<A>[K], (payload: never) => unknown>

type PayloadOf<A, K extends keyof Protocol<A>> = Parameters<Method<A, K>>

type Arguments<P extends readonly unknown[], O> = P extends []
  ? [payload?: undefined, options?: O]
  : [...P, options?: O]

/** Names the fault where a message finds no handler. */
interface Unhandled<T> {
  readonly 'the actor has no public method for this message': T
}

/** What a message must be besides itself: nothing, unless the actor does not handle it. */
export type Handled<A, M> = M extends Tagged ? (A extends Handles<M> ? unknown : Unhandled<M['tag']>) : unknown

type ArgumentsFor<A, M, O> = M extends keyof Protocol<A> ? Arguments<PayloadOf<A, M>, O> : [options?: O]

export type SendArguments<A, M> = ArgumentsFor<A, M, SendOptions>

export type AskArguments<A, M> = ArgumentsFor<A, M, AskOptions>

export type ReplyOf<A, M> = M extends keyof Protocol<A> ? Awaited<ReturnType<Method<A, M>>> : ReplyTo<M>

interface Accepts<H> {
  readonly [accepts]?: H
}

/** The part of a ref that may send messages of type `M`; any ref whose actor handles `M` is one. */
export interface Recipient<M extends Tagged> extends Accepts<Handles<M>> {
  tell(message: M, options?: SendOptions): boolean
  send(message: M, options?: SendOptions): Promise<void> | undefined
}

/** A ref that keeps nothing in memory. */
export interface WeakActorRef<A extends Actor> {
  readonly id: number
  /** The ref while the actor lives; undefined once it has ended. */
  deref(): Ref<A> | undefined
}

/**
 * Reaches an actor. A ref may be copied, passed on and dropped freely; it prints as `Counter(#7)`.
 *
 * Messages of one sender arrive in the order sent. Every message that was let in is handled or becomes a dead letter, exactly once.
 */
export interface Ref<A extends Actor> extends Accepts<A> {
  readonly id: number

  /** Sends and goes on. False means that the message became a dead letter: the mailbox was full or the actor is gone. */
  tell<M extends (keyof Protocol<A> & string) | Tagged>(
    message: M & Handled<A, M>,
    ...payload: SendArguments<A, M>
  ): boolean

  /**
   * Sends, waiting for room: undefined when the sender need not wait, as the message is in or was dropped; else a promise of the moment it is in.
   *
   * The promise is rejected with `actor_stopped`, `actor_killed` or `actor_failed` when the actor ends first and with `mailbox_full` when the mailbox
   * fails on overflow. One that nobody awaits harms nothing: the dead letter tells. A dropping mailbox never makes a sender wait.
   */
  send<M extends (keyof Protocol<A> & string) | Tagged>(
    message: M & Handled<A, M>,
    ...payload: SendArguments<A, M>
  ): Promise<void> | undefined

  /**
   * Sends, waiting for room, and resolves with the reply.
   *
   * Rejects with what the handler threw (the actor lives on), with `ask_timeout`, or with the reason why it was not handled:
   * `actor_stopped`, `actor_killed`, `actor_failed`, `actor_restarted`, `mailbox_full`, `message_discarded`, `message_unknown`, `deadlock`.
   * After a timeout the message may still have been handled: only one that was still in the mailbox never is.
   *
   * Asked from within a handler, before its first `await` or through `ctx.ask`, it is rejected with `deadlock` at once
   * when the other one waits, over any number of actors, for the one who asks; handlers that overlap are left out of that search.
   *
   * Throws: `option_invalid` for a timeout that is none, and for `priority` where there is no such lane.
   */
  ask<M extends (keyof Protocol<A> & string) | Tagged>(
    message: M & Handled<A, M>,
    ...payload: AskArguments<A, M>
  ): Promise<ReplyOf<A, M>>

  weak(): WeakActorRef<A>
}

type Own<K extends string, P> = Accepts<{ [N in K]: (payload: P) => unknown }>

/** An actor's ref to itself. Inside the class its own type is still open, so a name is checked against the method it stands for. */
export type Self<A extends Actor> = Ref<A> & SelfVerbs

interface SelfVerbs {
  tell<M extends Tagged>(this: Accepts<Handles<M>>, message: M, options?: SendOptions): boolean
  send<M extends Tagged>(this: Accepts<Handles<M>>, message: M, options?: SendOptions): Promise<void> | undefined
  tell<const K extends string>(
    this: Own<K, undefined>,
    name: Exclude<K, keyof Actor>,
    payload?: undefined,
    options?: SendOptions,
  ): boolean
  tell<const K extends string, P>(
    this: Own<K, P>,
    name: Exclude<K, keyof Actor>,
    payload: P,
    options?: SendOptions,
  ): boolean
  send<const K extends string>(
    this: Own<K, undefined>,
    name: Exclude<K, keyof Actor>,
    payload?: undefined,
    options?: SendOptions,
  ): Promise<void> | undefined
  send<const K extends string, P>(
    this: Own<K, P>,
    name: Exclude<K, keyof Actor>,
    payload: P,
    options?: SendOptions,
  ): Promise<void> | undefined
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

const uncopied = Symbol('a ref')

let readCell: (ref: ActorRef) => Cell

/** The one class behind `Ref` and `Recipient`. */
export class ActorRef {
  static {
    readCell = (ref) => ref.#cell
  }

  readonly #cell: Cell
  // A copy for another thread would be an empty object; a symbol cannot be copied, so that none is made.
  readonly uncopied = uncopied

  constructor(cell: Cell) {
    this.#cell = cell
  }

  get id(): number {
    return this.#cell.id
  }

  tell(message: string | Tagged, second?: unknown, third?: SendOptions): boolean {
    // The common case: no options.
    if (typeof message === 'string' && third === undefined) return this.#cell.mailbox.tell(message, second)
    if (typeof message === 'string') return this.#lane(message, third).tell(message, second)
    return this.#lane(tagOf(message), second as SendOptions | undefined).tell(message.tag, message)
  }

  send(message: string | Tagged, second?: unknown, third?: SendOptions): Promise<void> | undefined {
    if (typeof message === 'string') return this.#lane(message, third).send(message, second)
    return this.#lane(tagOf(message), second as SendOptions | undefined).send(message.tag, message)
  }

  ask(message: string | Tagged, second?: unknown, third?: AskOptions): Promise<unknown> {
    if (typeof message === 'string') return this.#ask(message, second, third)
    return this.#ask(tagOf(message), message, second as AskOptions | undefined)
  }

  weak(): WeakActorRef<Actor> {
    return weakRefTo(this.#cell)
  }

  toString(): string {
    return this.#cell.toString()
  }

  [inspect](): string {
    return this.#cell.toString()
  }

  #ask(name: string, payload: unknown, options: AskOptions | undefined): Promise<unknown> {
    const timeoutMs = options?.timeout === undefined ? this.#cell.core.askTimeoutMs : toMs(options.timeout)
    return this.#lane(name, options).ask(name, payload, timeoutMs)
  }

  #lane(name: string, options: SendOptions | undefined): Mailbox {
    if (options?.priority !== true) return this.#cell.mailbox
    if (this.#cell.lanes === undefined) throw priorityOff(this.#cell, name)
    return this.#cell.lanes.urgent
  }
}

function tagOf(message: Tagged | null | undefined): string {
  if (typeof message?.tag === 'string') return message.tag
  throw optionInvalid('message', message, 'a name, or an object with a tag')
}

function weakRefTo(cell: Cell): WeakActorRef<Actor> {
  const weak = new WeakRef(cell)
  const { id } = cell
  const text = `weak ${cell}`
  const deref = (): Ref<Actor> | undefined => {
    const target = weak.deref()
    return target === undefined || target.state === ended ? undefined : (target.ref as unknown as Ref<Actor>)
  }
  return { id, deref, toString: () => text, [inspect]: () => text } as WeakActorRef<Actor>
}

/** The cell behind a ref, for the other parts of the core. */
export function cellOf(ref: Accepts<unknown>): Cell {
  return readCell(ref as unknown as ActorRef)
}
