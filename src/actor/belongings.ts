// What an actor may have besides its mailbox, made when first used and gone when it restarts or ends.

import type { Clock } from '../lib/clock.ts'
import type { Cell } from './cell.ts'
import { Siblings, killAll } from './siblings.ts'
import { Stash } from './stash.ts'
import { Supervision } from './supervision.ts'
import { Tasks } from './tasks.ts'
import { ActorTimers } from './timers.ts'
import { Watching } from './watch.ts'

export class Belongings {
  readonly children = new Siblings()
  readonly stash = new Stash()
  readonly tasks = new Tasks()
  readonly watching: Watching
  /** Whether the parent fails when this one does. */
  escalates = false
  readonly timers: ActorTimers
  readonly supervision: Supervision
  #abort: AbortController | undefined

  constructor(clock: Clock, owner: Cell) {
    this.watching = new Watching(owner)
    this.timers = new ActorTimers(clock, owner)
    this.supervision = new Supervision(clock, this.children)
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal
  }

  /** Puts what was stashed back into the mailbox, and ends all the rest; the signal tells `why`. */
  giveBack(why: () => Error): void {
    this.stash.empty()
    this.release(why)
    killAll(this.children)
  }

  /** Cancels the timers, ends the watching and aborts the signal, which tells `why`. */
  release(why: () => Error): void {
    this.timers.cancelAll()
    this.watching.endAll()
    this.#abort?.abort(why())
  }
}
