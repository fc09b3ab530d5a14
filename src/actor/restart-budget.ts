// How often one actor may be restarted, and how long each restart waits.

import { toMs } from '../lib/duration.ts'
import type { Duration } from '../lib/duration.ts'
import { anObject, wholeNumber } from './errors.ts'

export interface RestartLimits {
  /** How many restarts of one actor are allowed `within` the time; 3 when absent. */
  readonly max?: number
  /** 5 s when absent; the waits before restarts are not counted. */
  readonly within?: Duration
  /** How long to wait before a restart: at once when absent; the wait doubles with each restart in that time, up to 30 s. */
  readonly backoff?: Duration | RestartBackoff
}

export interface RestartBackoff {
  /** The first wait; each further one is twice as long. */
  readonly base: Duration
  /** 30 s when absent. */
  readonly max?: Duration
}

/** The restarts of one actor. */
export class RestartBudget {
  readonly max: number
  readonly withinMs: number
  readonly #baseMs: number
  readonly #maxMs: number
  // Invariant: waits stand outside of the time that counts, or long ones would keep the budget from ever being used up.
  #waitedMs = 0
  #takenAtMs: number[] = []

  constructor({ max = 3, within = '5s', backoff = 0 }: RestartLimits = {}) {
    const { base, max: longest = '30s' } =
      typeof backoff === 'object' ? anObject('backoff', backoff) : { base: backoff }
    this.max = wholeNumber('number of restarts (max)', max, 0)
    this.withinMs = toMs(within)
    this.#baseMs = toMs(base)
    this.#maxMs = toMs(longest)
  }

  /** Takes one restart out and returns how many milliseconds it waits; undefined when none is left. */
  take(nowMs: number): number | undefined {
    const atMs = nowMs - this.#waitedMs
    this.#takenAtMs = this.#takenAtMs.filter((takenAtMs) => atMs - takenAtMs < this.withinMs)
    if (this.#takenAtMs.length >= this.max) return undefined
    this.#takenAtMs.push(atMs)
    const waitMs = Math.min(this.#maxMs, this.#baseMs * 2 ** (this.#takenAtMs.length - 1))
    this.#waitedMs += waitMs
    return waitMs
  }
}
