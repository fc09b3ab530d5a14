// Who hears of the end of whom.

import type { Actor } from './actor.ts'
import type { Cell } from './cell.ts'
import { watchUnheard } from './errors.ts'
import type { ActorResult } from './handle.ts'
import { Message } from './message.ts'
import type { Method } from './protocol.ts'
import type { Ref } from './ref.ts'

/** Tells an actor that one it watches has ended; a restart is no end. */
export class Terminated extends Message('Terminated')<{ readonly ref: Ref<Actor>; readonly result: ActorResult }>() {}

type OnEnd = (end: Terminated) => unknown

/** The actors that one actor watches. */
export class Watching {
  readonly #watcher: Cell
  readonly #watched = new Map<Cell, OnEnd>()

  constructor(watcher: Cell) {
    this.#watcher = watcher
  }

  /** Brings the end of `cell`, also one that has been, as one turn: to `onEnd`, else to the method `Terminated`. */
  add(cell: Cell, onEnd: OnEnd | undefined): void {
    if (onEnd === undefined && this.#method === undefined) throw watchUnheard(this.#watcher.className)
    this.#watched.set(cell, onEnd ?? ((end) => this.#method?.call(this.#watcher.actor as Actor, end)))
    cell.life.addWatcher(this)
  }

  /** From now on nothing is heard of it, not even an end that has been and waits for its turn. */
  remove(cell: Cell): void {
    this.#watched.delete(cell)
    cell.life.removeWatcher(this)
  }

  endAll(): void {
    for (const cell of this.#watched.keys()) this.remove(cell)
  }

  hasEnded(cell: Cell, result: ActorResult): void {
    const onEnd = this.#watched.get(cell)
    if (onEnd === undefined) return
    this.#watcher.enqueueTurn(() => {
      if (this.#watched.get(cell) !== onEnd) return undefined
      this.#watched.delete(cell)
      return onEnd(new Terminated({ ref: cell.ref as unknown as Ref<Actor>, result }))
    })
  }

  get #method(): Method | undefined {
    const { actor, protocol } = this.#watcher
    return actor === undefined ? undefined : protocol?.find(actor, Terminated.tag, 'tell')
  }
}
