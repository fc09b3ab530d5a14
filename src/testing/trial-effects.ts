// The side effects of one trial: what was done, and what may have been done once more because it was under way at a crash.

import type { Batch, Held } from '../store/store.ts'
import type { PlacedEffect } from './effects.ts'
import type { CodePlace } from './performed-code.ts'
import type { RunNames } from './run-names.ts'

/** One thing that was done, however often. */
export interface DoneEffect {
  /** What was done and where, in words. */
  readonly what: string
  times: number
  /** How often it was done by attempts that were under way at a crash: they are performed again. */
  underWay: number
  /** It was done by the code of a workflow, outside of its steps. */
  readonly isOutside: boolean
}

export class TrialEffects {
  readonly #names: RunNames
  /** Attempts whose end is in the store. */
  readonly #recorded = new Set<CodePlace>()
  /** What was under way at crashes. */
  readonly #underWay = new Set<PlacedEffect>()
  readonly #done = new Map<string, DoneEffect>()

  constructor(names: RunNames) {
    this.#names = names
  }

  get done(): ReadonlyMap<string, DoneEffect> {
    return this.#done
  }

  /** A batch was written: the attempts whose end it holds are not performed again. */
  recorded(notes: readonly PlacedEffect[], batch: Batch, idOf: (held: Held) => string | undefined): void {
    const ended = new Set<string>()
    const end = (held: Held, path: string): void => void ended.add(`${idOf(held) ?? ''}/${path}`)
    for (const { held, path } of [...batch.steps, ...batch.attempts]) end(held, path)
    for (const { held } of [...batch.settles, ...batch.retries, ...batch.continues]) end(held, '')
    for (const { held, waits } of [...batch.parks, ...batch.waits])
      for (const { kind, path } of waits) if (kind === 'completion') end(held, path)
    if (ended.size === 0) return
    for (const { place } of notes)
      if (place !== undefined && ended.has(`${place.runId}/${place.path}`)) this.#recorded.add(place)
  }

  /** The engine is dropped now. */
  crashed(notes: readonly PlacedEffect[]): void {
    for (const note of notes) {
      const { place } = note
      if (place === undefined || place.isRepeated || place.life.isOver || this.#recorded.has(place)) continue
      this.#underWay.add(note)
    }
  }

  /** All that was done in the end. */
  take(notes: readonly PlacedEffect[]): void {
    for (const note of notes) {
      const what = this.#textOf(note)
      const isOutside = note.place === undefined || note.place.isRepeated
      const done = this.#done.get(what) ?? { what, times: 0, underWay: 0, isOutside }
      done.times += 1
      if (this.#underWay.has(note)) done.underWay += 1
      this.#done.set(what, done)
    }
  }

  #textOf({ name, key, place }: PlacedEffect): string {
    const what = key === '' ? `'${name}'` : `'${name}' of ${this.#names.inText(key)}`
    if (place === undefined) return what
    const run = this.#names.of(place.runId)
    if (place.isRepeated) return `${what}, outside of the steps of ${run}`
    return place.path === '' ? `${what}, in ${run}` : `${what}, in step '${place.path}' of ${run}`
  }
}
