// One ask that waits for its answer, or one send that waits for room.

import { endWait } from './deadlock.ts'
import type { Wait, Waiter } from './deadlock.ts'
import type { Asker } from './envelope.ts'

type Resolve = (value: unknown) => void
type Reject = (error: unknown) => void

let capturedResolve: Resolve
let capturedReject: Reject
// Shared by all, so that none of them makes a closure.
const capture = (resolve: Resolve, reject: Reject): void => {
  capturedResolve = resolve
  capturedReject = reject
}

/** A link in the circle of the asks of one timeout; alone it is a circle of its own. */
export interface AskLink {
  previous: AskLink
  next: AskLink
  deadlineMs: number
}

/** The deadline of an ask that came since deadlines were given last. */
export const undated = -1

/** Settles once; whatever comes later is ignored. */
export class Pending implements AskLink, Asker, Wait {
  readonly promise: Promise<unknown>
  readonly target: Waiter
  readonly message: string
  readonly #resolve: Resolve
  readonly #reject: Reject
  /** The actor whose handler waits for it, when that is known. */
  waiter: Waiter | undefined = undefined
  place = 0
  isSettled = false
  previous: AskLink = this
  next: AskLink = this
  deadlineMs = undated

  constructor(target: Waiter, message: string) {
    this.target = target
    this.message = message
    this.promise = new Promise(capture)
    this.#resolve = capturedResolve
    this.#reject = capturedReject
  }

  resolve(value: unknown): void {
    this.#settle()
    this.#resolve(value)
  }

  reject(error: unknown): void {
    this.#settle()
    this.#reject(error)
  }

  endWait(): void {
    if (this.waiter !== undefined) endWait(this.waiter, this)
  }

  #settle(): void {
    this.isSettled = true
    this.previous.next = this.next
    this.next.previous = this.previous
    this.previous = this.next = this
    this.endWait()
  }
}
