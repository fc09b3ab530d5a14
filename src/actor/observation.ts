// Looks after messages on their way: times one in so many, and tells and traces all of them when somebody watches.

import type { Clock } from '../lib/clock.ts'
import { toError } from '../lib/errors.ts'
import { Histogram } from '../lib/histogram.ts'
import type { Log } from '../lib/log.ts'
import { isThenable } from '../lib/thenable.ts'
import type { Actor } from './actor.ts'
import type { DeadLetterReason, DeadLetters } from './dead-letters.ts'
import type { Envelope } from './envelope.ts'
import { Inspection } from './inspection.ts'
import type { Happening, InspectionListener } from './inspection.ts'
import { observeNext } from './mailbox.ts'
import type { Method } from './protocol.ts'
import type { Span, Tracing } from './tracing.ts'

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
  readonly #inspection: Inspection
  #isWatched = false
  #isOver = false
  /** Messages since the last one that was timed, while all of the process are looked at. */
  #passed = sampledEvery - 1

  constructor(deps: ObserverDeps) {
    this.clock = deps.clock
    this.tracing = deps.tracing
    this.#inspection = new Inspection(deps)
    this.#watch()
    // So that also a system of few messages knows how long they take.
    observeNext()
  }

  inspect(listener: InspectionListener): () => void {
    const leave = this.#inspection.add(listener)
    this.#watch()
    return () => {
      leave()
      this.#watch()
    }
  }

  tell(happening: Happening): void {
    this.#inspection.tell(happening)
  }

  /** Looks after a message on its way, and returns how many messages later the next one of the process is due. */
  observe(envelope: Envelope, actor: Named): number {
    const isDue = this.#isWatched || watchedSystems === 0 || ++this.#passed === sampledEvery
    if (isDue) {
      this.#passed = 0
      envelope.observation = new Observation(this, envelope, actor)
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
    this.isInspecting = this.#inspection.isHeard
    const isWatched = !this.#isOver && (this.isInspecting || this.tracing !== undefined)
    if (isWatched === this.#isWatched) return
    this.#isWatched = isWatched
    watchedSystems += isWatched ? 1 : -1
    observeNext()
  }
}

/** The way of one message, from being sent to the end of its handler. */
export class Observation {
  readonly #observer: Observer
  readonly #envelope: Envelope
  readonly #actor: Named
  readonly #sentMs: number
  /** What was being traced where it was sent. */
  readonly #context: object | undefined
  #beganMs = 0
  #isUnderWay = false
  #span: Span | undefined

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
    const context = this.#context
    if (tracing === undefined || context === undefined) return this.#call(method, actor)
    const { name: message, operation } = this.#envelope
    const className = actor.constructor.name
    const span = tracing.begin({ className, actor: this.#actor.toString(), message, operation, context })
    this.#span = span
    return tracing.within(span, context, () => this.#call(method, actor))
  }

  /** The message has become a dead letter; what comes of its handler now is ignored. */
  cutOff(reason: DeadLetterReason): void {
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    this.#endSpan(`It became a dead letter: ${reason}`)
  }

  #call(method: Method, actor: Actor): unknown {
    let reply: unknown
    try {
      reply = method.call(actor, this.#envelope.payload)
    } catch (error) {
      this.#end(toError(error))
      throw error
    }
    if (!isThenable(reply)) {
      this.#end(undefined)
      return reply
    }
    // Some promises start their work each time `then` is called: only this one is passed on.
    const promise = Promise.resolve(reply)
    void promise.then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(toError(error)),
    )
    return promise
  }

  #end(error: Error | undefined): void {
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    const observer = this.#observer
    const nowMs = observer.clock.monotonic()
    observer.latency.add(nowMs - this.#sentMs)
    this.#endSpan(error)
    if (!observer.isInspecting) return
    const { name: message, operation } = this.#envelope
    const waitedMs = this.#beganMs - this.#sentMs
    const tookMs = nowMs - this.#beganMs
    const outcome = error === undefined ? {} : { error }
    const actor = this.#actor.toString()
    observer.tell({ type: 'handled', actor, message, operation, waitedMs, tookMs, ...outcome })
  }

  #endSpan(failure: Error | string | undefined): void {
    if (this.#span !== undefined) this.#observer.tracing?.end(this.#span, failure)
    this.#span = undefined
  }
}
