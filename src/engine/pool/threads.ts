// Worker threads for the attempts of a node: at most so many, kept from one attempt to the next, and ended when nobody needed them for half a minute.
import { Worker, type ResourceLimits } from 'node:worker_threads'
import type { Clock, Timer } from '../../lib/clock.ts'
import { copyable } from '../../lib/copyable.ts'
import { deferred, type Deferred } from '../../lib/deferred.ts'
import type { Log } from '../../lib/log.ts'
import { Ring } from '../../lib/ring.ts'
import type { EngineSettings } from '../options/engine-settings.ts'

/** What a thread is made with; one of the same `key` can be used again. */
export interface ThreadKind {
  readonly key: string
  readonly host: URL
  readonly execArgv: readonly string[] | undefined
  /** What it finds in its environment; that of the process unless given. */
  readonly env?: Readonly<Record<string, string>>
  readonly resourceLimits: ResourceLimits | undefined
}

/** Whom a thread works for. */
export interface ThreadUser {
  hear(message: unknown): void
  /** The thread ended by itself. */
  ended(how: ThreadEnd): void
}

export interface ThreadEnd {
  /** What was thrown and not caught in it. */
  readonly error: Error | undefined
  readonly exitCode: number
}

export interface ThreadsOptions {
  readonly clock: Clock
  readonly log: Log
  /** How many work at a time. */
  readonly max: number
  /** What every thread is given, as a copy. */
  readonly data: Readonly<Record<string, unknown>>
}

/** The threads of a node with these settings. */
export function threadsOf(
  deps: Pick<ThreadsOptions, 'clock' | 'log'>,
  { config, environment, maxValueBytes, pools }: ThreadsSettings,
): Threads {
  const data = { config: copyable(config), environment, maxValueBytes }
  return new Threads({ ...deps, max: pools.thread.max, data })
}

type ThreadsSettings = Pick<EngineSettings, 'config' | 'environment' | 'maxValueBytes' | 'pools'>

/** The number of the attempt that was cut short; how many of its words were taken in. */
export const sharedAt = { cut: 0, heard: 1 } as const

const idleMs = 30_000

export class Thread {
  readonly key: string
  /** What code that never yields can look at; see `sharedAt`. */
  readonly shared = new Int32Array(new SharedArrayBuffer(8))
  /** What it was told of before. */
  readonly knows = new Set<number>()
  user: ThreadUser | undefined
  /** Since when it has nothing to do. */
  idleSince = 0
  readonly #worker: Worker
  readonly #gone: (thread: Thread, how: ThreadEnd) => void
  #error: Error | undefined
  #isOver = false
  #lastId = 0

  constructor(kind: ThreadKind, data: ThreadsOptions['data'], gone: (thread: Thread, how: ThreadEnd) => void) {
    this.key = kind.key
    this.#gone = gone
    this.#worker = new Worker(kind.host, {
      ...(kind.execArgv !== undefined && { execArgv: [...kind.execArgv] }),
      ...(kind.env !== undefined && { env: kind.env }),
      ...(kind.resourceLimits !== undefined && { resourceLimits: kind.resourceLimits }),
      workerData: { ...data, shared: this.shared },
    })
    this.#worker.on('message', (message: unknown) => this.user?.hear(message))
    this.#worker.on('error', (error: Error) => (this.#error = error))
    this.#worker.on('exit', (exitCode) => this.#exited(exitCode))
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** A number for the next thing it does. */
  nextId(): number {
    return ++this.#lastId
  }

  post(message: unknown): void {
    if (!this.#isOver) this.#worker.postMessage(message)
  }

  /** Whether it keeps the process alive. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#worker.ref()
    else this.#worker.unref()
  }

  /** Ends it, whatever it does; resolves when it is gone. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#worker.terminate()
  }

  #exited(exitCode: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#gone(this, { error: this.#error, exitCode })
  }
}

export class Threads {
  readonly #options: ThreadsOptions
  // The one that worked last is the next: its code is warm, and the others come to their end.
  readonly #idle: Thread[] = []
  readonly #waiting = new Ring<Deferred<void>>()
  readonly #ending = new Set<Promise<void>>()
  #places = 0
  #look: Timer | undefined
  #isClosed = false

  constructor(options: ThreadsOptions) {
    this.#options = options
  }

  /** Takes a place for one attempt: at once, or when one is free. */
  enter(): Promise<void> | undefined {
    if (this.#places < this.#options.max) {
      this.#places += 1
      return undefined
    }
    const turn = deferred<void>()
    this.#waiting.push(turn)
    return turn.promise
  }

  /** Gives the place to whoever waits for one. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#places -= 1
    else next.resolve()
  }

  /** A thread of that kind for somebody who has a place. */
  take(kind: ThreadKind, user: ThreadUser): Thread {
    const at = this.#idle.findLastIndex(({ key }) => key === kind.key)
    const [idle] = at < 0 ? [] : this.#idle.splice(at, 1)
    if (idle === undefined) this.#makeRoom()
    const thread = idle ?? new Thread(kind, this.#options.data, (gone, how) => this.#gone(gone, how))
    thread.user = user
    thread.hold(true)
    return thread
  }

  /** Keeps a thread that has nothing to do. */
  giveBack(thread: Thread): void {
    thread.user = undefined
    if (thread.isOver) return
    if (this.#isClosed) return void this.end(thread)
    thread.hold(false)
    this.#idle.push(thread)
    thread.idleSince = this.#options.clock.monotonic()
    this.#look ??= this.#lookIn(idleMs)
  }

  /** Ends a thread, whatever it does; resolves when it is gone. */
  end(thread: Thread): Promise<void> {
    thread.user = undefined
    const ending = thread.end().finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
    return ending
  }

  /** Ends what is idle, and keeps none any more; resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#look?.cancel()
    for (const thread of this.#idle.splice(0)) void this.end(thread)
    await Promise.all(this.#ending)
  }

  /** So that there are never more threads than places, of whatever kind. */
  #makeRoom(): void {
    if (this.#idle.length + this.#places <= this.#options.max) return
    const oldest = this.#idle.shift()
    if (oldest !== undefined) void this.end(oldest)
  }

  #lookIn(delayMs: number): Timer {
    return this.#options.clock.after(delayMs, () => this.#endIdle(), { background: true, upkeep: true })
  }

  #endIdle(): void {
    const now = this.#options.clock.monotonic()
    // They stand in the order in which they became idle.
    while (this.#idle[0] !== undefined && now - this.#idle[0].idleSince >= idleMs)
      void this.end(this.#idle.shift() as Thread)
    const [next] = this.#idle
    this.#look = next && this.#lookIn(next.idleSince + idleMs - now)
  }

  #gone(thread: Thread, how: ThreadEnd): void {
    const { user } = thread
    thread.user = undefined
    if (user !== undefined) return user.ended(how)
    const at = this.#idle.indexOf(thread)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#options.log.warn({ err: how.error, exitCode: how.exitCode }, 'a thread ended between two attempts')
  }
}
