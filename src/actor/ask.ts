// One question that waits for its answer.

import type { AskQueue } from './ask-timeouts.ts'
import { endWait } from './deadlock.ts'
import type { Wait, Waiter } from './deadlock.ts'

type Resolve = (value: unknown) => void
type Reject = (error: unknown) => void

let capturedResolve: Resolve
let capturedReject: Reject
// Shared by all asks, so that none of them makes a closure.
const capture = (resolve: Resolve, reject: Reject): void => {
  capturedResolve = resolve
  capturedReject = reject
}

/** Settles once; whatever comes later is ignored. While it waits it is linked into the queue of its timeout. */
export class PendingAsk implements Wait {
  readonly promise: Promise<unknown>
  readonly target: Waiter
  readonly message: string
  readonly #resolve: Resolve
  readonly #reject: Reject
  /** The actor whose handler waits for the answer, when that is known. */
  asker: Waiter | undefined = undefined
  isSettled = false
  queue: AskQueue | undefined = undefined
  previous: PendingAsk | undefined = undefined
  next: PendingAsk | undefined = undefined
  deadlineMs = -1

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

  #settle(): void {
    this.isSettled = true
    if (this.queue !== undefined) this.queue.remove(this)
    if (this.asker !== undefined) endWait(this.asker, this)
  }
}
