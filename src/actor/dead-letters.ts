// Where messages go that nobody handled: counted, the newest kept, shown to listeners, logged without flooding.

import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Envelope, Operation } from './envelope.ts'
import { Listeners } from './listeners.ts'

/**
 * - `stopped`: it came, or still waited for room, after the door was closed: the actor stops, has stopped, was killed or has failed;
 * - `discarded`: it was let in, but the actor was killed or failed before it was handled to the end;
 * - `reply-dropped`: it was being handled for an asker who waited, and the actor was killed or failed before it replied;
 * - `restart`: it was being handled when the actor was restarted; what still waited then is handled after the restart;
 * - `overflow`: the mailbox was full;
 * - `timeout`: its asker gave up while it was still in the mailbox;
 * - `unknown`: the actor has no such public method;
 * - `deadlock`: waiting for it would never have ended;
 * - `not-copied`: it cannot be copied into the thread of the actor.
 */
export type DeadLetterReason =
  | 'stopped'
  | 'discarded'
  | 'reply-dropped'
  | 'restart'
  | 'overflow'
  | 'timeout'
  | 'unknown'
  | 'deadlock'
  | 'not-copied'

export interface DeadLetter {
  /** The actor it was for, as it prints. */
  readonly actor: string
  /** The name or tag of the message. */
  readonly message: string
  readonly payload: unknown
  readonly operation: Operation
  readonly reason: DeadLetterReason
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface DeadLetters {
  /** How many there ever were. */
  readonly count: number
  /** The newest hundred, oldest first. */
  readonly recent: readonly DeadLetter[]
  /** Calls `listener` with each one from now on; returns what ends that. */
  onDeadLetter(listener: (letter: DeadLetter) => void): () => void
}

/** Thrown in a handler's name when its message turned out to be a dead letter: `why` is told to its asker. */
export class Buried {
  readonly reason: DeadLetterReason
  readonly why: Error

  constructor(reason: DeadLetterReason, why: Error) {
    this.reason = reason
    this.why = why
  }
}

const keptLetters = 100
const logEveryMs = 1000

export class DeadLetterBox implements DeadLetters {
  readonly #clock: Clock
  readonly #log: Log
  readonly #listeners: Listeners<DeadLetter>
  #recent: DeadLetter[] = []
  #count = 0
  /** Since one was logged; undefined when the next one is logged. */
  #unlogged: number | undefined

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
    this.#listeners = new Listeners(log, 'for dead letters')
  }

  get count(): number {
    return this.#count
  }

  get recent(): readonly DeadLetter[] {
    return this.#recent.slice(-keptLetters)
  }

  onDeadLetter(listener: (letter: DeadLetter) => void): () => void {
    return this.#listeners.add(listener)
  }

  record(actor: { toString(): string }, envelope: Envelope, reason: DeadLetterReason): void {
    const { name: message, payload, operation } = envelope
    const letter: DeadLetter = { actor: actor.toString(), message, payload, operation, reason, at: this.#clock.now() }
    if (this.#recent.push(letter) > 2 * keptLetters) this.#recent = this.#recent.slice(-keptLetters)
    this.#count++
    this.#logOne(letter)
    this.#listeners.tell(letter)
  }

  /** Logs how many were left out since the one that was told. */
  end(): void {
    const unlogged = this.#unlogged ?? 0
    this.#unlogged = undefined
    if (unlogged > 0) this.#log.warn({ unlogged }, `Dead letters: ${unlogged} more`)
  }

  #logOne({ actor, message, operation, reason }: DeadLetter): void {
    if (this.#unlogged !== undefined) {
      this.#unlogged++
      return
    }
    this.#log.warn({ actor, message, operation, reason }, `Dead letter: ${message} for ${actor} (${reason})`)
    this.#unlogged = 0
    this.#clock.after(logEveryMs, () => this.end(), { background: true })
  }
}
