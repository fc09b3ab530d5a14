// Telling runs what they wait for, once they wait for it.

import { deferred, type Deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import type { Troupe } from '../troupe.ts'
import { tellOptions, type SeenRun } from './observations.ts'
import type { Stage } from './stage.ts'

interface Awaited {
  readonly runId: string
  readonly message: string
  readonly isWaiting: Deferred<void>
}

export class Waiting {
  readonly #stage: Stage
  readonly #troupe: Troupe
  readonly #awaited = new Set<Awaited>()
  readonly #answers = new Map<string, unknown>()

  constructor(stage: Stage, troupe: Troupe) {
    this.#stage = stage
    this.#troupe = troupe
    stage.atRest = () => this.#look()
    stage.whenStuck = (text) => {
      for (const awaited of this.#awaited)
        this.#fail(awaited, `Run ${awaited.runId} never waits for message '${awaited.message}': ${text}`)
    }
  }

  on(message: string, payload: unknown): void {
    this.#answers.set(message, payload)
    this.#stage.clock.note()
  }

  async when(runId: string, message: string): Promise<void> {
    const awaited = { runId, message, isWaiting: deferred<void>() }
    this.#awaited.add(awaited)
    this.#stage.awaits.add(runId)
    this.#stage.clock.note()
    try {
      await awaited.isWaiting.promise
    } finally {
      this.#awaited.delete(awaited)
      if (![...this.#awaited].some((other) => other.runId === runId)) this.#stage.awaits.delete(runId)
    }
  }

  /** Tells who waits, and whoever waits for that; true when something was told. */
  async #look(): Promise<boolean> {
    const before = this.#awaited.size
    for (const awaited of this.#awaited) {
      const runs = await this.#stage.waitingFor(awaited.message, this.#troupe)
      if (runs.some(({ id }) => id === awaited.runId)) this.#settle(awaited).resolve()
      else await this.#checkEnd(awaited)
    }
    // Race: who was told has its turn before time goes on.
    if (this.#awaited.size < before) return true
    for (const [message, payload] of this.#answers) {
      const [run] = await this.#stage.waitingFor(message, this.#troupe)
      if (run === undefined) continue
      await this.#answer(run, message, payload)
      return true
    }
    return false
  }

  async #answer(run: SeenRun, message: string, answer: unknown): Promise<void> {
    try {
      const payload: unknown = typeof answer === 'function' ? answer(run.id) : answer
      await this.#troupe.tell(run.id, message, payload, tellOptions(run, message))
    } catch (error) {
      this.#answers.delete(message)
      this.#stage.fail(toError(error))
    }
  }

  async #checkEnd(awaited: Awaited): Promise<void> {
    const { state, error } = (await this.#troupe.get(awaited.runId)) ?? { state: 'unknown' }
    if (state !== 'unknown' && !endings.includes(state)) return
    const why = error === undefined ? '' : ` (${error.message})`
    this.#fail(awaited, `Run ${awaited.runId} does not wait for message '${awaited.message}': it is ${state}${why}.`)
  }

  #fail(awaited: Awaited, text: string): void {
    this.#settle(awaited).reject(new Error(text))
  }

  #settle(awaited: Awaited): Deferred<void> {
    this.#awaited.delete(awaited)
    return awaited.isWaiting
  }
}

const endings: readonly string[] = ['succeeded', 'failed', 'cancelled']
