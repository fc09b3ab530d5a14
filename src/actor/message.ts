// Message classes, and the types that say which actor handles which message with which reply.

import type { Actor } from './actor.ts'

/** Marks the reply a message asks for; there in the types only. */
declare const response: unique symbol

/** Anything an actor can be sent whole: the method named by `tag` handles it. */
export interface Tagged<T extends string = string, R = unknown> {
  readonly tag: T
  readonly [response]?: R
}

/** What the class made by `Message(tag)` looks like. */
export interface MessageClass<T extends string, P, R> {
  readonly tag: T
  new (...payload: [P] extends [void] ? [] : [payload: P]): Fields<P> & Tagged<T, R>
}

/** Payloads without fields that could be copied. */
type Whole =
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | Date
  | RegExp
  | URL
  | ArrayBuffer
  | ArrayBufferView

/** The payload as it stands on the message: its fields, or `payload` when it has none. */
type Fields<P> = [P] extends [void]
  ? unknown
  : P extends Whole
    ? { readonly payload: P }
    : P extends object
      ? Readonly<P>
      : { readonly payload: P }

/** The reply of a message. */
export type ReplyTo<M> = M extends { readonly [response]?: infer R } ? R : unknown

type Answer<R> = [R] extends [void] ? unknown : R | Promise<R>

/** The method an actor needs to take messages of type `M`. */
export type Handles<M extends Tagged> = { [T in M['tag']]: (message: M) => Answer<ReplyTo<M>> }

/**
 * The method a class needs to handle the messages of a message class: `implements Handler<typeof ExecuteStep>`.
 * It is named by the tag; a missing one, or one with the wrong reply, does not compile.
 */
export type Handler<C> = C extends { readonly tag: infer T extends string } & (abstract new (
  ...payload: never
) => infer M)
  ? { [K in T]: (message: M) => Answer<ReplyTo<M>> }
  : never

/** What a class can be sent: its public methods of at most one parameter, without the lifecycle. */
export type Protocol<A> = {
  [K in Exclude<keyof A, keyof Actor | symbol> as A[K] extends (payload: never) => unknown ? K : never]: A[K]
}

/** Names no message may carry: they belong to the lifecycle. */
type Reserved = 'ctx' | keyof Actor

/**
 * Makes a message class: a named payload with the type of its reply.
 *
 * An instance carries the payload's fields and `tag`; a payload without fields (a number, an array, a date) stands under `payload`.
 *
 * ```ts
 * import { Message } from 'troupe/actor'
 * class ExecuteStep extends Message('ExecuteStep')<{ step: string; queue: string }, boolean>() {}
 * const message = new ExecuteStep({ step: 'pack', queue: 'default' })
 * console.log(message.tag, message.step) // ExecuteStep pack
 * ```
 */
export function Message<const T extends string>(
  tag: T extends Reserved ? never : T,
): <P = void, R = void>() => MessageClass<T, P, R> {
  class TaggedMessage {
    static readonly tag: string = tag
    readonly tag: string = tag

    constructor(payload?: unknown) {
      const hasFields = Object.prototype.toString.call(payload) === '[object Object]'
      if (hasFields) Object.assign(this, payload, { tag })
      else if (payload !== undefined) Object.assign(this, { payload })
    }
  }
  return <P, R>() => TaggedMessage as unknown as MessageClass<T, P, R>
}
