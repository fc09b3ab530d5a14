// One script under way: what stands for it here, while a thread performs it.
import {
  sharedAt,
  type Thread,
  type ThreadEnd,
  type ThreadKind,
  type Threads,
  type ThreadUser,
} from '../engine/pool/threads.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { deferred } from '../lib/deferred.ts'
import type { Log } from '../lib/log.ts'
import { errorOf, scriptCrashed, scriptTimedOut } from './errors.ts'
import type { ScriptFrom } from './place.ts'
import type { Answer, ScriptLine, ScriptOrder } from './wire.ts'

export interface Surroundings {
  readonly threads: Threads
  readonly kind: ThreadKind
  readonly clock: Clock
  readonly log: Log
}

export interface Task {
  readonly order: ScriptOrder
  readonly from: ScriptFrom
  readonly onLine: ((line: ScriptLine) => void) | undefined
}

// D13: the limit inside comes first, as it keeps the thread.
const graceMs = 500
// A thread that is new has things to load.
const loadMs = 20_000

export class ScriptRun implements ThreadUser {
  readonly #task: Task
  readonly #around: Surroundings
  readonly #result = deferred<unknown>()
  #thread: Thread | undefined
  #id = 0
  #limit: Timer | undefined
  #isOver = false

  constructor(task: Task, around: Surroundings) {
    this.#task = task
    this.#around = around
  }

  /** Has it performed, once a thread is free for it. */
  start(): Promise<unknown> {
    const turn = this.#around.threads.enter()
    if (turn === undefined) this.#begin()
    else void turn.then(() => this.#begin())
    return this.#result.promise
  }

  /** Ends it at once; its thread, which is told to stop, is kept when it does so soon. */
  cut(reason: unknown): void {
    if (this.#isOver) return
    this.#reject(reason)
    if (this.#thread === undefined) return
    Atomics.store(this.#thread.shared, sharedAt.cut, this.#id)
    this.#endIn(0)
  }

  /** Ends it and its thread. */
  end(reason: unknown): void {
    const { threads } = this.#around
    const thread = this.#thread
    this.#reject(reason)
    if (thread !== undefined) this.#leave(threads.end(thread))
  }

  // ThreadUser

  hear(answer: Answer): void {
    const thread = this.#thread
    if (answer.id !== this.#id || thread === undefined) return
    if (!answer.isSpent) this.#around.threads.giveBack(thread)
    this.#leave(answer.isSpent ? this.#around.threads.end(thread) : undefined)
    if (!this.#isOver) this.#settle(answer)
  }

  ended(how: ThreadEnd): void {
    this.#leave()
    this.#reject(scriptCrashed(how, this.#task.order))
  }

  #begin(): void {
    const { threads, kind } = this.#around
    if (this.#isOver) return threads.leave()
    const { order } = this.#task
    this.#thread = threads.take(kind, this)
    this.#id = this.#thread.nextId()
    this.#thread.post({ ...order, id: this.#id })
    this.#endIn(order.timeoutMs)
  }

  #settle({ ending, lines }: Answer): void {
    const { order, from, onLine } = this.#task
    try {
      for (const line of lines) onLine?.(line)
      if (ending.type !== 'returned') return this.#reject(errorOf(ending, { ...order, from }))
      this.#isOver = true
      this.#result.resolve(JSON.parse(ending.value))
    } catch (error) {
      this.#reject(error)
    }
  }

  #reject(reason: unknown): void {
    this.#isOver = true
    this.#result.reject(reason)
  }

  /** Race: when this loop was busy, the answer may be there already; it is heard first. */
  #endIn(timeMs: number): void {
    const { clock } = this.#around
    const delayMs = timeMs + graceMs + (this.#id === 1 ? loadMs : 0)
    this.#limit?.cancel()
    this.#limit = clock.after(delayMs, () => clock.soon(() => this.#giveUp()))
  }

  /** It does not even hear that its time is over. */
  #giveUp(): void {
    if (this.#thread === undefined) return
    const { timeoutMs } = this.#task.order
    this.#around.log.warn({ timeoutMs }, 'a script went on after it was to stop: its thread was ended')
    this.end(scriptTimedOut(timeoutMs))
  }

  /** Gives its place to the next, once its thread is gone where that is to end. */
  #leave(gone?: Promise<void>): void {
    const { threads } = this.#around
    this.#thread = undefined
    this.#limit?.cancel()
    if (gone === undefined) threads.leave()
    else void gone.finally(() => threads.leave())
  }
}
