// What an actor can do and know about itself: `this.ctx`.

import type { Timer } from '../lib/clock.ts'
import { toMs } from '../lib/duration.ts'
import type { Duration } from '../lib/duration.ts'
import type { Log, LogFields } from '../lib/log.ts'
import type { Actor } from './actor.ts'
import type { Cell } from './cell.ts'
import type { ReplyTo, Tagged } from './message.ts'
import type { AskArguments, AskOptions, MessageName, Recipient, Ref, ReplyOf, Self } from './ref.ts'
import type { Make, SpawnOptions, Spawned } from './spawn.ts'

/** Every `fn`, `onResult` and `onError` runs as a turn of the mailbox: never beside a handler, ahead of waiting messages, and never after the end. */
export interface Context<A extends Actor = Actor> {
  readonly self: Self<A>
  /** Aborted when the actor is killed, fails or has ended. */
  readonly signal: AbortSignal
  /** Logs with the actor's name among the fields. */
  readonly log: Log
  /** Starts a child. It is stopped when this actor stops and killed when this one is killed or fails. */
  spawn<C extends Actor>(make: Make<C>, options?: SpawnOptions): Spawned<C>
  /** Closes the door; the actor ends once it has handled what was let in. */
  stop(): void
  ask<B extends Actor, K extends MessageName<B>>(
    ref: Ref<B>,
    name: K,
    ...payload: AskArguments<B, K>
  ): Promise<ReplyOf<B, K>>
  ask<M extends Tagged>(ref: Recipient<M>, message: M, options?: AskOptions): Promise<ReplyTo<M>>
  /** Runs `fn` once. The timer dies with the actor. */
  after(time: Duration, fn: () => unknown): Timer
  /** Runs `fn` again and again. A time that comes while the turn of the one before still waits is skipped. */
  every(time: Duration, fn: () => unknown): Timer
  /**
   * Brings the result of a promise, or its error, back as a turn. The mailbox goes on meanwhile, and a stop waits for it.
   * Without `onError`, an error fails the actor.
   */
  pipe<T>(promise: PromiseLike<T>, onResult: (value: T) => unknown, onError?: (error: unknown) => unknown): void
}

// What code that outlived its actor gets.
const firesNever: Timer = { cancel: () => undefined }

interface Askable {
  ask(message: string | Tagged, ...rest: readonly unknown[]): Promise<unknown>
}

export class ActorContext {
  readonly #cell: Cell
  #log: Log | undefined

  constructor(cell: Cell) {
    this.#cell = cell
  }

  get self(): object {
    return this.#cell.ref
  }

  get signal(): AbortSignal {
    return this.#cell.signal
  }

  get log(): Log {
    return (this.#log ??= logOf(this.#cell))
  }

  spawn<C extends Actor>(make: Make<C>, options?: SpawnOptions): Spawned<C> {
    return this.#cell.core.spawn({ core: this.#cell.core, parent: this.#cell }, make, options)
  }

  stop(): void {
    this.#cell.stop()
  }

  ask(ref: Askable, message: string | Tagged, ...rest: readonly unknown[]): Promise<unknown> {
    return ref.ask(message, ...rest)
  }

  after(time: Duration, fn: () => unknown): Timer {
    return this.#cell.isEnding ? firesNever : this.#cell.belongings.timers.after(toMs(time), fn)
  }

  every(time: Duration, fn: () => unknown): Timer {
    return this.#cell.isEnding ? firesNever : this.#cell.belongings.timers.every(toMs(time), fn)
  }

  pipe<T>(
    promise: PromiseLike<T>,
    onResult: (value: T) => unknown,
    onError: (error: unknown) => unknown = rethrow,
  ): void {
    const cell = this.#cell
    cell.expectTurn()
    void Promise.resolve(promise).then(
      (value) => cell.enqueueExpectedTurn(() => onResult(value)),
      (error: unknown) => cell.enqueueExpectedTurn(() => onError(error)),
    )
  }
}

function logOf(cell: Cell): Log {
  const { log } = cell.core
  const fields = (more: LogFields): LogFields => ({ actor: cell.toString(), ...more })
  return {
    debug: (more, message) => log.debug(fields(more), message),
    info: (more, message) => log.info(fields(more), message),
    warn: (more, message) => log.warn(fields(more), message),
    error: (more, message) => log.error(fields(more), message),
  }
}

function rethrow(error: unknown): never {
  throw error
}
