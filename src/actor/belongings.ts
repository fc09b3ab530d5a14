// What an actor may have besides its mailbox, made when first used and gone when it restarts or ends.

import type { Clock } from '../lib/clock.ts'
import type { Cell } from './cell.ts'
import { Siblings } from './core.ts'
import { Stash } from './stash.ts'
import { Supervision } from './supervision.ts'
import type { Strategy } from './supervision.ts'
import { Tasks } from './tasks.ts'
import { ActorTimers } from './timers.ts'
import type { Turns } from './timers.ts'
import { Watching } from './watch.ts'

export class Belongings {
  readonly children = new Siblings()
  readonly stash = new Stash()
  readonly tasks = new Tasks()
  readonly watching: Watching
  /** Whether the parent fails when this one does. */
  escalates = false
  readonly #clock: Clock
  readonly #turns: Turns
  #timers: ActorTimers | undefined
  #abort: AbortController | undefined
  #supervision: Supervision | undefined

  constructor(clock: Clock, owner: Cell) {
    this.#clock = clock
    this.#turns = owner
    this.watching = new Watching(owner)
  }

  get timers(): ActorTimers {
    return (this.#timers ??= new ActorTimers(this.#clock, this.#turns))
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal
  }

  /** Restarts children that fail; one for one unless told otherwise before. */
  get supervision(): Supervision {
    return (this.#supervision ??= new Supervision(this.#clock, this.children, 'one-for-one'))
  }

  superviseBy(strategy: Strategy): void {
    this.#supervision = new Supervision(this.#clock, this.children, strategy)
  }

  killChildren(): void {
    while (this.children.last !== undefined) this.children.last.life.kill()
  }

  /** Cancels the timers, ends the watching and aborts the signal, which tells `why`. */
  release(why: Error): void {
    this.#timers?.cancelAll()
    this.watching.endAll()
    this.#abort?.abort(why)
  }
}
