// What all actors of one system share.

import type { Clock } from '../lib/clock.ts'
import { silenceFaults } from '../lib/log.ts'
import type { Log } from '../lib/log.ts'
import { AskTimeouts } from './ask-timeouts.ts'
import type { Cell } from './cell.ts'
import { DeadLetterBox } from './dead-letters.ts'
import { Observer } from './observation.ts'
import type { PoolFunction } from './pool.ts'
import { RunQueue } from './run-queue.ts'
import type { Pick } from './run-queue.ts'
import type { SpawnFunction } from './spawn.ts'
import type { SuperviseFunction } from './supervise.ts'
import { Siblings } from './siblings.ts'
import { Supervision } from './supervision.ts'
import type { Tracing } from './tracing.ts'

interface CoreDeps {
  readonly clock: Clock
  readonly log: Log
  readonly askTimeoutMs: number
  readonly spawn: SpawnFunction
  readonly supervise: SuperviseFunction
  readonly pool: PoolFunction
  readonly tracing: Tracing | undefined
  /** Who takes the next turn; in order when absent. */
  readonly pick: Pick | undefined
}

export class Core {
  readonly clock: Clock
  readonly log: Log
  readonly askTimeoutMs: number
  readonly spawn: SpawnFunction
  readonly supervise: SuperviseFunction
  readonly pool: PoolFunction
  readonly runQueue: RunQueue
  readonly askTimeouts: AskTimeouts
  readonly deadLetters: DeadLetterBox
  /** The actors without a parent. */
  readonly children = new Siblings()
  readonly supervision: Supervision
  readonly names = new Map<string, Cell>()
  readonly observer: Observer
  /** The actor whose handler runs now, up to its first `await`. */
  running: Cell | undefined = undefined
  lastId = 0
  alive = 0
  /** Of the actors that have ended. */
  processed = 0
  failed = 0

  constructor(deps: CoreDeps) {
    this.clock = deps.clock
    this.log = silenceFaults(deps.log)
    this.askTimeoutMs = deps.askTimeoutMs
    this.spawn = deps.spawn
    this.supervise = deps.supervise
    this.pool = deps.pool
    this.runQueue = new RunQueue(deps.clock, deps.pick)
    this.supervision = new Supervision(deps.clock, this.children)
    this.askTimeouts = new AskTimeouts(deps.clock)
    this.deadLetters = new DeadLetterBox(deps.clock, this.log)
    this.observer = new Observer({ ...deps, log: this.log, deadLetters: this.deadLetters })
  }

  /** Calls `fn` as the one who runs, for the search for deadlocks; as nobody when `cell` is undefined. */
  runAs<T>(cell: Cell | undefined, fn: () => T): T {
    const before = this.running
    this.running = cell
    try {
      return fn()
    } finally {
      this.running = before
    }
  }

  bookEnd(cell: Cell): void {
    this.alive--
    this.processed += cell.processed
    this.failed += cell.failed
    if (cell.name !== undefined) this.names.delete(cell.name)
  }
}
