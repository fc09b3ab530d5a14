// The waits in memory of one attempt of a worker: none outlives it.
import type { Performance } from '../engine/activation/surroundings.ts'
import type { Attempt } from '../engine/activation/attempt.ts'
import type { Timer } from '../lib/clock.ts'
import { toMs, type Duration } from '../lib/duration.ts'

interface Sleep {
  readonly timer: Timer
  readonly reject: (reason: Error) => void
}

export class Sleeps implements Performance {
  readonly #attempt: Attempt
  readonly #sleeping = new Set<Sleep>()
  // Why the attempt was cut short.
  #reason: unknown

  constructor(attempt: Attempt) {
    this.#attempt = attempt
    attempt.attach(this)
  }

  /** Rejects when the attempt is cut short; is never settled when the attempt had its end before. */
  sleep(time: Duration): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      const delayMs = toMs(time)
      if (this.#attempt.isOver) {
        const reason = this.#reason ?? this.#attempt.signal.reason
        if (reason !== undefined) reject(reason)
        return
      }
      const timer = this.#attempt.deps.clock.after(delayMs, () => {
        this.#sleeping.delete(sleep)
        resolve()
      })
      const sleep = { timer, reject }
      this.#sleeping.add(sleep)
    })
    // A sleep that nobody awaits yet may be cut short; that must not end the process.
    promise.catch(() => undefined)
    return promise
  }

  // Performance

  drain(): void {}

  over(reason: Error | undefined): void {
    this.#reason = reason
    for (const { timer, reject } of this.#sleeping) {
      timer.cancel()
      if (reason !== undefined) reject(reason)
    }
    this.#sleeping.clear()
  }
}
