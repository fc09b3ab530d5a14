// The home of actors: starts them, finds them by name, stops them all.

import type { Clock } from '../lib/clock.ts'
import { systemClock } from '../lib/clock.ts'
import { toMs } from '../lib/duration.ts'
import type { Duration } from '../lib/duration.ts'
import type { Log } from '../lib/log.ts'
import type { Actor } from './actor.ts'
import { Core } from './core.ts'
import type { Siblings } from './core.ts'
import type { DeadLetters } from './dead-letters.ts'
import { systemStopped } from './errors.ts'
import { metricsOf, nodesOf } from './metrics.ts'
import type { ActorMetrics, ActorNode } from './metrics.ts'
import type { StopOptions } from './handle.ts'
import type { Ref } from './ref.ts'
import { spawn } from './spawn.ts'
import type { Make, SpawnOptions, Spawned } from './spawn.ts'

export interface ActorSystemOptions {
  readonly name?: string
  readonly clock?: Clock
  /** Where failures and dead letters are told; warnings and errors go to the console when absent. */
  readonly log?: Log
  /** How long an ask waits unless it says otherwise; 30 s when absent. */
  readonly askTimeout?: Duration
}

/**
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
  readonly name: string
  readonly #core: Core
  #isStopping = false
  #stopped: Promise<void> | undefined

  constructor({ name = 'troupe', clock = systemClock, log = consoleLog, askTimeout = '30s' }: ActorSystemOptions = {}) {
    this.name = name
    this.#core = new Core({ clock, log, askTimeoutMs: toMs(askTimeout), spawn })
  }

  get deadLetters(): DeadLetters {
    return this.#core.deadLetters
  }

  /**
   * Starts an actor and returns its ref and the handle to stop it with. Messages may be sent at once; they wait for `started`.
   *
   * Throws: `name_taken`, `option_invalid`, `system_stopped`. A constructor or `started` that throws shows in `handle.done`.
   */
  spawn<A extends Actor>(make: Make<A>, options?: SpawnOptions): Spawned<A> {
    if (this.#isStopping) throw systemStopped(this.name)
    return spawn({ core: this.#core }, make, options)
  }

  /** The living actor of that name; with a class, only if it is one of these. */
  lookup(name: string): Ref<Actor> | undefined
  lookup<A extends Actor>(name: string, type: abstract new (...deps: never) => A): Ref<A> | undefined
  lookup(name: string, type?: abstract new (...deps: never) => Actor): Ref<Actor> | undefined {
    const cell = this.#core.names.get(name)
    if (cell === undefined || (type !== undefined && !(cell.actor instanceof type))) return undefined
    return cell.ref as unknown as Ref<Actor>
  }

  metrics(): ActorMetrics {
    return metricsOf(this.#core)
  }

  /** The living actors, each with its children, as they are now. */
  tree(): ActorNode[] {
    return nodesOf(this.#core.roots)
  }

  /**
   * Stops all actors one after the other, last started first, each as `handle.stop()` does; starts no more from now on.
   *
   * What is left after `within` is killed. Never rejects; harmless to repeat.
   */
  stop({ within }: StopOptions = {}): Promise<void> {
    const withinMs = within === undefined ? undefined : toMs(within)
    this.#isStopping = true
    this.#stopped ??= stopAll(this.#core.roots)
    if (withinMs !== undefined) this.#killAfter(withinMs, this.#stopped)
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #killAfter(withinMs: number, stopped: Promise<void>): void {
    const { roots, clock } = this.#core
    const deadline = clock.after(withinMs, () => {
      while (roots.last !== undefined) roots.last.life.kill()
    })
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
  warn: (_fields, message) => console.warn(message),
  error: (fields, message) => console.error(message, fields.error),
}
