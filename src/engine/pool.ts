// A pool: actors of one kind on a free list, so that a slow task never has another queued behind it.
import { Actor } from '../actor/actor.ts'
import type { Ref } from '../actor/ref.ts'
import type { ActorSystem } from '../actor/system.ts'
import type { Clock } from '../lib/clock.ts'
import { TroupeError } from '../lib/errors.ts'
import { Ring } from '../lib/ring.ts'
import { executeTask, type Task } from './task.ts'

export interface PoolBounds {
  /** Actors that are there from the start. */
  readonly min: number
  readonly max: number
}

export interface PoolOptions extends PoolBounds {
  readonly system: ActorSystem
  readonly clock: Clock
  readonly make: (work: PoolWork) => PoolActor
  /** An actor has become free and no task waits for it. */
  readonly freed: () => void
}

/** What an actor of a pool is given. */
export interface PoolWork {
  readonly clock: Clock
  readonly done: () => void
}

/** The base of workflow actors and task actors: executes one task at a time. */
export abstract class PoolActor extends Actor {
  readonly #work: PoolWork

  constructor(work: PoolWork) {
    super()
    this.#work = work
  }

  protected execute(task: Task): Promise<void> | void {
    const pending = executeTask(task, this.#work.clock)
    if (pending !== undefined) return pending.then(this.#work.done)
    this.#work.done()
  }

  abstract Execute(message: { readonly task: Task }): Promise<void> | void
}

interface Member {
  readonly ref: Ref<PoolActor>
  task: Task | undefined
}

export class Pool {
  readonly #options: PoolOptions
  readonly #free: Member[] = []
  readonly #waiting = new Ring<Task>()
  #size = 0
  #reserved = 0
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
    for (let index = 0; index < options.min; index++) this.#free.push(this.#hire())
  }

  /** How many more tasks could be executed at once. */
  get room(): number {
    const busy = this.#size - this.#free.length
    return Math.max(0, this.#options.max - busy - this.#reserved - this.#waiting.size)
  }

  /** Holds places for tasks that are on their way. */
  reserve(places: number): void {
    this.#reserved += places
  }

  /** Gives places back, just before their tasks come or because they never will. */
  unreserve(places: number): void {
    this.#reserved -= places
  }

  /** Executes a task on a free actor, or as soon as there is one. */
  execute(task: Task): void {
    const member = this.#free.pop() ?? (this.#size < this.#options.max ? this.#hire() : undefined)
    if (member === undefined) this.#waiting.push(task)
    else this.#give(member, task)
  }

  /** Dead actors are not replaced any more. */
  close(): void {
    this.#isClosed = true
  }

  #give(member: Member, task: Task): void {
    member.task = task
    member.ref.tell('Execute', { task })
  }

  #hire(): Member {
    this.#size += 1
    const { system, clock, make } = this.#options
    const [ref, handle] = system.spawn(() => make({ clock, done: () => this.#done(member) }))
    const member: Member = { ref, task: undefined }
    void handle.done.then(({ error }) => this.#died(member, error))
    return member
  }

  #done(member: Member): void {
    const next = this.#waiting.shift()
    if (next !== undefined) return this.#give(member, next)
    member.task = undefined
    this.#free.push(member)
    this.#options.freed()
  }

  /** A dead actor is replaced; its task has failed, not vanished. */
  #died(member: Member, cause: Error | undefined): void {
    this.#size -= 1
    const { task } = member
    const index = this.#free.indexOf(member)
    if (index >= 0) this.#free.splice(index, 1)
    if (this.#isClosed) return
    const next = this.#waiting.shift()
    if (next !== undefined) this.#give(this.#hire(), next)
    else this.#options.freed()
    const error = new TroupeError(
      'actor_failed',
      'The actor that executed this died: it is tried again while attempts are left.',
      { cause, retryable: true },
    )
    task?.attempted({ isError: true, error })
  }
}
