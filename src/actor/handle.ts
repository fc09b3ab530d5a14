// How the one who spawned an actor stops it and learns how it ended.

import type { Duration } from '../lib/duration.ts'
import { toMs } from '../lib/duration.ts'
import type { Actor } from './actor.ts'
import type { Cell } from './cell.ts'

export type EndReason = 'stopped' | 'killed' | 'failed'

/** Why `stopped` is called: an actor that failed may be restarted after it; `'restarted'` comes with a sibling, or from an end of its own. */
export type StopReason = EndReason | 'restarted'

/** Where a failed actor failed: in its constructor or `started`; in a handler, `idle` or a turn of its own; in `stopped`. */
export type FailurePhase = 'start' | 'handle' | 'stop'

/** How an actor ended. */
export interface ActorResult<A extends Actor = Actor> {
  readonly kind: EndReason
  /** There when it failed. */
  readonly phase?: FailurePhase
  /** There when it failed: the first error. */
  readonly error?: Error
  /** The object, with its last state; absent when its constructor failed, and from pools and threads. */
  readonly actor?: A
}

export interface StopOptions {
  /** How long the actor may take; then the stop turns into a kill. */
  readonly within?: Duration
}

/** Ends an actor. A handle may be dropped; the actor lives on. */
export interface Handle<A extends Actor = Actor> {
  /** Resolves when the actor has ended; never rejects. */
  readonly done: Promise<ActorResult<A>>
  /**
   * Closes the door, lets the actor handle what was let in, waits for its tasks and piped promises, stops its children, last started first, and calls `stopped`.
   *
   * Resolves when that is over; never rejects. Harmless to repeat; a later kill wins. Awaited in the actor's own handler it would wait for itself:
   * use `ctx.stop()` there.
   */
  stop(options?: StopOptions): Promise<ActorResult<A>>
  /** Ends the actor and its children now: aborts `ctx.signal`, turns the mailbox into dead letters, ignores late results. Harmless to repeat. */
  kill(): Promise<ActorResult<A>>
}

export class ActorHandle {
  readonly #cell: Cell

  constructor(cell: Cell) {
    this.#cell = cell
  }

  get done(): Promise<ActorResult> {
    return this.#cell.life.done
  }

  stop(options?: StopOptions): Promise<ActorResult> {
    const withinMs = options?.within === undefined ? undefined : toMs(options.within)
    this.#cell.life.stop(withinMs)
    return this.#cell.life.done
  }

  kill(): Promise<ActorResult> {
    this.#cell.life.kill()
    return this.#cell.life.done
  }
}
