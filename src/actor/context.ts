// What an actor can do and know about itself: `this.ctx`.

import type { Timer } from '../lib/clock.ts'
import { toMs } from '../lib/duration.ts'
import type { Duration } from '../lib/duration.ts'
import type { Log, LogFields } from '../lib/log.ts'
import type { Actor } from './actor.ts'
import type { Belongings } from './belongings.ts'
import type { Cell } from './cell.ts'
import type { Core } from './core.ts'
import type { Entries } from './entries.ts'
import { endWaitFor } from './deadlock.ts'
import { actorRestarted, stashOutside, wholeNumber } from './errors.ts'
import { ending } from './life-state.ts'
import type { ReplyTo, Tagged } from './message.ts'
import type { Pool, PoolOptions } from './pool.ts'
import { cellOf } from './ref.ts'
import type { AskArguments, AskOptions, MessageName, Recipient, Ref, ReplyOf, Self } from './ref.ts'
import type { Make, SpawnOptions, Spawned } from './spawn.ts'
import type { ActorClass, ThreadOptions } from './thread.ts'
import type { SuperviseOptions, Supervised } from './supervise.ts'
import type { Terminated } from './watch.ts'

/**
 * Every `fn`, `onResult`, `onError` and `onEnd` runs as a turn of the mailbox: ahead of waiting messages, never beside a handler, unless that is
 * `concurrent`, and never after the end.
 */
export interface Context<A extends Actor = Actor> {
  readonly self: Self<A>
  /** Aborted when the actor is killed, fails, is restarted or has ended. */
  readonly signal: AbortSignal
  /** Logs with the actor's name among the fields. */
  readonly log: Log
  /** Tasks and piped promises that have not settled, those included that wait for others to end. */
  readonly active: number
  /** Starts a child in a worker thread. */
  spawn<C extends ActorClass>(type: C, options: ThreadOptions<C>): Spawned<InstanceType<C>>
  /** Starts a child. It is stopped when this actor stops and killed when this one is killed, fails or is restarted. */
  spawn<C extends Actor>(make: Make<C>, options?: SpawnOptions): Spawned<C>
  /**
   * Starts children that are restarted by one strategy. When one of them is not restarted any more, all of them end and this actor fails;
   * a supervisor is not restarted by itself: start it in `started`.
   */
  supervise<E extends Entries>(options: SuperviseOptions, children: E): Supervised<E>
  /** Starts a pool of children behind one ref, as `system.pool` does. When one of them is not restarted any more, all of them end and this actor fails. */
  pool<C extends Actor>(make: Make<C>, options: PoolOptions<NoInfer<C>>): Pool<C>
  /** Closes the door; the actor ends once it has handled what was let in. One that is `permanent` is restarted instead, and its mail stays. */
  stop(): void
  /**
   * Brings the end of another actor, also one that has been: to `onEnd`, else as the message `Terminated` to the method of that name.
   * A restart is no end. Harmless to repeat: the last `onEnd` counts.
   */
  watch(ref: Watched, onEnd?: (end: Terminated) => unknown): void
  /** From now on nothing is heard of its end. */
  unwatch(ref: Watched): void
  /** As `ref.ask`, and also after an `await` seen by the search for deadlocks, unless tasks or other handlers of this actor are under way. */
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
   * Without `onError`, an error fails the actor. The promise of an ask is no wait from then on, for the search for deadlocks; one derived from it still is.
   */
  pipe<T>(promise: PromiseLike<T>, onResult: (value: T) => unknown, onError?: (error: unknown) => unknown): void
  /**
   * Starts work beside the mailbox and brings its result, or its error, back as a turn. A stop waits for it; its signal is aborted with the actor's.
   * Without `onError`, an error fails the actor.
   *
   * With `limit`, work that would be one too many waits, and the mailbox waits with it: senders feel it when the mailbox is full.
   */
  task<T>(
    work: (signal: AbortSignal) => T | PromiseLike<T>,
    onResult?: (value: T) => unknown,
    options?: TaskOptions,
  ): void
  /** Puts the message that is being handled aside; an asker goes on waiting. As many fit as into the mailbox. */
  stash(): void
  /** Brings what was stashed back, ahead of the mailbox and in the order it came. */
  unstash(): void
}

/** Any ref, as far as watching goes. */
export type Watched = Pick<Ref<Actor>, 'id' | 'weak'>

export interface TaskOptions {
  readonly onError?: (error: unknown) => unknown
  /** How many tasks of this actor may run when this one begins, itself included. */
  readonly limit?: number
}

// What code that outlived its actor gets.
const firesNever: Timer = { cancel: () => undefined }

interface Askable {
  ask(message: string | Tagged, ...rest: readonly unknown[]): Promise<unknown>
}

export class ActorContext {
  readonly #cell: Cell
  readonly #incarnation: number
  #log: Log | undefined

  constructor(cell: Cell) {
    this.#cell = cell
    this.#incarnation = cell.incarnation
  }

  get self(): object {
    return this.#cell.ref
  }

  get signal(): AbortSignal {
    return this.#isReplaced ? AbortSignal.abort(this.#whyOver) : this.#cell.life.signal
  }

  get log(): Log {
    return (this.#log ??= logOf(this.#cell))
  }

  get active(): number {
    return this.#isReplaced ? 0 : this.#cell.active
  }

  spawn<C extends Actor>(make: Make<C>, options?: SpawnOptions): Spawned<C> {
    return this.#cell.core.spawn(this.#origin, make, options)
  }

  supervise<E extends Entries>(options: SuperviseOptions, children: E): Supervised<E> {
    return this.#cell.core.supervise(this.#origin, options, children)
  }

  pool<C extends Actor>(make: Make<C>, options: PoolOptions<NoInfer<C>>): Pool<C> {
    return this.#cell.core.pool(this.#origin, make, options)
  }

  stop(): void {
    if (!this.#isReplaced) this.#cell.life.leave()
  }

  watch(ref: Ref<Actor>, onEnd?: (end: Terminated) => unknown): void {
    if (!this.#isOver) this.#belongings.watching.add(cellOf(ref), onEnd)
  }

  unwatch(ref: Ref<Actor>): void {
    if (!this.#isOver) this.#belongings.watching.remove(cellOf(ref))
  }

  ask(ref: Askable, message: string | Tagged, ...rest: readonly unknown[]): Promise<unknown> {
    const { core } = this.#cell
    const isContinuation = core.running === undefined && !this.#isReplaced && this.#cell.hasOneThread
    return core.runAs(isContinuation ? this.#cell : core.running, () => ref.ask(message, ...rest))
  }

  after(time: Duration, fn: () => unknown): Timer {
    return this.#isOver ? firesNever : this.#belongings.timers.after(toMs(time), this.#cell.core.observer.bound(fn))
  }

  every(time: Duration, fn: () => unknown): Timer {
    return this.#isOver ? firesNever : this.#belongings.timers.every(toMs(time), this.#cell.core.observer.bound(fn))
  }

  pipe<T>(
    promise: PromiseLike<T>,
    onResult: (value: T) => unknown,
    onError: (error: unknown) => unknown = rethrow,
  ): void {
    if (this.#isOver) {
      // Race: work that its signal has aborted is rejected after the end, where nobody is left to hear of it.
      void promise.then(undefined, () => undefined)
      return
    }
    endWaitFor(this.#cell, promise)
    this.#cell.active++
    this.#bringBack(Promise.resolve(promise), onResult, onError)
  }

  task<T>(
    work: (signal: AbortSignal) => T | PromiseLike<T>,
    onResult: (value: T) => unknown = () => undefined,
    { onError = rethrow, limit = Infinity }: TaskOptions = {},
  ): void {
    if (limit !== Infinity) wholeNumber('limit of a task', limit, 1)
    if (this.#isOver) return
    const { tasks } = this.#belongings
    this.#cell.active++
    tasks.start(limit, () => {
      if (this.#isReplaced) return
      const promise = this.#perform(work)
      const ended = (): void => tasks.ended()
      void promise.then(ended, ended)
      this.#bringBack(promise, onResult, onError)
    })
    if (tasks.areTooMany) this.#cell.takeDetours()
  }

  stash(): void {
    if (this.#isOver) throw stashOutside(this.#cell)
    this.#cell.stashCurrent(this.#belongings.stash)
  }

  unstash(): void {
    if (this.#isOver) return
    this.#belongings.stash.empty()
    this.#cell.wake()
  }

  get #origin(): { readonly core: Core; readonly parent: Cell } {
    if (this.#isReplaced) throw this.#whyOver
    return { core: this.#cell.core, parent: this.#cell }
  }

  get #belongings(): Belongings {
    return this.#cell.life.belongings
  }

  /** Whether this speaks for an actor that was replaced by a restart, or cut off. */
  get #isReplaced(): boolean {
    return this.#incarnation !== this.#cell.incarnation
  }

  get #isOver(): boolean {
    return this.#isReplaced || this.#cell.life.isEnding
  }

  get #whyOver(): Error {
    return this.#cell.state < ending ? actorRestarted(this.#cell) : this.#cell.whyGone()
  }

  /** Invariant: whom the work waits for is not whom the handler waits for. */
  #perform<T>(work: (signal: AbortSignal) => T | PromiseLike<T>): Promise<T> {
    return this.#cell.core.runAs(undefined, async () => work(this.signal))
  }

  #bringBack<T>(promise: Promise<T>, onResult: (value: T) => unknown, onError: (error: unknown) => unknown): void {
    const settle = (turn: () => unknown): void => {
      if (this.#isReplaced) return
      this.#cell.active--
      this.#cell.enqueueTurn(turn)
    }
    void promise.then(
      (value) => settle(() => onResult(value)),
      (error: unknown) => settle(() => onError(error)),
    )
  }
}

function logOf(cell: Cell): Log {
  const at =
    (level: keyof Log) =>
    (fields: LogFields, message: string): void =>
      cell.core.log[level]({ actor: cell.toString(), ...fields }, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function rethrow(error: unknown): never {
  throw error
}
