// One message that waits for room.

import { deferred } from '../lib/deferred.ts'
import { endWait } from './deadlock.ts'
import type { Wait, Waiter } from './deadlock.ts'

export class PendingSend implements Wait {
  readonly target: Waiter
  /** The actor whose handler waits for room, when that is known. */
  sender: Waiter | undefined = undefined
  readonly #entered = deferred<void>()

  constructor(target: Waiter) {
    this.target = target
    // The dead letter owns the failure, so a sender that looks away is not an unhandled rejection.
    this.#entered.promise.catch(() => undefined)
  }

  get promise(): Promise<void> {
    return this.#entered.promise
  }

  enter(): void {
    if (this.sender !== undefined) endWait(this.sender, this)
    this.#entered.resolve()
  }

  refuse(error: Error): void {
    if (this.sender !== undefined) endWait(this.sender, this)
    this.#entered.reject(error)
  }
}
