// READ FIRST: the base class of all actors and the rules they live by.
//
// An actor handles one message at a time: while an async handler is pending, its mailbox waits.
// A handler that throws gives its error to the one asker who waits for the answer, and the actor lives;
// when nobody asked (`tell`, `send`, a timer, a piped result, a hook) nobody else can act on the error, and the actor fails.
//
// A message:  ref → mailbox (envelope) → run-queue → cell → the handler → ask
// A failure:  cell → life.fail → supervision → life.retire → life.revive
// A pool:     pool → pool-ref → routes → pool-members → the mailbox of a member
// A thread:   thread → thread-link → (thread-wire) → thread-host
// All parts: ARCHITECTURE.md, section 5.

import type { Cell } from './cell.ts'
import { ActorContext } from './context.ts'
import type { Context } from './context.ts'
import { actorBoundTwice, contextMissing } from './errors.ts'
import type { StopReason } from './handle.ts'
import { ended } from './life-state.ts'

let setCell: (actor: Actor, cell: Cell) => void
let makeContext: (actor: Actor) => void

/**
 * The base of every actor: its public methods of at most one parameter are what it can be sent.
 *
 * ```ts
 * import { Actor, ActorSystem } from 'troupe/actor'
 * class Counter extends Actor {
 *   #n = 0
 *   add(by: number) { return (this.#n += by) }
 * }
 * const system = new ActorSystem()
 * const [counter] = system.spawn(() => new Counter())
 * counter.tell('add', 2)
 * console.log(await counter.ask('add', 1)) // 3
 * await system.stop()
 * ```
 */
export abstract class Actor {
  static {
    setCell = (actor, cell) => {
      if (actor.#cell !== undefined && actor.#cell.state !== ended) throw actorBoundTwice(actor.#cell)
      actor.#cell = cell
      actor.#context = undefined
    }
    makeContext = (actor) => void actor.ctx
  }

  #cell: Cell | undefined
  #context: ActorContext | undefined

  /** What the actor can do and know about itself; there from `started` on, not yet in the constructor. */
  protected get ctx(): Context<this> {
    if (this.#cell === undefined) throw contextMissing(this.constructor.name)
    this.#context ??= new ActorContext(this.#cell)
    return this.#context as unknown as Context<this>
  }

  /** Runs before the first message. When it fails the actor never existed: its mail becomes dead letters and `stopped` is not called. */
  started?(): unknown

  /** Runs each time the mailbox has become empty after at least one message was handled or one turn taken; the mailbox waits for its promise. */
  idle?(): unknown

  /**
   * Runs last, also before the actor is replaced by a restart. Its promise is waited for, but not after `'killed'`;
   * a handler that was cut off may still be running beside it.
   */
  stopped?(reason: StopReason): unknown
}

/** Makes the context of an actor that is about to be replaced, so that it keeps speaking for this actor and not for the next. */
export function keepContext(actor: Actor | undefined): void {
  if (actor !== undefined) makeContext(actor)
}

/** Ties an actor to the cell it lives in. */
export function bindActor(actor: Actor, cell: Cell): void {
  setCell(actor, cell)
}
