// Asks spelled as method calls.

import type { Actor } from './actor.ts'
import type { Protocol } from './message.ts'
import type { AskArguments, AskOptions, Ref, ReplyOf } from './ref.ts'

/** A method for each message of `A`, with the same payload and options as `ask`. */
export type Stub<A> = {
  readonly [K in keyof Protocol<A>]: (...payload: AskArguments<A, K>) => Promise<ReplyOf<A, K>>
}

interface Askable {
  ask(name: string, payload?: unknown, options?: AskOptions): Promise<unknown>
}

/** Lets an actor be asked with method calls: `stub(counter).add(1)` is `counter.ask('add', 1)`. */
export function stub<A extends Actor>(ref: Ref<A>): Stub<A> {
  const askable = ref as unknown as Askable
  const get = (_: object, name: string | symbol): unknown => {
    // Whoever awaits the stub looks for this one: it is no promise.
    if (typeof name === 'symbol' || name === 'then') return undefined
    return (payload?: unknown, options?: AskOptions) => askable.ask(name, payload, options)
  }
  return new Proxy({}, { get }) as Stub<A>
}
