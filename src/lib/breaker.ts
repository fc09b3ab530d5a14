// A circuit breaker: after failures in a row nothing is tried for a while, so that what is in trouble is left in peace and what waits is not used up.
import type { Clock } from './clock.ts'

/** `closed`: all may be tried. `open`: nothing, until its time is over. `half_open`: a few are, to see. */
export type BreakerState = 'closed' | 'open' | 'half_open'

export interface BreakerView {
  readonly name: string
  readonly state: BreakerState
  /** In a row. */
  readonly failures: number
  /** In milliseconds since 1970, as `retryAt`; null while it is closed. */
  readonly openedAt: number | null
  /** When it is tried again; null while nothing keeps it from that. */
  readonly retryAt: number | null
}

export interface BreakerRules {
  /** How many failures in a row open it. */
  readonly failures: number
  readonly openMs: number
  /** How many successes in a row close it again; so many are tried at a time. */
  readonly successes: number
}

const defaults: BreakerRules = { failures: 5, openMs: 30_000, successes: 2 }

export class Breaker {
  readonly name: string
  readonly #clock: Clock
  readonly #rules: BreakerRules
  #failures = 0
  #successes = 0
  #openedAt: number | undefined
  /** On the clock that never goes back. */
  #retryAtMs = 0
  #trials = 0
  #lastTrialMs = 0

  constructor(name: string, clock: Clock, rules: Partial<BreakerRules> = {}) {
    this.name = name
    this.#clock = clock
    this.#rules = { ...defaults, ...rules }
  }

  get state(): BreakerState {
    if (this.#openedAt === undefined) return 'closed'
    return this.retryInMs > 0 ? 'open' : 'half_open'
  }

  /** How long nothing is tried. */
  get retryInMs(): number {
    return this.#openedAt === undefined ? 0 : Math.max(0, this.#retryAtMs - this.#clock.monotonic())
  }

  /** Whether one may be tried now; who may, says by `succeeded` or `failed` how it went. */
  enter(): boolean {
    const state = this.state
    if (state !== 'half_open') return state === 'closed'
    const now = this.#clock.monotonic()
    const { successes, openMs } = this.#rules
    // Those that never say how it went keep nobody out for ever.
    if (now - this.#lastTrialMs >= openMs) this.#trials = 0
    if (this.#trials >= successes) return false
    this.#trials += 1
    this.#lastTrialMs = now
    return true
  }

  succeeded(): void {
    const state = this.state
    // What began before it was opened says nothing of now.
    if (state === 'open') return
    this.#trials = Math.max(0, this.#trials - 1)
    this.#successes += 1
    if (state === 'half_open' && this.#successes < this.#rules.successes) return
    this.#failures = 0
    this.#openedAt = undefined
  }

  failed(): void {
    const state = this.state
    if (state === 'open') return
    this.#failures += 1
    if (state === 'half_open' || this.#failures >= this.#rules.failures) this.#open()
  }

  view(): BreakerView {
    const { name, state } = this
    const retryAt = state === 'open' ? this.#clock.now() + this.retryInMs : null
    return { name, state, failures: this.#failures, openedAt: this.#openedAt ?? null, retryAt }
  }

  #open(): void {
    this.#openedAt = this.#clock.now()
    this.#retryAtMs = this.#clock.monotonic() + this.#rules.openMs
    this.#successes = 0
    this.#trials = 0
  }
}
