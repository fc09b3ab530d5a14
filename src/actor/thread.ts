// Actors in threads of their own: what is spawned here stands for one in a worker thread and passes its messages on.

import type { WorkerOptions } from 'node:worker_threads'
import { Actor } from './actor.ts'
import type { Operation } from './envelope.ts'
import type { StopReason } from './handle.ts'
import { optionInvalid } from './errors.ts'
import { setHandlers } from './protocol.ts'
import type { Handlers, Method } from './protocol.ts'
import { cellOf } from './ref.ts'
import type { SpawnOptions } from './spawn.ts'
import type { ThreadLink } from './thread-link.ts'

export type ActorClass = abstract new (...args: never) => Actor

export interface ThreadOptions<C extends ActorClass> extends SpawnOptions {
  /** The module that exports the class, under its own name or as default: `new URL('./parser.js', import.meta.url)`. */
  readonly thread: URL | string
  /** What its constructor is given, as a copy. */
  readonly args?: ConstructorParameters<C>
  /** Settings of the worker thread, such as `resourceLimits`; a loader for TypeScript goes into `execArgv`. */
  readonly worker?: Pick<WorkerOptions, 'env' | 'execArgv' | 'resourceLimits'>
}

/** What the worker thread is told to run. */
export interface ThreadOrder {
  readonly module: string
  readonly className: string
  readonly args: readonly unknown[]
  readonly worker: WorkerOptions
}

/** Messages on their way to a thread, of one name; what is more waits in the mailbox. */
const window = 1024

/** The class of actors that stand for one of `type` in a thread; each makes a thread of its own. */
export function threaded<C extends ActorClass>(
  type: C,
  { thread, args, worker = {} }: ThreadOptions<C>,
): new () => Actor {
  if (!URL.canParse(String(thread))) throw optionInvalid('thread', thread, "new URL('./parser.js', import.meta.url)")
  if (!((type.prototype as unknown) instanceof Actor)) throw optionInvalid('actor of a thread', type, 'its class')
  if (args !== undefined && !Array.isArray(args)) throw optionInvalid('args', args, 'an array')
  const order: ThreadOrder = { module: String(thread), className: type.name, args: args ?? [], worker }
  class Threaded extends ThreadActor {
    constructor() {
      super(order)
    }
  }
  Object.defineProperty(Threaded, 'name', { value: type.name })
  setHandlers(Threaded.prototype, new Forwarders())
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
      left: () => life.leave(),
      failed: (error) => life.fail('handle', error),
    })
    // A kill, a failure and a restart abort the signal, a stop only once the thread is through with it.
    signal.addEventListener('abort', () => link.terminate())
    this.#link = link
    await link.ready
  }

  override async stopped(reason: StopReason): Promise<void> {
    if (reason === 'stopped') await this.#link?.stop()
  }

  forward(name: string, payload: unknown, isAsk: boolean): Promise<unknown> | undefined {
    return this.#link?.forward(name, payload, isAsk)
  }
}

/** Finds a forwarder for any name; whether there is such a method the thread knows. */
class Forwarders implements Handlers {
  /** Messages overlap on their way; the order and the rules of the class hold in the thread. */
  readonly overlaps = { get: () => ({ limit: window, isShared: false }) }
  readonly #asks = new Map<string, Method>()
  readonly #tells = new Map<string, Method>()

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
