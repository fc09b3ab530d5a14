// Asks spelled as method calls.

import type { Actor } from './actor.ts'
import type { Protocol } from './message.ts'
import type { AskArguments, AskOptions, Ref, ReplyOf } from './ref.ts'
import { cellOf } from './ref.ts'

/** A method for each message of `A`, with the same payload and options as `ask`. */
export type Stub<A> = {
  readonly [K in keyof Protocol<A>]: (...payload: AskArguments<A, K>) => Promise<ReplyOf<A, K>>
}

interface Asking {
  readonly ref: { ask(name: string, payload: unknown, options?: AskOptions): Promise<unknown> }
}

const prototypes = new WeakMap<object, object>()

/**
 * Lets an actor be asked with method calls: `stub(counter).add(1)` is `counter.ask('add', 1)`.
 *
 * Throws: the reason the actor is gone, when it never came to life.
 */
export function stub<A extends Actor>(ref: Ref<A>): Stub<A> {
  const { protocol, actor } = cellOf(ref)
  if (protocol === undefined) throw cellOf(ref).whyGone()
  let prototype = prototypes.get(protocol)
  if (prototype === undefined) prototypes.set(protocol, (prototype = askingObject(null, protocol.names())))
  const own = actor === undefined ? [] : protocol.ownNames(actor)
  const base = own.length === 0 ? prototype : askingObject(prototype, own)
  return Object.create(base, { ref: { value: ref } }) as Stub<A>
}

function askingObject(base: object | null, names: readonly string[]): object {
  const methods = Object.create(base) as Record<string, unknown>
  for (const name of names) {
    methods[name] = function (this: Asking, payload: unknown, options?: AskOptions): Promise<unknown> {
      return this.ref.ask(name, payload, options)
    }
  }
  return methods
}
