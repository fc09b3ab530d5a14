// The user's code that is being performed: steps and workers, so that time stands still for what they wait for outside.

import { AsyncLocalStorage } from 'node:async_hooks'
import { isThenable } from '../lib/thenable.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** One life of an engine: after its end nothing that its code does counts. */
export interface Life {
  readonly isOver: boolean
}

/** Each attempt is a place of its own. */
export interface CodePlace {
  readonly life: Life
  readonly runId: string
  readonly definition: string
  /** Of the step; empty for the code of a run itself. */
  readonly path: string
  /** It is the code of a workflow, which is performed again on every resume. */
  readonly isRepeated: boolean
}

type Where = Pick<CodePlace, 'runId' | 'definition' | 'path'>

interface Performing extends CodePlace {
  /** How many timers it has armed and waits for. */
  timers: number
}

/** Which code is asking; undefined outside of runs. */
export function currentPlace(): CodePlace | undefined {
  return places.getStore()
}

const places = new AsyncLocalStorage<Performing>()

export class PerformedCode {
  readonly #clock: VirtualClock
  readonly #life: Life
  readonly #performing = new Set<Performing>()

  constructor(clock: VirtualClock, life: Life) {
    this.#clock = clock
    this.#life = life
    clock.armed = armedHere
  }

  /** Something is performed that does not wait for the clock. */
  get isBusyOutside(): boolean {
    for (const { timers } of this.#performing) if (timers === 0) return true
    return false
  }

  /** What is being performed for a run. */
  of(runId: string): CodePlace[] {
    return [...this.#performing].filter((place) => place.runId === runId)
  }

  /** Performs the code of a workflow, which waits for what the engine does. */
  follow<T>(place: Where, code: () => T): T {
    return places.run({ ...place, life: this.#life, isRepeated: true, timers: 0 }, code)
  }

  /** Performs a step or a worker. */
  perform<T>(place: Where, code: () => T): T {
    const performing = { ...place, life: this.#life, isRepeated: false, timers: 0 }
    this.#performing.add(performing)
    const ended = (): void => {
      this.#performing.delete(performing)
      this.#clock.note()
    }
    try {
      const result = places.run(performing, code)
      if (isThenable(result)) void Promise.resolve(result).then(ended, ended)
      else ended()
      return result
    } catch (error) {
      ended()
      throw error
    }
  }
}

/** Whoever arms a timer waits for it, until it fires or is cancelled. */
function armedHere(): (() => void) | undefined {
  const place = places.getStore()
  if (place === undefined) return undefined
  let isWaiting = true
  place.timers += 1
  return () => {
    if (isWaiting) place.timers -= 1
    isWaiting = false
  }
}
