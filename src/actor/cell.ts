// One actor at work: it takes its turns and messages one at a time, and waits where a handler does.

import { Ring } from '../lib/ring.ts'
import { isThenable } from '../lib/thenable.ts'
import { busy, handling, idling, overlapping, queued, resting, starting, turning } from './activity.ts'
import type { Actor } from './actor.ts'
import type { Core } from './core.ts'
import { Buried } from './dead-letters.ts'
import type { DeadLetterReason } from './dead-letters.ts'
import type { Wait } from './deadlock.ts'
import type { Envelope } from './envelope.ts'
import { messageUnknown, stashFull, stashOutside } from './errors.ts'
import { Lanes } from './lanes.ts'
import { Life } from './life.ts'
import { alive, draining, restarting } from './life-state.ts'
import type { LifeOptions } from './life.ts'
import { Mailbox } from './mailbox.ts'
import type { MailboxLimits, MailboxOwner } from './mailbox.ts'
import { Overlap } from './overlap.ts'
import { protocolOf } from './protocol.ts'
import type { Handlers, Method } from './protocol.ts'
import type { ActorRef } from './ref.ts'
import type { Runnable } from './run-queue.ts'
import type { Stash } from './stash.ts'
import type { Turns } from './timers.ts'

/** Messages one actor may handle before the next gets its turn. */
const turnLength = 64

/** The message that is being handled. */
interface Hands {
  current: Envelope | undefined
}

// Of those that have not taken a turn yet.
const emptyHands: Hands = { current: undefined }

interface Turn {
  readonly stage: number
  readonly fn: (this: Actor) => unknown
}

export interface CellOptions extends LifeOptions {
  readonly core: Core
  readonly name: string | undefined
  readonly limits: MailboxLimits
  readonly hasPriority: boolean
}

export class Cell implements Runnable, MailboxOwner, Turns {
  readonly core: Core
  readonly id: number
  readonly name: string | undefined
  readonly mailbox: Mailbox
  readonly lanes: Lanes | undefined
  readonly life: Life
  ref!: ActorRef
  className = 'Actor'
  actor: Actor | undefined
  protocol: Handlers | undefined
  /** Neighbours among the actors of one parent. */
  older: Cell | undefined = undefined
  younger: Cell | undefined = undefined
  waits: Wait[] | undefined
  overlap: Overlap | undefined
  /** A stage of `life-state.ts`; only its life changes it. */
  state: number = alive
  /** Piped promises and tasks that have not settled. */
  active = 0
  /** Messages whose handler ended normally; messages, turns and hooks that threw. */
  processed = 0
  failed = 0
  /** Grows when what is under way is cut off, so that its late results are known and ignored. */
  incarnation = 0
  #activity = resting
  #stage = starting
  /** Measured: 3 ns on a tell. Made anew for each turn, so that a message is never stored in an old object, which V8 would have to note down. */
  #hands = emptyHands
  /** `idle` runs when something was done since it last ran: messages count up `processed` and `failed`, turns count this down. */
  #doneAtIdle = 0
  /** Whether the next message takes more thought than to be shifted out of the one mailbox. */
  #takesDetour: boolean
  #turns: Ring<Turn> | undefined
  #onValue: ((value: unknown) => void) | undefined
  #onError: ((error: unknown) => void) | undefined

  constructor(options: CellOptions) {
    const { core, name, limits, hasPriority } = options
    this.core = core
    this.id = ++core.lastId
    this.name = name
    this.mailbox = new Mailbox(this, limits)
    this.lanes = hasPriority ? new Lanes(this.mailbox, new Mailbox(this, limits)) : undefined
    this.#takesDetour = hasPriority
    this.life = new Life(this, options)
  }

  /** Whether a handler is under way that lets no other run. */
  get isHolding(): boolean {
    return this.#activity === busy && this.#stage !== overlapping
  }

  /** Whether what runs outside of any handler can only be the continuation of the one under way. */
  get hasOneThread(): boolean {
    return this.isHolding && this.active === 0 && (this.overlap === undefined || this.overlap.running.size === 0)
  }

  get waiting(): number {
    return this.mailbox.size + (this.lanes?.urgent.size ?? 0)
  }

  get highWater(): number {
    return Math.max(this.mailbox.highWater, this.lanes?.urgent.highWater ?? 0)
  }

  toString(): string {
    return `${this.className}(#${this.id})`
  }

  whyGone(): Error {
    return this.life.whyGone()
  }

  /** Takes in a new actor, which starts before it handles anything. */
  adopt(actor: Actor): void {
    this.actor = actor
    this.protocol = protocolOf(actor)
    const { overlaps } = this.protocol
    this.overlap = overlaps === undefined ? undefined : new Overlap(overlaps)
    if (overlaps !== undefined) this.#takesDetour = true
    if (actor.started === undefined) this.life.started()
    else this.#enqueue({ stage: starting, fn: actor.started })
  }

  /** Queues a turn of the actor's own: ahead of the mailbox, never counted against its capacity, ignored after the end. */
  enqueueTurn(fn: () => unknown): void {
    this.#enqueue({ stage: turning, fn: this.core.observer.bound(fn) })
  }

  wake(): void {
    if (this.#activity !== resting) return
    this.#activity = queued
    this.core.runQueue.push(this)
  }

  run(): void {
    const { core } = this
    if (this.state >= restarting) {
      this.#activity = resting
      return
    }
    this.#activity = busy
    this.#hands = { current: undefined }
    core.running = this
    for (let count = 0; count < turnLength; count++) {
      const goesOn = this.#takesDetour ? this.#nextOnDetour() : this.#next()
      const isSpent = core.runQueue.spend()
      if (!goesOn) {
        core.running = undefined
        return
      }
      if (isSpent) break
    }
    core.running = undefined
    this.#queueAgain()
  }

  /** Looks before every message whether it may be handled now. */
  takeDetours(): void {
    this.#takesDetour = true
  }

  /** Puts the message that is being handled aside. */
  stashCurrent(stash: Stash): void {
    const envelope = this.#hands.current
    if (envelope === undefined) throw stashOutside(this)
    if (stash.size >= this.mailbox.capacity) throw stashFull(this, this.mailbox.capacity)
    this.#hands.current = undefined
    stash.add(envelope, this.lanes?.latest ?? this.mailbox)
  }

  /** Cuts off all that is under way; what comes of it later is ignored. */
  halt(reason: DeadLetterReason, why: () => Error): void {
    this.incarnation++
    this.active = 0
    this.waits = undefined
    // Race: one that stands in the run queue stays queued, or it would stand there twice once it is made anew.
    if (this.#activity !== queued) this.#activity = resting
    this.#turns = undefined
    this.#onValue = this.#onError = undefined
    const cutOff = this.#hands.current === undefined ? [] : [this.#hands.current]
    this.#hands.current = undefined
    for (const envelope of this.overlap?.running ?? []) cutOff.push(envelope)
    this.overlap?.running.clear()
    for (const envelope of cutOff) {
      const isReplyLost = reason === 'discarded' && envelope.ask?.isSettled === false
      this.mailbox.bury(envelope, isReplyLost ? 'reply-dropped' : reason)
      envelope.ask?.reject(why())
    }
  }

  closeDoor(): void {
    this.mailbox.close()
    this.lanes?.urgent.close()
  }

  discardMail(): void {
    this.lanes?.urgent.discard()
    this.mailbox.discard()
  }

  /** Does one thing; false when the actor now waits, rests or has ended. */
  #next(): boolean {
    const envelope = this.mailbox.shift()
    return envelope === undefined ? this.#rest() : this.#handle(envelope)
  }

  #nextOnDetour(): boolean {
    const overlap = this.overlap
    if (this.#turns !== undefined && this.#turns.size > 0) {
      const turn = overlap?.holdsWriters === true ? undefined : this.#turns.shift()
      return turn === undefined ? this.#pause() : this.#perform(turn.stage, turn.fn)
    }
    this.#takesDetour = overlap !== undefined || this.lanes !== undefined || this.life.hasTooManyTasks
    if (this.life.hasTooManyTasks) return this.#pause()
    const mailbox = this.lanes?.next(overlap) ?? this.mailbox
    const envelope = mailbox.peek()
    if (envelope === undefined) return this.#rest()
    if (overlap?.admits(envelope.name) === false) return this.#pause()
    mailbox.shift()
    this.lanes?.took(mailbox)
    return overlap?.has(envelope.name) === true ? this.#handleBeside(envelope, overlap) : this.#handle(envelope)
  }

  // Measured: written out and not a `#perform`, it saves 5% of a tell.
  #handle(envelope: Envelope): boolean {
    const method = this.#methodFor(envelope)
    if (method === undefined) return this.#passOver(envelope)
    const hands = this.#hands
    this.#stage = handling
    hands.current = envelope
    let reply: unknown
    try {
      reply = call(method, this.actor as Actor, envelope)
    } catch (error) {
      return this.#threw(error)
    }
    if (isThenable(reply)) return this.#suspend(reply)
    if (this.waits !== undefined) this.waits = undefined
    // Otherwise it was stashed, or the actor has ended.
    if (hands.current === envelope) {
      hands.current = undefined
      this.#replied(envelope, reply)
    }
    return this.state < restarting
  }

  /** Handles a message that lets others run beside it. */
  #handleBeside(envelope: Envelope, overlap: Overlap): boolean {
    const method = this.#methodFor(envelope)
    if (method === undefined) return this.#passOver(envelope)
    this.#stage = overlapping
    envelope.ask?.endWait()
    overlap.run(envelope, () => call(method, this.actor as Actor, envelope), {
      replied: (reply) => {
        this.#replied(envelope, reply)
        this.wake()
      },
      failed: (error) => {
        if (error instanceof Buried) this.mailbox.refuse(envelope, error.reason, () => error.why)
        else this.#failedIn(envelope, error)
        this.wake()
      },
    })
    return this.state < restarting
  }

  #methodFor(envelope: Envelope): Method | undefined {
    return envelope.ask !== undefined && envelope.ask.isSettled
      ? undefined
      : (this.protocol as Handlers).find(this.actor as Actor, envelope.name, envelope.operation)
  }

  #passOver(envelope: Envelope): boolean {
    this.mailbox.refuse(envelope, 'unknown', () => messageUnknown(this, envelope.name))
    return this.state < restarting
  }

  #perform(stage: number, fn: (this: Actor) => unknown): boolean {
    this.#stage = stage
    let outcome: unknown
    try {
      outcome = fn.call(this.actor as Actor)
    } catch (error) {
      return this.#threw(error)
    }
    return isThenable(outcome) ? this.#suspend(outcome) : this.#returned(undefined)
  }

  #rest(): boolean {
    const idle = this.actor?.idle
    const isAlone = this.overlap === undefined || this.overlap.running.size === 0
    const done = this.processed + this.failed
    if (idle !== undefined && isAlone && done !== this.#doneAtIdle) {
      this.#doneAtIdle = done
      return this.#perform(idling, idle)
    }
    this.#activity = resting
    if (this.state !== draining || this.active > 0) return false
    if (isAlone) this.life.drained()
    else this.protocol?.drain?.(this.actor as Actor)
    return false
  }

  /** Rests although something is there to do; what it waits for wakes it. */
  #pause(): boolean {
    this.#activity = resting
    return false
  }

  /** Waits for a promise; nothing else of this actor runs meanwhile. */
  #suspend(outcome: PromiseLike<unknown>): boolean {
    if (this.#onValue === undefined || this.#onError === undefined) this.#makeReactions()
    const promise = outcome instanceof Promise ? outcome : Promise.resolve(outcome)
    void promise.then(this.#onValue, this.#onError)
    return false
  }

  #makeReactions(): void {
    const { incarnation } = this
    this.#onValue = (value) => {
      if (incarnation === this.incarnation && this.#returned(value)) this.#queueAgain()
    }
    this.#onError = (error) => {
      if (incarnation === this.incarnation && this.#threw(error)) this.#queueAgain()
    }
  }

  #queueAgain(): void {
    this.#activity = queued
    this.core.runQueue.push(this)
  }

  /** Books a normal end of the current stage; false when the actor is ending. */
  #returned(reply: unknown): boolean {
    if (this.waits !== undefined) this.waits = undefined
    if (this.state >= restarting) return false
    const envelope = this.#hands.current
    if (envelope !== undefined) {
      this.#hands.current = undefined
      this.#replied(envelope, reply)
    } else if (this.#stage === starting) this.life.started()
    else if (this.#stage === turning) this.#doneAtIdle--
    return this.state < restarting
  }

  #threw(thrown: unknown): boolean {
    this.waits = undefined
    if (this.state >= restarting) return false
    const envelope = this.#hands.current
    this.#hands.current = undefined
    this.#failedIn(envelope, thrown)
    return this.state < restarting
  }

  #replied(envelope: Envelope, reply: unknown): void {
    this.processed++
    if (envelope.ask !== undefined) envelope.ask.resolve(reply)
  }

  /** Hands an error to the one asker who waits for the answer, else the actor fails. */
  #failedIn(envelope: Envelope | undefined, thrown: unknown): void {
    this.failed++
    const ask = envelope?.ask
    if (ask === undefined) this.life.fail(this.#stage === starting ? 'start' : 'handle', thrown, envelope?.name)
    else if (ask.isSettled)
      this.core.log.warn(
        { actor: this.toString(), error: thrown },
        `${this} threw in ${ask.message} after its asker gave up`,
      )
    else ask.reject(thrown)
  }

  #enqueue(turn: Turn): void {
    if (this.state >= restarting) return
    this.#turns ??= new Ring()
    this.#turns.push(turn)
    this.#takesDetour = true
    this.wake()
  }
}

function call(method: Method, actor: Actor, envelope: Envelope): unknown {
  return envelope.escort === undefined ? method.call(actor, envelope.payload) : envelope.escort.handle(method, actor)
}
