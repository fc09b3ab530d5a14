// The way into an actor: a bounded line of messages, and behind it the line of those that wait for room.

import { deferred } from '../lib/deferred.ts'
import type { Deferred } from '../lib/deferred.ts'
import { Ring } from '../lib/ring.ts'
import { PendingAsk } from './ask.ts'
import type { Core } from './core.ts'
import type { DeadLetterReason } from './dead-letters.ts'
import { Envelope } from './envelope.ts'
import { capacityInvalid, mailboxFull, messageDiscarded, overflowInvalid } from './errors.ts'

/** What a full mailbox does: make `send` and `ask` wait, refuse the message, or drop one. `tell` never waits. */
export type Overflow = 'wait' | 'fail' | 'drop-oldest' | 'drop-newest'

export interface MailboxOptions {
  readonly capacity?: number
  readonly overflow?: Overflow
}

export interface MailboxLimits {
  readonly capacity: number
  readonly overflow: Overflow
}

/** The actor a mailbox belongs to. */
export interface MailboxOwner {
  readonly core: Core
  toString(): string
  /** Makes sure that the actor takes a turn. */
  wake(): void
  /** Why the actor takes no more messages. */
  whyGone(): Error
}

type Admission = 'in' | 'wait' | 'full' | 'dropped' | 'closed'

interface Waiting {
  readonly envelope: Envelope
  readonly entered: Deferred<void> | undefined
}

const defaultLimits: MailboxLimits = { capacity: 100, overflow: 'wait' }
const overflows: readonly Overflow[] = ['wait', 'fail', 'drop-oldest', 'drop-newest']
const firstSweep = 64

export function mailboxLimits(options: number | MailboxOptions | undefined): MailboxLimits {
  if (options === undefined) return defaultLimits
  const { capacity = defaultLimits.capacity, overflow = defaultLimits.overflow } =
    typeof options === 'number' ? { capacity: options } : options
  if (!Number.isInteger(capacity) || capacity < 1) throw capacityInvalid(capacity)
  if (!overflows.includes(overflow)) throw overflowInvalid(overflow)
  return { capacity, overflow }
}

/**
 * Invariant: I16. Every message given to `tell`, `send` or `ask` leaves through `shift` or is buried as a dead letter, exactly once.
 *
 * Invariant: while anyone waits for room the mailbox is full, so a message never overtakes an earlier one of its sender.
 */
export class Mailbox {
  readonly #owner: MailboxOwner
  readonly #limits: MailboxLimits
  readonly #messages = new Ring<Envelope>()
  #waiting: Ring<Waiting> | undefined
  #sweepAt = firstSweep
  #isOpen = true

  constructor(owner: MailboxOwner, limits: MailboxLimits) {
    this.#owner = owner
    this.#limits = limits
  }

  get size(): number {
    return this.#messages.size
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
    if (admission === 'in' || admission === 'dropped') return undefined
    const entered = deferred<void>()
    // The dead letter owns the failure, so a sender that looks away is not an unhandled rejection.
    entered.promise.catch(() => undefined)
    if (admission === 'wait') this.#wait({ envelope, entered })
    else entered.reject(this.#refusal(admission, name))
    return entered.promise
  }

  ask(name: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    const ask = new PendingAsk(this.#owner, name)
    const envelope = new Envelope(name, payload, 'ask')
    envelope.ask = ask
    const admission = this.#offer(envelope)
    if (admission === 'in' || admission === 'wait') this.#owner.core.askTimeouts.add(ask, timeoutMs)
    else ask.reject(this.#refusal(admission, name))
    if (admission === 'wait') this.#wait({ envelope, entered: undefined })
    return ask.promise
  }

  /** Takes the oldest message out and lets the first that waits in. */
  shift(): Envelope | undefined {
    const envelope = this.#messages.shift()
    if (this.#waiting !== undefined) this.#letIn(this.#waiting)
    return envelope
  }

  /** Lets nothing more in; those that wait for room are refused, what is in stays. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const waiting = this.#waiting
    this.#waiting = undefined
    for (let next = waiting?.shift(); next !== undefined; next = waiting?.shift()) {
      next.envelope.ask?.reject(this.#owner.whyGone())
      next.entered?.reject(this.#owner.whyGone())
      this.bury(next.envelope, 'stopped')
    }
  }

  /** Closes, and turns what is in into dead letters. */
  discard(): void {
    this.close()
    for (let next = this.#messages.shift(); next !== undefined; next = this.#messages.shift()) {
      const gaveUp = next.ask?.isSettled === true
      next.ask?.reject(this.#owner.whyGone())
      this.bury(next, gaveUp ? 'timeout' : 'discarded')
    }
  }

  bury(envelope: Envelope, reason: DeadLetterReason): void {
    this.#owner.core.deadLetters.record(this.#owner, envelope, reason)
  }

  #offer(envelope: Envelope): Admission {
    if (!this.#isOpen) {
      this.bury(envelope, 'stopped')
      return 'closed'
    }
    if (this.#messages.size >= this.#limits.capacity) return this.#overflow(envelope)
    this.#messages.push(envelope)
    this.#owner.wake()
    return 'in'
  }

  #overflow(envelope: Envelope): Admission {
    const { overflow } = this.#limits
    if (overflow === 'wait') return 'wait'
    if (overflow === 'drop-oldest') return this.#replaceOldest(envelope)
    this.bury(envelope, 'overflow')
    return overflow === 'fail' ? 'full' : 'dropped'
  }

  #replaceOldest(envelope: Envelope): Admission {
    const oldest = this.#messages.shift()
    this.#messages.push(envelope)
    if (oldest === undefined) return 'in'
    const gaveUp = oldest.ask?.isSettled === true
    oldest.ask?.reject(this.#refusal('dropped', oldest.name))
    this.bury(oldest, gaveUp ? 'timeout' : 'overflow')
    return 'in'
  }

  #refusal(admission: Admission, message: string): Error {
    if (admission === 'full') return mailboxFull(this.#owner, message, this.#limits.capacity)
    if (admission === 'dropped') return messageDiscarded(this.#owner, message, this.#limits.capacity)
    return this.#owner.whyGone()
  }

  #wait(waiting: Waiting): void {
    if (this.#waiting !== undefined && this.#waiting.size >= this.#sweepAt) this.#sweep(this.#waiting)
    this.#waiting ??= new Ring()
    this.#waiting.push(waiting)
  }

  // Asks that gave up while waiting for room would pile up before an actor that is stuck; each doubling of the line clears them.
  #sweep(waiting: Ring<Waiting>): void {
    for (let left = waiting.size; left > 0; left--) {
      const next = waiting.shift() as Waiting
      if (next.envelope.ask?.isSettled === true) this.bury(next.envelope, 'timeout')
      else waiting.push(next)
    }
    this.#sweepAt = Math.max(firstSweep, waiting.size * 2)
  }

  #letIn(waiting: Ring<Waiting>): void {
    const next = waiting.shift()
    if (next === undefined) return
    this.#messages.push(next.envelope)
    next.entered?.resolve()
  }
}
