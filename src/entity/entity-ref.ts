// How an entity is reached: by anybody, from outside and from within handlers.
import { checkName } from '../engine/checks.ts'
import type { Duration } from '../lib/duration.ts'

type Handler = (ctx: never, ...args: never[]) => unknown

/** The names of the messages that an entity handles. */
export type HandlerName<Handlers> = unknown extends Handlers ? string : keyof Handlers & string

/** What follows the name of a message. */
export type HandlerArguments<Handlers, Name extends string> = unknown extends Handlers
  ? unknown[]
  : Name extends keyof Handlers
    ? Handlers[Name] extends (ctx: never, ...args: infer Args) => unknown
      ? Args
      : never
    : never

/** What an ask is answered with. */
export type HandlerReply<Handlers, Name extends string> = unknown extends Handlers
  ? unknown
  : Name extends keyof Handlers
    ? Handlers[Name] extends Handler
      ? Awaited<ReturnType<Handlers[Name]>>
      : never
    : never

export interface EntityRefOptions {
  /** How long an ask waits for its reply, and `send` for room; 30 s unless told. */
  readonly timeout?: Duration
}

/**
 * Reaches an entity, whether it is there yet or not. A ref may be copied and dropped freely; messages of one sender who awaits each are handled in the order sent.
 *
 * Within a handler what is told goes with the commit of the handler, and not at all when that throws; an ask goes at once, and the entity handles nothing else while it waits.
 */
export interface EntityRef<Handlers = unknown> {
  readonly key: string

  /**
   * Sends and goes on once the message is durable; the entity handles it once, whatever crashes.
   *
   * Throws: `message_unknown`; `mailbox_full`; `run_ended` when the entity was cancelled; `worker_not_registered`, `value_not_storable`, `value_too_large` (256 KiB),
   * `engine_stopped`, `store_…`.
   */
  tell<Name extends HandlerName<Handlers>>(name: Name, ...args: HandlerArguments<Handlers, Name>): Promise<true>

  /** The same, and waits for room where the mailbox is full. */
  send<Name extends HandlerName<Handlers>>(name: Name, ...args: HandlerArguments<Handlers, Name>): Promise<true>

  /**
   * Sends, and gives what the handler returns, once that and the state are durable.
   *
   * Throws: what the handler threw, and then nothing has changed; `ask_timeout`, after which it may have been handled all the same; and as `tell`.
   */
  ask<Name extends HandlerName<Handlers>>(
    name: Name,
    ...args: HandlerArguments<Handlers, Name>
  ): Promise<HandlerReply<Handlers, Name>>

  /** Forgets the state and the reminders, after what was sent before; the next message finds a new one. */
  destroy(): Promise<void>
}

/** What a ref sends by. */
export interface Sending {
  tell(message: Sent): Promise<true>
  send(message: Sent): Promise<true>
  ask(message: Sent): Promise<unknown>
}

/** A message by its name and arguments. */
export interface Sent {
  readonly message: string
  readonly args: readonly unknown[]
}

/** The message that every entity handles. */
export const destroyName = '$destroy'

export class SentRef implements EntityRef {
  readonly key: string
  readonly #by: Sending

  constructor(key: string, by: Sending) {
    this.key = key
    this.#by = by
  }

  async tell(message: string, ...args: readonly unknown[]): Promise<true> {
    return this.#by.tell(sent(message, args))
  }

  async send(message: string, ...args: readonly unknown[]): Promise<true> {
    return this.#by.send(sent(message, args))
  }

  async ask(message: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#by.ask(sent(message, args))
  }

  async destroy(): Promise<void> {
    await this.#by.tell({ message: destroyName, args: [] })
  }
}

function sent(message: string, args: readonly unknown[]): Sent {
  checkName('The name of a message', message)
  return { message, args }
}
