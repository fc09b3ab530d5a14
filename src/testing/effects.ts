// What a workflow does to the world, as it tells a test.

import { inspect } from 'node:util'
import { currentPlace, type CodePlace } from './performed-code.ts'

export interface Effect {
  readonly name: string
  readonly key: string
}

/** What is done to the world, in the order in which it was done. What the code of a dropped engine does after its end is not done. */
export interface Effects {
  /** Says that something was done to the world, and to what. */
  note(name: string, key?: unknown): void
  /** Forgets all. */
  clear(): void
  readonly notes: readonly Effect[]
}

/** One that knows which code it was. */
export interface PlacedEffect extends Effect {
  readonly place: CodePlace | undefined
}

/** Makes a recorder of side effects for `crashEverywhere`: the code of steps and workers calls `effects.note('charge', order.id)` where it would do something. */
export function recordEffects(): Effects {
  return new RecordedEffects()
}

export class RecordedEffects implements Effects {
  notes: PlacedEffect[] = []

  note(name: string, key?: unknown): void {
    const place = currentPlace()
    if (place?.life.isOver === true) return
    const text = key === undefined ? '' : typeof key === 'string' ? key : inspect(key, { breakLength: Infinity })
    this.notes.push({ name, key: text, place })
  }

  clear(): void {
    this.notes = []
  }
}
