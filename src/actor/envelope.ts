// A message on its way, in the one shape that every mailbox holds.

import type { PendingAsk } from './ask.ts'
import type { Observation } from './observation.ts'

export type Operation = 'tell' | 'send' | 'ask'

// Measured: payloads of different shapes read at the place of dispatch cost 3x; one class in the mailbox does not.
export class Envelope {
  readonly name: string
  readonly payload: unknown
  readonly operation: Operation
  ask: PendingAsk | undefined = undefined
  /** There for the few messages whose way is timed or traced. */
  observation: Observation | undefined = undefined

  constructor(name: string, payload: unknown, operation: Operation) {
    this.name = name
    this.payload = payload
    this.operation = operation
  }
}
