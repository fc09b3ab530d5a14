// The life of one actor: it starts, handles one message at a time, drains or is killed, and ends once.

import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import { Ring } from '../lib/ring.ts'
import type { Actor } from './actor.ts'
import { Belongings } from './belongings.ts'
import type { Core, Siblings } from './core.ts'
import type { Envelope } from './envelope.ts'
import { actorFailed, actorKilled, actorStopped, messageUnknown } from './errors.ts'
import type { ActorResult, EndReason, FailurePhase } from './handle.ts'
import { Mailbox } from './mailbox.ts'
import type { MailboxLimits, MailboxOwner } from './mailbox.ts'
import { protocolOf } from './protocol.ts'
import type { Protocol } from './protocol.ts'
import type { ActorRef } from './ref.ts'
import type { Runnable } from './run-queue.ts'
import type { Turns } from './timers.ts'

/** Messages one actor may handle before the next gets its turn. */
const turnLength = 64

// Life only goes up. Draining: the door is closed; ending: nothing more is handled; ended: it is over.
const alive = 0
const draining = 1
const ending = 2
const ended = 3

// What the actor does now. Busy covers the time until the promise of a handler settles.
const resting = 0
const queued = 1
const busy = 2

type Stage = 'start' | 'message' | 'turn' | 'idle' | 'stop'

interface Turn {
  readonly stage: 'start' | 'turn'
  readonly fn: (this: Actor) => unknown
}

interface Failure {
  readonly phase: FailurePhase
  readonly error: Error
}

interface CellOptions {
  readonly core: Core
  readonly parent: Cell | undefined
  readonly name: string | undefined
  readonly limits: MailboxLimits
}

export class Cell implements Runnable, MailboxOwner, Turns {
  readonly core: Core
  readonly id: number
  readonly name: string | undefined
  readonly mailbox: Mailbox
  ref!: ActorRef
  className = 'Actor'
  /** Neighbours among the actors of one parent. */
  older: Cell | undefined = undefined
  younger: Cell | undefined = undefined
  readonly #parent: Cell | undefined
  #actor: Actor | undefined
  #protocol: Protocol | undefined
  #life = alive
  #activity = resting
  #stage: Stage = 'start'
  #current: Envelope | undefined
  #isStarted = false
  #wasActive = false
  #calledStopped = false
  #expectedTurns = 0
  #turns: Ring<Turn> | undefined
  #belongings: Belongings | undefined
  #failure: Failure | undefined
  #result: ActorResult | undefined
  #done: Deferred<ActorResult> | undefined
  #onValue: ((value: unknown) => void) | undefined
  #onError: ((error: unknown) => void) | undefined

  constructor({ core, parent, name, limits }: CellOptions) {
    this.core = core
    this.id = ++core.lastId
    this.name = name
    this.mailbox = new Mailbox(this, limits)
    this.#parent = parent
    this.#siblings.add(this)
    core.alive++
    if (name !== undefined) core.names.set(name, this)
  }

  get hasEnded(): boolean {
    return this.#life === ended
  }

  /** Whether it is too late to start children, timers and turns. */
  get isEnding(): boolean {
    return this.#life >= ending
  }

  get actor(): Actor | undefined {
    return this.#actor
  }

  get protocol(): Protocol | undefined {
    return this.#protocol
  }

  get belongings(): Belongings {
    return (this.#belongings ??= new Belongings(this.core.clock, this))
  }

  get youngestChild(): Cell | undefined {
    return this.#belongings?.children.last
  }

  /** Aborted when the actor is killed, fails or has ended. */
  get signal(): AbortSignal {
    const { signal } = this.belongings
    const isCutOff = this.#life === ended || this.#failure !== undefined
    if (isCutOff && !signal.aborted) this.belongings.release(this.whyGone())
    return signal
  }

  get done(): Promise<ActorResult> {
    if (this.#done === undefined) {
      this.#done = deferred()
      if (this.#result !== undefined) this.#done.resolve(this.#result)
    }
    return this.#done.promise
  }

  get #siblings(): Siblings {
    return this.#parent === undefined ? this.core.roots : this.#parent.belongings.children
  }

  toString(): string {
    return `${this.className}(#${this.id})`
  }

  adopt(actor: Actor): void {
    this.#actor = actor
    this.#protocol = protocolOf(actor)
    if (actor.started === undefined) this.#isStarted = true
    else this.#enqueue({ stage: 'start', fn: actor.started })
  }

  /** Queues a turn of the actor's own: ahead of the mailbox, never counted against its capacity, ignored after the end. */
  enqueueTurn(fn: () => unknown): void {
    this.#enqueue({ stage: 'turn', fn })
  }

  /** Announces a turn that will come; a stop waits for it. */
  expectTurn(): void {
    this.#expectedTurns++
  }

  enqueueExpectedTurn(fn: () => unknown): void {
    this.#expectedTurns--
    this.#enqueue({ stage: 'turn', fn })
  }

  wake(): void {
    if (this.#activity !== resting) return
    this.#activity = queued
    this.core.runQueue.push(this)
  }

  stop(withinMs?: number): void {
    if (this.#life === ended) return
    if (withinMs !== undefined) this.belongings.setDeadline(withinMs, () => this.kill())
    if (this.#life !== alive) return
    this.#life = draining
    this.mailbox.close()
    this.wake()
  }

  kill(): void {
    if (this.#life === ended) return
    this.#life = ended
    this.#current?.ask?.reject(this.whyGone())
    this.#letGo()
    if (this.#isStarted && !this.#calledStopped) this.#callStoppedUnawaited()
    this.#finish('killed')
  }

  /** Ends the actor with an error; its children are killed. */
  fail(phase: FailurePhase, thrown: unknown): void {
    const error = toError(thrown)
    this.core.log.error({ actor: this.toString(), phase, error }, `${this} failed (${phase}): ${error.message}`)
    if (this.#life >= ending) return
    this.#failure = { phase, error }
    this.#life = ending
    this.#letGo()
    if (phase === 'start') this.#finish('failed')
    else this.#windDown()
  }

  whyGone(): Error {
    if (this.#failure !== undefined) return actorFailed(this, this.#failure.error)
    const wasKilled = this.#result === undefined ? this.#life === ended : this.#result.kind === 'killed'
    return wasKilled ? actorKilled(this) : actorStopped(this)
  }

  run(): void {
    this.#activity = busy
    for (let count = 0; count < turnLength; count++) {
      const goesOn = this.#next()
      const isSpent = this.core.runQueue.spend()
      if (!goesOn) return
      if (isSpent) break
    }
    this.#queueAgain(true)
  }

  /** Does one thing; false when the actor now waits, rests or has ended. */
  #next(): boolean {
    const turn = this.#turns?.shift()
    if (turn !== undefined) return this.#perform(turn.stage, turn.fn)
    const envelope = this.mailbox.shift()
    return envelope === undefined ? this.#rest() : this.#handle(envelope)
  }

  #handle(envelope: Envelope): boolean {
    const ask = envelope.ask
    const actor = this.#actor as Actor
    const method = (this.#protocol as Protocol).find(actor, envelope.name)
    if (method === undefined || (ask !== undefined && ask.isSettled)) return this.#passOver(envelope)
    this.#stage = 'message'
    this.#current = envelope
    let reply: unknown
    try {
      reply = method.call(actor, envelope.payload)
    } catch (error) {
      return this.#threw(error)
    }
    return isThenable(reply) ? this.#suspend(reply) : this.#returned(reply)
  }

  #passOver(envelope: Envelope): boolean {
    const gaveUp = envelope.ask?.isSettled === true
    if (!gaveUp) envelope.ask?.reject(messageUnknown(this, envelope.name))
    this.mailbox.bury(envelope, gaveUp ? 'timeout' : 'unknown')
    return this.#life < ending
  }

  #perform(stage: Stage, fn: (this: Actor) => unknown): boolean {
    this.#stage = stage
    let outcome: unknown
    try {
      outcome = fn.call(this.#actor as Actor)
    } catch (error) {
      return this.#threw(error)
    }
    return isThenable(outcome) ? this.#suspend(outcome) : this.#returned(undefined)
  }

  #rest(): boolean {
    const idle = this.#actor?.idle
    if (this.#wasActive && idle !== undefined) {
      this.#wasActive = false
      return this.#perform('idle', idle)
    }
    this.#activity = resting
    if (this.#life === draining && this.#expectedTurns === 0) {
      this.#life = ending
      this.#windDown()
    }
    return false
  }

  /** Waits for a promise; nothing else of this actor runs meanwhile. */
  #suspend(outcome: PromiseLike<unknown>): boolean {
    this.#onValue ??= (value) => this.#queueAgain(this.#returned(value))
    this.#onError ??= (error) => this.#queueAgain(this.#threw(error))
    const promise = outcome instanceof Promise ? outcome : Promise.resolve(outcome)
    void promise.then(this.#onValue, this.#onError)
    return false
  }

  #queueAgain(goesOn: boolean): void {
    if (!goesOn) return
    this.#activity = queued
    this.core.runQueue.push(this)
  }

  /** Books a normal end of the current stage; false when the actor is ending. */
  #returned(reply: unknown): boolean {
    if (this.#life === ended) return false
    switch (this.#stage) {
      case 'message':
        this.#wasActive = true
        this.core.processed++
        this.#current?.ask?.resolve(reply)
        this.#current = undefined
        break
      case 'turn':
        this.#wasActive = true
        break
      case 'start':
        this.#isStarted = true
        break
      case 'stop':
        return this.#finish('stopped')
      default:
    }
    return this.#life < ending
  }

  /** Hands an error to the one asker who waits for the answer, else the actor fails; false when it is ending. */
  #threw(thrown: unknown): boolean {
    if (this.#life === ended) return false
    if (this.#stage === 'stop') return this.#failedToStop(thrown)
    const ask = this.#stage === 'message' ? this.#current?.ask : undefined
    this.#current = undefined
    this.#wasActive = true
    this.core.failed++
    if (ask === undefined) this.fail(this.#stage === 'start' ? 'start' : 'handle', thrown)
    else if (ask.isSettled)
      this.core.log.warn(
        { actor: this.toString(), error: thrown },
        `${this} threw in ${ask.message} after its asker gave up`,
      )
    else ask.reject(thrown)
    return this.#life < ending
  }

  #enqueue(turn: Turn): void {
    if (this.#life >= ending) return
    this.#turns ??= new Ring()
    this.#turns.push(turn)
    this.wake()
  }

  /** Cuts off everything the actor still had before it: mail, turns, timers, children. */
  #letGo(): void {
    this.mailbox.discard()
    this.#turns = undefined
    this.#belongings?.release(this.whyGone())
    this.#belongings?.killChildren()
  }

  /** Stops the children one by one, last started first, then calls `stopped`, then it is over. */
  #windDown(): void {
    if (this.#life === ended) return
    const youngest = this.youngestChild
    if (youngest !== undefined) {
      youngest.stop()
      void youngest.done.then(() => this.#windDown())
      return
    }
    this.#calledStopped = true
    this.#perform('stop', () => this.#actor?.stopped?.(this.#failure === undefined ? 'stopped' : 'failed'))
  }

  #callStoppedUnawaited(): void {
    const report = (error: unknown): void =>
      this.core.log.error({ actor: this.toString(), phase: 'stop', error }, `${this} threw in stopped('killed')`)
    try {
      const outcome = this.#actor?.stopped?.('killed')
      if (isThenable(outcome)) void Promise.resolve(outcome).then(undefined, report)
    } catch (error) {
      report(error)
    }
  }

  #failedToStop(thrown: unknown): boolean {
    const error = toError(thrown)
    this.core.log.error({ actor: this.toString(), phase: 'stop', error }, `${this} failed (stop): ${error.message}`)
    this.#failure ??= { phase: 'stop', error }
    return this.#finish('failed')
  }

  #finish(kind: EndReason): false {
    this.#life = ended
    const actor = this.#actor === undefined ? {} : { actor: this.#actor }
    this.#result = this.#failure === undefined ? { kind, ...actor } : { kind: 'failed', ...this.#failure, ...actor }
    this.#belongings?.release(this.whyGone())
    this.#belongings?.cancelDeadlines()
    this.#current = undefined
    this.#siblings.remove(this)
    this.core.alive--
    if (this.name !== undefined) this.core.names.delete(this.name)
    this.#done?.resolve(this.#result)
    return false
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
