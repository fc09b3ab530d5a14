// A pool: actors of one kind on a free list, so that a slow task never has another queued behind it.
import { Actor } from '../../actor/actor.ts'
import type { Handle } from '../../actor/handle.ts'
import type { Ref } from '../../actor/ref.ts'
import type { ActorSystem } from '../../actor/system.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { TroupeError } from '../../lib/errors.ts'
import { Ring } from '../../lib/ring.ts'
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
  /** An actor has become free, and few tasks wait for it or none. */
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
  readonly handle: Handle
  task: Task | undefined
}

// More tasks than there are free actors are claimed at one time: this many, or a quarter of all actors.
const leastAhead = 8

// Actors above the least that were not needed for so long are given up.
const lookEveryMs = 30_000

export class Pool {
  readonly #options: PoolOptions
  // Invariant: D6. They take turns: whoever has been free for longest is next.
  readonly #free = new Ring<Member>()
  readonly #waiting = new Ring<Task>()
  #size = 0
  #reserved = 0
  #finished = 0
  #isClosed = false
  /** The most that were busy at once since the last look. */
  #peak = 0
  #look: Timer | undefined

  constructor(options: PoolOptions) {
    this.#options = options
    for (let index = 0; index < options.min; index++) this.#free.push(this.#hire())
  }

  /** How many actors there are. */
  get size(): number {
    return this.#size
  }

  /** How many tasks were executed to their end. */
  get finished(): number {
    return this.#finished
  }

  /** How many more tasks would be executed at once; under load there are more actors each time this is asked. */
  get free(): number {
    return Math.max(0, this.#free.size + this.#hires - this.#reserved - this.#waiting.size)
  }

  /** How many more tasks than that may wait here, so that an actor that becomes free has the next one at once. */
  get prefetch(): number {
    const room = this.#free.size + this.#ahead - this.#reserved - this.#waiting.size
    return Math.max(0, room - this.free)
  }

  /** How many actors may be added at one time. */
  get #hires(): number {
    return Math.min(this.#options.max - this.#size, this.#ahead)
  }

  get #ahead(): number {
    return Math.max(leastAhead, this.#size >> 2)
  }

  /** How many tasks wait for one. */
  get waiting(): number {
    return this.#waiting.size
  }

  get busy(): number {
    return this.#size - this.#free.size
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
    const member = this.#free.shift() ?? (this.#size < this.#options.max ? this.#hire() : undefined)
    if (member === undefined) this.#waiting.push(task)
    else this.#give(member, task)
  }

  /** Dead actors are not replaced any more. */
  close(): void {
    this.#isClosed = true
    this.#look?.cancel()
  }

  #give(member: Member, task: Task): void {
    member.task = task
    this.#peak = Math.max(this.#peak, this.busy)
    member.ref.tell('Execute', { task })
  }

  #hire(): Member {
    this.#size += 1
    const { system, clock, make, min } = this.#options
    const [ref, handle] = system.spawn(() => make({ clock, done: () => this.#done(member) }))
    const member: Member = { ref, handle, task: undefined }
    void handle.done.then(({ kind, error }) => {
      if (kind !== 'stopped') this.#died(member, error)
    })
    if (this.#size > min) this.#look ??= this.#lookLater()
    return member
  }

  #lookLater(): Timer {
    return this.#options.clock.after(lookEveryMs, () => this.#shrink(), { background: true, upkeep: true })
  }

  /** Gives up the actors that were not needed since the last look. */
  #shrink(): void {
    const { min } = this.#options
    const needed = Math.max(min, this.#peak)
    while (this.#size > needed) {
      const member = this.#free.shift()
      if (member === undefined) break
      this.#size -= 1
      void member.handle.stop()
    }
    this.#peak = this.busy
    this.#look = this.#size > min && !this.#isClosed ? this.#lookLater() : undefined
  }

  #done(member: Member): void {
    this.#finished += 1
    const next = this.#waiting.shift()
    if (next !== undefined) this.#give(member, next)
    else {
      member.task = undefined
      this.#free.push(member)
    }
    // Those that wait are fewer than half of what may wait: it is time to claim more.
    if (this.#waiting.size <= this.#ahead >> 1) this.#options.freed()
  }

  /** A dead actor is replaced; its task has failed, not vanished. */
  #died(member: Member, cause: Error | undefined): void {
    this.#size -= 1
    const { task } = member
    for (let left = this.#free.size; left > 0; left--) {
      const free = this.#free.shift() as Member
      if (free !== member) this.#free.push(free)
    }
    if (this.#isClosed) return
    const next = this.#waiting.shift()
    if (next !== undefined) this.#give(this.#hire(), next)
    else {
      if (this.#size < this.#options.min) this.#free.push(this.#hire())
      this.#options.freed()
    }
    const error = new TroupeError(
      'actor_failed',
      'The actor that executed this died: it is tried again while attempts are left.',
      { cause, retryable: true },
    )
    task?.attempted({ isError: true, error })
  }
}
