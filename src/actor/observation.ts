// Looks after messages on their way: times one in so many, and tells and traces all of them when somebody watches.

import type { Clock } from '../lib/clock.ts'
import { toError } from '../lib/errors.ts'
import { Histogram } from '../lib/histogram.ts'
import type { Log } from '../lib/log.ts'
import { isThenable } from '../lib/thenable.ts'
import type { Actor } from './actor.ts'
import type { DeadLetterReason, DeadLetters } from './dead-letters.ts'
import type { Envelope, Escort } from './envelope.ts'
import type { Happening, InspectionEvent, InspectionListener } from './inspection.ts'
import { Listeners } from './listeners.ts'
import { observeNext } from './mailbox.ts'
import type { Method } from './protocol.ts'
import type { MessageSpan, Tracing } from './tracing.ts'

interface Named {
  toString(): string
}

interface ObserverDeps {
  readonly clock: Clock
  readonly log: Log
  readonly deadLetters: DeadLetters
  readonly tracing: Tracing | undefined
}

// Measured: reading the clock costs as much as a tell, so one message in 256 is timed.
const sampledEvery = 256

/** How many systems of the process want to see each of their messages. */
let watchedSystems = 0

export class Observer {
  readonly clock: Clock
  readonly tracing: Tracing | undefined
  readonly latency = new Histogram()
  /** Whether anybody listens to what is told. */
  isInspecting = false
  readonly #listeners: Listeners<InspectionEvent>
  #isWatched = false
  /** Messages since the last one that was timed, while all of the process are looked at. */
  #passed = sampledEvery - 1
  #isOver = false

  constructor({ clock, log, deadLetters, tracing }: ObserverDeps) {
    this.clock = clock
    this.tracing = tracing
    this.#listeners = new Listeners(log, 'of system.inspect')
    deadLetters.onDeadLetter((letter) => this.#listeners.tell({ type: 'dead-letter', ...letter }))
    this.#watch()
    // So that also a system of few messages knows how long they take.
    observeNext()
  }

  inspect(listener: InspectionListener): () => void {
    const leave = this.#listeners.add(listener)
    this.#watch()
    return () => {
      leave()
      this.#watch()
    }
  }

  tell(happening: Happening): void {
    if (this.isInspecting) this.#listeners.tell({ ...happening, at: this.clock.now() })
  }

  /** Looks after a message on its way, and returns how many messages later the next one of the process is due. */
  observe(envelope: Envelope, actor: Named): number {
    if (this.#isWatched || watchedSystems === 0 || ++this.#passed === sampledEvery) {
      this.#passed = 0
      envelope.escort = new Observation(this, envelope, actor)
    }
    return watchedSystems === 0 ? sampledEvery : 1
  }

  /** A turn that traces what is traced now, whenever it is taken. */
  bound(turn: () => unknown): () => unknown {
    return this.tracing === undefined ? turn : this.tracing.bound(turn)
  }

  /** The system has stopped: no message will be handled any more. */
  end(): void {
    this.#isOver = true
    this.#watch()
  }

  #watch(): void {
    this.isInspecting = this.#listeners.size > 0
    const isWatched = !this.#isOver && (this.isInspecting || this.tracing !== undefined)
    if (isWatched === this.#isWatched) return
    this.#isWatched = isWatched
    watchedSystems += isWatched ? 1 : -1
    observeNext()
  }
}

/** The way of one message, from being sent to the end of its handler. */
class Observation implements Escort {
  readonly #observer: Observer
  readonly #envelope: Envelope
  readonly #actor: Named
  readonly #sentMs: number
  /** What was being traced where it was sent. */
  readonly #context: object | undefined
  #beganMs = 0
  #isUnderWay = false
  #span: MessageSpan | undefined

  constructor(observer: Observer, envelope: Envelope, actor: Named) {
    this.#observer = observer
    this.#envelope = envelope
    this.#actor = actor
    this.#sentMs = observer.clock.monotonic()
    this.#context = observer.tracing?.active
  }

  /** Calls the handler of the message and returns what it returns. */
  handle(method: Method, actor: Actor): unknown {
    const { clock, tracing } = this.#observer
    this.#isUnderWay = true
    this.#beganMs = clock.monotonic()
    if (this.#context === undefined) return this.#call(method, actor)
    const { name, operation } = this.#envelope
    const attributes = {
      'troupe.actor': this.#actor.toString(),
      'troupe.message': name,
      'troupe.operation': operation,
    }
    this.#span = tracing?.begin(`${actor.constructor.name} ${name}`, attributes, this.#context)
    return this.#span?.within(() => this.#call(method, actor))
  }

  /** What comes of its handler now is ignored. */
  cutOff(reason: DeadLetterReason): boolean {
    if (this.#isUnderWay) this.#span?.end(`It became a dead letter: ${reason}`)
    return (this.#isUnderWay = false)
  }

  #call(method: Method, actor: Actor): unknown {
    let reply: unknown
    try {
      reply = method.call(actor, this.#envelope.payload)
    } catch (error) {
      this.#failed(error)
      throw error
    }
    if (!isThenable(reply)) {
      this.#end({})
      return reply
    }
    // Some promises start their work each time `then` is called: only this one is passed on.
    const promise = Promise.resolve(reply)
    void promise.then(
      () => this.#end({}),
      (error: unknown) => this.#failed(error),
    )
    return promise
  }

  #failed(thrown: unknown): void {
    this.#end({ error: toError(thrown) })
  }

  #end(outcome: { readonly error?: Error }): void {
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    const { clock, latency } = this.#observer
    const nowMs = clock.monotonic()
    latency.add(nowMs - this.#sentMs)
    this.#span?.end(outcome.error)
    const { name: message, operation } = this.#envelope
    this.#observer.tell({
      type: 'handled',
      actor: this.#actor.toString(),
      message,
      operation,
      waitedMs: this.#beganMs - this.#sentMs,
      tookMs: nowMs - this.#beganMs,
      ...outcome,
    })
  }
}
