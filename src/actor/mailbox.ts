// The way into an actor: a bounded line of messages, and behind it the line of those that wait for room.

import { deferred } from '../lib/deferred.ts'
import { Ring } from '../lib/ring.ts'
import { PendingAsk } from './ask.ts'
import type { Core } from './core.ts'
import type { DeadLetterReason } from './dead-letters.ts'
import { beginWait, endWait } from './deadlock.ts'
import type { Waiter } from './deadlock.ts'
import { Envelope } from './envelope.ts'
import { mailboxFull, messageDiscarded, oneOf, wholeNumber } from './errors.ts'
import { WaitingLine } from './waiting-line.ts'
import type { Waiting } from './waiting-line.ts'

/** What a full mailbox does: make `send` and `ask` wait, refuse the message, or drop one. `tell` never waits. */
export type Overflow = 'wait' | 'fail' | 'drop-oldest' | 'drop-newest'

export interface MailboxOptions {
  readonly capacity?: number
  readonly overflow?: Overflow
}

export interface MailboxLimits {
  readonly capacity: number
  readonly overflow: Overflow | 'closed'
  /** As the capacity, and none at all once the mailbox is closed. */
  readonly room: number
}

/** The actor a mailbox belongs to. */
export interface MailboxOwner extends Waiter {
  readonly core: Core
  /** Makes sure that the actor takes a turn. */
  wake(): void
  /** Why the actor takes no more messages. */
  whyGone(): Error
}

type Admission = 'in' | 'wait' | 'fail' | 'drop-newest' | 'closed'

const defaultLimits = { capacity: 100, overflow: 'wait', room: 100 } as const
const overflows: readonly Overflow[] = ['wait', 'fail', 'drop-oldest', 'drop-newest']

// Measured: a count that all systems share costs a tell 1 ns, one in each system 5 ns.
let untilObserved = 64

/** Has the next message observed, whichever it is. */
export function observeNext(): void {
  untilObserved = 1
}

export function mailboxLimits(options: number | MailboxOptions | undefined): MailboxLimits {
  if (options === undefined) return defaultLimits
  const given = typeof options === 'number' ? { capacity: options } : options
  const room = wholeNumber('mailbox capacity', given.capacity ?? defaultLimits.capacity, 1)
  const overflow = oneOf('mailbox overflow', given.overflow ?? defaultLimits.overflow, overflows)
  return { capacity: room, overflow, room }
}

/**
 * Invariant: I16. Every message given to `tell`, `send` or `ask` leaves through `shift` or is buried as a dead letter, exactly once.
 *
 * Invariant: while anyone waits for room the mailbox is full, so a message never overtakes an earlier one of its sender.
 */
export class Mailbox {
  readonly #owner: MailboxOwner
  #limits: MailboxLimits
  readonly #messages = new Ring<Envelope>()
  #waiting: WaitingLine | undefined
  #highWater = 0

  constructor(owner: MailboxOwner, limits: MailboxLimits) {
    this.#owner = owner
    this.#limits = limits
  }

  get size(): number {
    return this.#messages.size
  }

  /** The most messages that ever waited in it. */
  get highWater(): number {
    return Math.max(this.#highWater, this.#messages.size)
  }

  get capacity(): number {
    return this.#limits.capacity
  }

  tell(name: string, payload: unknown): boolean {
    const envelope = new Envelope(name, payload, 'tell')
    const admission = this.#offer(envelope)
    if (admission === 'in') return true
    if (admission === 'wait') this.bury(envelope, 'overflow')
    return false
  }

  send(name: string, payload: unknown): Promise<void> | undefined {
    const envelope = new Envelope(name, payload, 'send')
    const admission = this.#offer(envelope)
    if (admission === 'in' || admission === 'drop-newest') return undefined
    return admission === 'wait' ? this.#waitToSend(envelope) : refused(this.#refusal(admission, name))
  }

  ask(name: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    const { core } = this.#owner
    const ask = new PendingAsk(this.#owner, name)
    const envelope = new Envelope(name, payload, 'ask')
    envelope.ask = ask
    if (core.running !== undefined) {
      const deadlock = beginWait(core.running, ask, name)
      if (deadlock !== undefined) return this.#refuse(envelope, ask, deadlock)
      ask.asker = core.running
    }
    const admission = this.#offer(envelope)
    if (admission === 'in' || admission === 'wait') core.askTimeouts.add(ask, timeoutMs)
    else ask.reject(this.#refusal(admission, name))
    if (admission === 'wait') this.#wait(envelope, undefined)
    return ask.promise
  }

  /** Takes the oldest message out and lets the first that waits in. */
  shift(): Envelope | undefined {
    const messages = this.#messages
    if (messages.size > this.#highWater) this.#highWater = messages.size
    const envelope = messages.shift()
    if (this.#waiting !== undefined) this.#letIn(this.#waiting)
    return envelope
  }

  /** The message that `shift` would take out. */
  peek(): Envelope | undefined {
    return this.#messages.peek()
  }

  /** Puts back a message that was taken out, ahead of all others; it may exceed the capacity. */
  unshift(envelope: Envelope): void {
    this.#messages.unshift(envelope)
  }

  /** Lets nothing more in; those that wait for room are refused, what is in stays. */
  close(): void {
    this.#limits = { ...this.#limits, overflow: 'closed', room: 0 }
    const waiting = this.#waiting
    this.#waiting = undefined
    for (let next = waiting?.shift(); next !== undefined; next = waiting?.shift()) {
      next.settle?.(this.#owner.whyGone())
      this.#reject(next.envelope, this.#owner.whyGone(), 'stopped')
    }
  }

  /** Closes, and turns what is in into dead letters. */
  discard(): void {
    this.close()
    for (let next = this.#messages.shift(); next !== undefined; next = this.#messages.shift())
      this.#reject(next, this.#owner.whyGone(), 'discarded')
  }

  bury(envelope: Envelope, reason: DeadLetterReason): void {
    envelope.observation?.cutOff(reason)
    this.#owner.core.deadLetters.record(this.#owner, envelope, reason)
  }

  #offer(envelope: Envelope): Admission {
    if (--untilObserved === 0) untilObserved = this.#owner.core.observer.observe(envelope, this.#owner)
    if (this.#messages.size >= this.#limits.room) return this.#overflow(envelope)
    this.#messages.push(envelope)
    this.#owner.wake()
    return 'in'
  }

  #overflow(envelope: Envelope): Admission {
    const { overflow } = this.#limits
    if (overflow === 'drop-oldest') {
      this.#dropOldest()
      this.#messages.push(envelope)
      return 'in'
    }
    if (overflow !== 'wait') this.bury(envelope, overflow === 'closed' ? 'stopped' : 'overflow')
    return overflow
  }

  #dropOldest(): void {
    const oldest = this.#messages.shift()
    if (oldest !== undefined) this.#reject(oldest, this.#refusal('drop-newest', oldest.name), 'overflow')
  }

  /** Buries a message that will not be handled, and tells its asker why, unless that one gave up before. */
  #reject(envelope: Envelope, why: Error, reason: DeadLetterReason): void {
    const gaveUp = envelope.ask?.isSettled === true
    envelope.ask?.reject(why)
    this.bury(envelope, gaveUp ? 'timeout' : reason)
  }

  #refusal(admission: Admission, message: string): Error {
    if (admission === 'closed') return this.#owner.whyGone()
    const refusal = admission === 'fail' ? mailboxFull : messageDiscarded
    return refusal(this.#owner, message, this.#limits.capacity)
  }

  #refuse(envelope: Envelope, pending: PendingAsk, deadlock: Error): Promise<unknown> {
    pending.reject(deadlock)
    this.bury(envelope, 'deadlock')
    return pending.promise
  }

  #waitToSend(envelope: Envelope): Promise<void> {
    const sender = this.#owner.core.running
    const { promise, resolve, reject } = deferred<void>()
    const wait = { target: this.#owner, promise }
    const deadlock = sender === undefined ? undefined : beginWait(sender, wait, envelope.name)
    if (deadlock !== undefined) {
      this.bury(envelope, 'deadlock')
      return refused(deadlock)
    }
    this.#wait(envelope, (refusal) => {
      if (sender !== undefined) endWait(sender, wait)
      if (refusal === undefined) resolve()
      else reject(refusal)
    })
    promise.catch(() => undefined)
    return promise
  }

  #wait(envelope: Envelope, settle: Waiting['settle']): void {
    this.#waiting ??= new WaitingLine()
    this.#waiting.push({ envelope, settle }, (gone) => this.bury(gone, 'timeout'))
  }

  #letIn(waiting: WaitingLine): void {
    if (this.#messages.size >= this.#limits.capacity) return
    const next = waiting.shift()
    if (next === undefined) return
    this.#messages.push(next.envelope)
    next.settle?.(undefined)
  }
}

/** The dead letter owns the failure, so a sender that looks away is not an unhandled rejection. */
function refused(error: Error): Promise<void> {
  const promise = Promise.reject<void>(error)
  promise.catch(() => undefined)
  return promise
}
