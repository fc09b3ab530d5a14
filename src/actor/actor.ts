// READ FIRST: the base class of all actors and the rules they live by.
//
// An actor handles one message at a time: while an async handler is pending, its mailbox waits.
// A handler that throws gives its error to the one asker who waits for the answer, and the actor lives;
// when nobody asked (`tell`, `send`, a timer, a piped result, a hook) nobody else can act on the error, and the actor fails.
//
// The parts: message (what can be sent), ref (how), cell (the life of one actor), mailbox and envelope, run-queue (whose turn it is),
// ask and ask-timeouts, context (what an actor can do), spawn, handle, dead-letters, system.

import type { Cell } from './cell.ts'
import { ActorContext } from './context.ts'
import type { Context } from './context.ts'
import { actorBoundTwice, contextMissing } from './errors.ts'
import type { EndReason } from './handle.ts'

let setCell: (actor: Actor, cell: Cell) => void

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
      if (actor.#cell !== undefined && !actor.#cell.hasEnded) throw actorBoundTwice(actor.#cell)
      actor.#cell = cell
      actor.#context = undefined
    }
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

  /** Runs each time the mailbox has become empty after at least one message or turn; the mailbox waits for its promise. */
  idle?(): unknown

  /**
   * Runs last. After `'stopped'` and `'failed'` its promise is waited for; after `'killed'` it is not,
   * and a handler that was pending then may still be running beside it.
   */
  stopped?(reason: EndReason): unknown
}

/** Ties an actor to the cell it lives in. */
export function bindActor(actor: Actor, cell: Cell): void {
  setCell(actor, cell)
}
