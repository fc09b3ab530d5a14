// How the store takes what this node writes, in the form of a circuit breaker: each write is tried at once all the same, as runs wait for it.
import type { BreakerView } from '../lib/breaker.ts'
import type { Clock } from '../lib/clock.ts'

const mostFailures = 5
// A file that others have locked is tried again and again: from then on that is told.
const slowMs = 1_000

export class CommitTrouble {
  readonly #clock: Clock
  #failures = 0
  #failedAt: number | undefined
  #begunAtMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begun(atMs: number): void {
    this.#begunAtMs = atMs
  }

  succeeded(): void {
    this.#begunAtMs = undefined
    this.#failures = 0
    this.#failedAt = undefined
  }

  failed(): void {
    this.#begunAtMs = undefined
    this.#failures += 1
    this.#failedAt ??= this.#clock.now()
  }

  view(): BreakerView {
    const waitedMs = this.#begunAtMs === undefined ? 0 : this.#clock.monotonic() - this.#begunAtMs
    const isSlow = waitedMs >= slowMs
    const state = this.#failures >= mostFailures ? 'open' : this.#failures > 0 || isSlow ? 'half_open' : 'closed'
    const openedAt = this.#failedAt ?? (isSlow ? this.#clock.now() - waitedMs : null)
    return { name: 'commits', state, failures: this.#failures, openedAt, retryAt: null }
  }
}
