// The home of actors: starts them, finds them by name, stops them all.

import type { Clock } from '../lib/clock.ts'
import { systemClock } from '../lib/clock.ts'
import { toMs } from '../lib/duration.ts'
import type { Duration } from '../lib/duration.ts'
import type { Log, LogFields } from '../lib/log.ts'
import type { Actor } from './actor.ts'
import { Core } from './core.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Entries } from './entries.ts'
import { systemStopped } from './errors.ts'
import type { InspectionListener } from './inspection.ts'
import { metricsOf, treeOf } from './metrics.ts'
import type { ActorMetrics, ActorNode } from './metrics.ts'
import type { StopOptions } from './handle.ts'
import { pool } from './pool.ts'
import type { Pool, PoolOptions } from './pool.ts'
import { pickTurns } from './run-queue.ts'
import type { TurnOptions } from './run-queue.ts'
import { isOf } from './protocol.ts'
import type { Ref } from './ref.ts'
import { startRegistry } from './registry.ts'
import type { Registry } from './registry.ts'
import { killAll } from './siblings.ts'
import type { Siblings } from './siblings.ts'
import { spawn } from './spawn.ts'
import type { Make, SpawnOptions, Spawned } from './spawn.ts'
import type { ActorClass, ThreadOptions } from './thread.ts'
import { supervise } from './supervise.ts'
import type { SuperviseOptions, Supervised } from './supervise.ts'
import { tracingOf } from './tracing.ts'
import type { OpenTelemetry } from './tracing.ts'

export interface ActorSystemOptions {
  readonly name?: string
  readonly clock?: Clock
  /** Where failures and dead letters are told; warnings and errors go to the console when absent. */
  readonly log?: Log
  /** How long an ask waits unless it says otherwise; 30 s when absent. */
  readonly askTimeout?: Duration
  /**
   * Makes a span of each message: `true` loads `@opentelemetry/api`, or hand that module in. Off when absent.
   * What a handler sends is traced below its own span.
   */
  readonly tracing?: boolean | OpenTelemetry
}

let readCore: (system: ActorSystem) => Core

/** What the actors of a system share, for the test kit. */
export function coreOf(system: ActorSystem): Core {
  return readCore(system)
}

/**
 * Starts actors, finds them by name, shows what they do, and stops them all.
 *
 * ```ts
 * import { Actor, ActorSystem } from 'troupe/actor'
 * class Greeter extends Actor {
 *   greet(name: string) { return `Hello ${name}` }
 * }
 * const system = new ActorSystem({ name: 'demo' })
 * const [greeter, handle] = system.spawn(() => new Greeter(), { name: 'greeter' })
 * console.log(await greeter.ask('greet', 'Ann')) // Hello Ann
 * console.log((await handle.stop()).kind) // stopped
 * ```
 */
export class ActorSystem {
  static {
    readCore = (system) => system.#core
  }

  readonly name: string
  readonly #core: Core
  #isStopping = false
  #stopped: Promise<void> | undefined

  /** Throws: `package_missing` when it is to trace and `@opentelemetry/api` is not installed. */
  constructor(options: ActorSystemOptions = {}) {
    const { name = 'troupe', clock = systemClock, log = consoleLog, askTimeout = '30s', tracing = false } = options
    const { [pickTurns]: pick } = options as TurnOptions
    this.name = name
    this.#core = new Core({
      clock,
      log,
      askTimeoutMs: toMs(askTimeout),
      spawn,
      supervise,
      pool,
      tracing: tracingOf(tracing),
      pick,
    })
  }

  get deadLetters(): DeadLetters {
    return this.#core.deadLetters
  }

  /**
   * Starts an actor of the class in a worker thread, behind the same ref: payloads and replies are copied and cross in batches,
   * and a kill ends also a handler that never returns.
   */
  spawn<C extends ActorClass>(type: C, options: ThreadOptions<C>): Spawned<InstanceType<C>>
  /**
   * Starts an actor and returns its ref and the handle to stop it with. Messages may be sent at once; they wait for `started`.
   *
   * Throws: `name_taken`, `option_invalid`, `system_stopped`. A constructor or `started` that throws shows in `handle.done`.
   */
  spawn<A extends Actor>(make: Make<A>, options?: SpawnOptions): Spawned<A>
  spawn(make: Make<Actor>, options?: SpawnOptions): Spawned<Actor> {
    return spawn(this.#origin, make, options)
  }

  /**
   * Starts actors that are restarted by one strategy, `'permanent'` unless they say otherwise; the handle stops them, last started first.
   * When one of them is not restarted any more, all of them end with their supervisor, and the log tells.
   *
   * ```ts
   * import { Actor, ActorSystem } from 'troupe/actor'
   * class Store extends Actor {
   *   read() { return 42 }
   * }
   * const system = new ActorSystem()
   * const [{ store }, handle] = system.supervise({ strategy: 'rest-for-one', max: 5, within: '1m', backoff: '1s' }, {
   *   store: Store,
   *   cache: { make: () => new Store(), restart: 'transient', mailbox: 1000 },
   * })
   * console.log(await store.ask('read')) // 42
   * await handle.stop()
   * ```
   *
   * Throws: `name_taken`, `option_invalid`, `system_stopped`; nothing is left behind then.
   */
  supervise<E extends Entries>(options: SuperviseOptions, children: E): Supervised<E> {
    return supervise(this.#origin, options, children)
  }

  /**
   * Starts actors one after the other, each when `started` of the one before has ended; `lookup` finds them by their keys.
   * They are stopped in reverse order with the system, or when the record is disposed of.
   *
   * ```ts
   * import { Actor, ActorSystem } from 'troupe/actor'
   * class Store extends Actor {
   *   override async started() {}
   *   read() { return 42 }
   * }
   * const system = new ActorSystem()
   * const { store } = await system.registry({ store: () => new Store(), copy: { make: Store, mailbox: 1000 } })
   * console.log(await store.ask('read')) // 42
   * await system.stop()
   * ```
   *
   * Rejects with `registry_failed`, which names the entry and carries the cause, when one does not start: those started before it
   * are stopped by then. With `option_invalid`, before anything is started, when an entry is none.
   */
  registry<E extends Entries>(entries: E): Promise<Registry<E>> {
    return startRegistry((make, options) => this.spawn(make, options), entries)
  }

  /**
   * Starts several actors of one kind behind one ref. Each message goes to the mailbox of one of them, which `route` chooses, or to all;
   * so it is the messages with one `key`, or of a pool of one, that stay in order.
   *
   * A member that fails is restarted and keeps its mail. When it has failed too often, the pool fails with all its members, and the log tells.
   * A member that stops itself is replaced; what it still handles may then run beside the next message of its keys.
   *
   * ```ts
   * import { Actor, ActorSystem } from 'troupe/actor'
   * class Carts extends Actor {
   *   readonly #items = new Map<string, number>()
   *   add(user: string) {
   *     const count = (this.#items.get(user) ?? 0) + 1
   *     this.#items.set(user, count)
   *     return count
   *   }
   * }
   * const system = new ActorSystem()
   * const carts = system.pool(Carts, { size: 4, route: 'hash', key: (_name, user) => user })
   * carts.tell('add', 'ann')
   * carts.tell('add', 'bob')
   * console.log(`${carts} ${await carts.ask('add', 'ann')}`) // Carts×4(#1) 2
   * await carts.handle.stop()
   * ```
   *
   * Throws: `name_taken`, `option_invalid`, `system_stopped`; nothing is left behind then.
   */
  pool<A extends Actor>(make: Make<A>, options: PoolOptions<NoInfer<A>>): Pool<A> {
    return pool(this.#origin, make, options)
  }

  /** The living actor of that name; with a class, only if it is one of these. */
  lookup(name: string): Ref<Actor> | undefined
  lookup<A extends Actor>(name: string, type: abstract new (...deps: never) => A): Ref<A> | undefined
  lookup(name: string, type?: abstract new (...deps: never) => Actor): Ref<Actor> | undefined {
    const cell = this.#core.names.get(name)
    if (cell === undefined || (type !== undefined && !isOf(cell.protocol, type))) return undefined
    return cell.ref as unknown as Ref<Actor>
  }

  /**
   * Shows `listener` what happens to the actors from now on, each thing at once where it happens; returns what ends that.
   *
   * While somebody listens every message is timed, and `metrics().latencyMs` counts them all. What the listener throws is logged.
   *
   * ```ts
   * import { Actor, ActorSystem } from 'troupe/actor'
   * class Greeter extends Actor {
   *   greet(name: string) { return `Hello ${name}` }
   * }
   * const system = new ActorSystem()
   * system.inspect((event) => console.log(event.type, event.actor)) // spawned Greeter(#1), started Greeter(#1), handled Greeter(#1)
   * const [greeter] = system.spawn(Greeter)
   * await greeter.ask('greet', 'Ann')
   * ```
   */
  inspect(listener: InspectionListener): () => void {
    return this.#core.observer.inspect(listener)
  }

  metrics(): ActorMetrics {
    return metricsOf(this.#core)
  }

  /** The living actors, each with its children, as they are now. */
  tree(): ActorNode[] {
    return treeOf(this.#core)
  }

  /**
   * Stops all actors one after the other, last started first, each as `handle.stop()` does; starts no more from now on.
   *
   * What is left after `within` is killed. Never rejects; harmless to repeat.
   */
  stop({ within }: StopOptions = {}): Promise<void> {
    const withinMs = within === undefined ? undefined : toMs(within)
    this.#isStopping = true
    this.#stopped ??= stopAll(this.#core.children).then(() => this.#end())
    if (withinMs !== undefined) this.#killAfter(withinMs, this.#stopped)
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get #origin(): { readonly core: Core } {
    if (this.#isStopping) throw systemStopped(this.name)
    return { core: this.#core }
  }

  #end(): void {
    this.#core.observer.end()
    this.#core.deadLetters.end()
  }

  #killAfter(withinMs: number, stopped: Promise<void>): void {
    const { children, clock } = this.#core
    const deadline = clock.after(withinMs, () => killAll(children))
    void stopped.then(() => deadline.cancel())
  }
}

async function stopAll(actors: Siblings): Promise<void> {
  for (let cell = actors.last; cell !== undefined; cell = actors.last) {
    cell.life.stop()
    await cell.life.done
  }
}

const consoleLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields, message) => console.warn(message, ...errorIn(fields)),
  error: (fields, message) => console.error(message, ...errorIn(fields)),
}

function errorIn({ error }: LogFields): unknown[] {
  return error === undefined ? [] : [error]
}
