// Actors in threads of their own: what is spawned here stands for one in a worker thread and passes its messages on.

import type { WorkerOptions } from 'node:worker_threads'
import { Actor } from './actor.ts'
import type { Operation } from './envelope.ts'
import type { StopReason } from './handle.ts'
import { optionInvalid } from './errors.ts'
import { mailboxLimits } from './mailbox.ts'
import type { OverlapRules } from './overlap.ts'
import { setHandlers } from './protocol.ts'
import type { Handlers, Method } from './protocol.ts'
import { cellOf } from './ref.ts'
import type { SpawnOptions } from './spawn.ts'
import type { ThreadLink } from './thread-link.ts'

export type ActorClass = abstract new (...args: never) => Actor

export interface ThreadSettings extends SpawnOptions {
  /** The module that exports the class, under its own name or as default: `new URL('./parser.js', import.meta.url)`. */
  readonly thread: URL | string
  /** Settings of the worker thread, such as `resourceLimits`; a loader for TypeScript goes into `execArgv`. */
  readonly worker?: Pick<WorkerOptions, 'env' | 'execArgv' | 'resourceLimits'>
}

/** `args` are what its constructor is given, as a copy. */
export type ThreadOptions<C extends ActorClass> = ThreadSettings &
  ([] extends ConstructorParameters<C>
    ? { readonly args?: ConstructorParameters<C> }
    : { readonly args: ConstructorParameters<C> })

/** What the worker thread is told to run. */
export interface ThreadOrder {
  readonly module: string
  readonly className: string
  readonly args: readonly unknown[]
  /** How many messages it may put aside. */
  readonly capacity: number
  readonly worker: WorkerOptions
}

// Of one name, besides those that are put aside there; what is more waits in the mailbox.
const mostUnderWay = 1024

/** The class of actors that stand for one of `type` in a thread; each makes a thread of its own. */
export function threaded(
  type: ActorClass,
  { thread, args, mailbox, worker = {} }: ThreadSettings & { readonly args?: readonly unknown[] },
): new () => Actor {
  if (!URL.canParse(String(thread))) throw optionInvalid('thread', thread, "new URL('./parser.js', import.meta.url)")
  if (!((type.prototype as unknown) instanceof Actor)) throw optionInvalid('actor of a thread', type, 'its class')
  if (args !== undefined && !Array.isArray(args)) throw optionInvalid('args', args, 'an array')
  const { capacity } = mailboxLimits(mailbox)
  const order: ThreadOrder = { module: String(thread), className: type.name, args: args ?? [], capacity, worker }
  class Threaded extends ThreadActor {
    constructor() {
      super(order)
    }
  }
  Object.defineProperty(Threaded, 'name', { value: type.name })
  setHandlers(Threaded.prototype, new Forwarders(type.prototype as object, capacity + mostUnderWay))
  return Threaded
}

/**
 * Invariant: I16. A message is under way here until the thread has answered it, so what a thread takes down with it becomes a dead letter.
 */
class ThreadActor extends Actor {
  readonly #order: ThreadOrder
  #link: ThreadLink | undefined

  constructor(order: ThreadOrder) {
    super()
    this.#order = order
  }

  override async started(): Promise<void> {
    const { signal, log, self } = this.ctx
    const { ThreadLink } = await import('./thread-link.ts')
    if (signal.aborted) return
    const { life } = cellOf(self)
    const link = new ThreadLink(this.#order, {
      log,
      leaves: () => life.leave(),
      failed: (error) => life.fail('handle', error),
    })
    // A kill, a failure and a restart abort the signal, a stop only once the thread is through with it.
    signal.addEventListener('abort', () => void link.terminate())
    this.#link = link
    await link.ready
  }

  override async stopped(reason: StopReason): Promise<void> {
    if (reason === 'stopped') await this.#link?.stop()
    // The next one starts when this one is gone.
    await this.#link?.terminate()
  }

  drain(): void {
    this.#link?.drain()
  }

  forward(name: string, payload: unknown, isAsk: boolean): Promise<unknown> | undefined {
    return this.#link?.forward(name, payload, isAsk)
  }
}

/** Finds a forwarder for any name; whether there is such a method the thread knows. */
class Forwarders implements Handlers {
  readonly prototype: object
  /** Messages overlap on their way; the order and the rules of the class hold in the thread. */
  readonly overlaps: OverlapRules
  readonly #asks = new Map<string, Method>()
  readonly #tells = new Map<string, Method>()

  constructor(prototype: object, limit: number) {
    this.prototype = prototype
    this.overlaps = { get: () => ({ limit, isShared: false }) }
  }

  drain(actor: Actor): void {
    ;(actor as ThreadActor).drain()
  }

  find(_actor: Actor, name: string, operation: Operation): Method {
    const isAsk = operation === 'ask'
    const methods = isAsk ? this.#asks : this.#tells
    let method = methods.get(name)
    if (method === undefined) {
      method = function (this: Actor, payload) {
        return (this as ThreadActor).forward(name, payload, isAsk)
      }
      methods.set(name, method)
    }
    return method
  }
}
