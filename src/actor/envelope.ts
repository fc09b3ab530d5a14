// A message on its way, in the one shape that every mailbox holds.

import type { PendingAsk } from './ask.ts'

export type Operation = 'tell' | 'send' | 'ask'

// Measured: payloads of different shapes read at the place of dispatch cost 3x; one class in the mailbox does not.
export class Envelope {
  readonly name: string
  readonly payload: unknown
  readonly operation: Operation
  ask: PendingAsk | undefined = undefined

  constructor(name: string, payload: unknown, operation: Operation) {
    this.name = name
    this.payload = payload
    this.operation = operation
  }
}
