// How often one actor may be restarted, and how long each restart waits.

import { backoffMs } from '../lib/backoff.ts'
import type { BackoffStrategy } from '../lib/backoff.ts'
import { toMs } from '../lib/duration.ts'
import type { Duration } from '../lib/duration.ts'
import { restartMaxInvalid } from './errors.ts'

export interface RestartLimits {
  /** How many restarts of one actor are allowed `within` the time; 3 when absent. */
  readonly max?: number
  /** 5 s when absent. */
  readonly within?: Duration
  /** How long to wait before a restart: at once when absent; a duration doubles with each restart in that time, up to 30 s. */
  readonly backoff?: Duration | RestartBackoff
}

export interface RestartBackoff {
  /** `'exponential'` when absent. */
  readonly strategy?: BackoffStrategy
  readonly base: Duration
  /** 30 s when absent. */
  readonly max?: Duration
}

const noJitter = (): number => 0.5

/** The restarts of one actor. */
export class RestartBudget {
  readonly max: number
  readonly withinMs: number
  readonly #strategy: BackoffStrategy
  readonly #baseMs: number
  readonly #maxMs: number
  #takenAtMs: number[] = []

  constructor({ max = 3, within = '5s', backoff = { strategy: 'none', base: 0 } }: RestartLimits = {}) {
    if (!Number.isInteger(max) || max < 0) throw restartMaxInvalid(max)
    const {
      strategy = 'exponential',
      base,
      max: longest = '30s',
    } = typeof backoff === 'object' ? backoff : { base: backoff }
    this.max = max
    this.withinMs = toMs(within)
    this.#strategy = strategy
    this.#baseMs = toMs(base)
    this.#maxMs = toMs(longest)
  }

  /** Takes one restart out and returns how many milliseconds it waits; undefined when none is left. */
  take(nowMs: number): number | undefined {
    this.#takenAtMs = this.#takenAtMs.filter((takenAtMs) => nowMs - takenAtMs < this.withinMs)
    if (this.#takenAtMs.length >= this.max) return undefined
    this.#takenAtMs.push(nowMs)
    const backoff = { strategy: this.#strategy, baseMs: this.#baseMs, maxMs: this.#maxMs, jitter: 0 }
    return backoffMs(backoff, this.#takenAtMs.length, noJitter)
  }
}
