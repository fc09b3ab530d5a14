// A message on its way, in the one shape that every mailbox holds.

import type { Actor } from './actor.ts'
import type { DeadLetterReason } from './dead-letters.ts'
import type { Method } from './protocol.ts'

export type Operation = 'tell' | 'send' | 'ask'

/** Who waits for what comes of a message. */
export interface Asker {
  readonly message: string
  /** Whether it has its answer, or gave up. */
  readonly isSettled: boolean
  resolve(reply: unknown): void
  reject(error: unknown): void
  /** From now on it waits for nothing that a handler could hold up. */
  endWait(): void
}

/** Who looks after a message: its handler is called through it. */
export interface Escort {
  handle(method: Method, actor: Actor): unknown
  /** The message has become a dead letter. True when that is told elsewhere. */
  cutOff(reason: DeadLetterReason): boolean
}

// Measured: payloads of different shapes read at the place of dispatch cost 3x; one class in the mailbox does not.
export class Envelope {
  readonly name: string
  readonly payload: unknown
  readonly operation: Operation
  ask: Asker | undefined = undefined
  /** There for the few messages whose way is timed or traced, and for those that came from another thread. */
  escort: Escort | undefined = undefined

  constructor(name: string, payload: unknown, operation: Operation) {
    this.name = name
    this.payload = payload
    this.operation = operation
  }
}
