// The way into an actor: a bounded line of messages, and behind it the line of those that wait for room.

import { Ring } from '../lib/ring.ts'
import type { Core } from './core.ts'
import type { DeadLetterReason } from './dead-letters.ts'
import { beginWait } from './deadlock.ts'
import type { Waiter } from './deadlock.ts'
import { Envelope } from './envelope.ts'
import { anObject, mailboxFull, messageDiscarded, oneOf, wholeNumber } from './errors.ts'
import { Pending } from './pending.ts'
import { WaitingLine } from './waiting-line.ts'

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
  const given = typeof options === 'number' ? { capacity: options } : anObject('mailbox', options)
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
    const entry = new Pending(this.#owner, name)
    // The dead letter owns the failure, so a sender that looks away is not an unhandled rejection.
    entry.promise.catch(() => undefined)
    if (admission !== 'wait') entry.reject(this.#refusal(admission, name))
    else if (this.#mayWait(envelope, entry)) this.#wait(envelope, entry)
    return entry.promise as Promise<void>
  }

  ask(name: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    const ask = new Pending(this.#owner, name)
    const envelope = new Envelope(name, payload, 'ask')
    envelope.ask = ask
    if (!this.#mayWait(envelope, ask)) return ask.promise
    const admission = this.#offer(envelope)
    if (admission === 'in' || admission === 'wait') this.#owner.core.askTimeouts.add(ask, timeoutMs)
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

  /** Lets a message in however full it is; false when the door is closed. */
  put(envelope: Envelope): boolean {
    if (this.#limits.overflow === 'closed') return false
    this.#messages.push(envelope)
    this.#owner.wake()
    return true
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
      next.entry?.reject(this.#owner.whyGone())
      this.refuse(next.envelope, 'stopped', () => this.#owner.whyGone())
    }
  }

  /** Closes, and turns what is in into dead letters. */
  discard(): void {
    this.close()
    for (let next = this.#messages.shift(); next !== undefined; next = this.#messages.shift())
      this.refuse(next, 'discarded', () => this.#owner.whyGone())
  }

  /** Buries a message that will not be handled, and tells its asker why, unless that one gave up before. */
  refuse(envelope: Envelope, reason: DeadLetterReason, why: () => Error): void {
    const { ask } = envelope
    const gaveUp = ask?.isSettled === true
    this.bury(envelope, gaveUp ? 'timeout' : reason)
    if (!gaveUp) ask?.reject(why())
  }

  bury(envelope: Envelope, reason: DeadLetterReason): void {
    if (envelope.escort?.cutOff(reason) === true) return
    const { core } = this.#owner
    core.runAs(undefined, () => core.deadLetters.record(this.#owner, envelope, reason))
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
      const oldest = this.#messages.shift()
      // Race: whoever hears of the dropped one may kill the actor, which then finds the new one in.
      this.#messages.push(envelope)
      if (oldest !== undefined) this.refuse(oldest, 'overflow', () => this.#refusal('drop-newest', oldest.name))
      return 'in'
    }
    if (overflow !== 'wait') this.bury(envelope, overflow === 'closed' ? 'stopped' : 'overflow')
    return overflow
  }

  #refusal(admission: Admission, message: string): Error {
    if (admission === 'closed') return this.#owner.whyGone()
    const refusal = admission === 'fail' ? mailboxFull : messageDiscarded
    return refusal(this.#owner, message, this.#limits.capacity)
  }

  /** Books that the handler under way waits for `wait`; refuses both when that would never end. */
  #mayWait(envelope: Envelope, wait: Pending): boolean {
    const { running } = this.#owner.core
    const deadlock = running === undefined ? undefined : beginWait(running, wait)
    if (deadlock === undefined) return true
    wait.reject(deadlock)
    this.bury(envelope, 'deadlock')
    return false
  }

  #wait(envelope: Envelope, entry: Pending | undefined): void {
    this.#waiting ??= new WaitingLine()
    for (const gone of this.#waiting.push({ envelope, entry })) this.bury(gone, 'timeout')
  }

  #letIn(waiting: WaitingLine): void {
    if (this.#messages.size >= this.#limits.capacity) return
    const next = waiting.shift()
    if (next === undefined) return
    this.#messages.push(next.envelope)
    next.entry?.resolve(undefined)
  }
}
