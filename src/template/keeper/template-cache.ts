// Templates of the store, compiled: those that were needed last are at hand.
import type { TemplateCounts } from '../../engine/verbs/node-status.ts'
import type { LoadedDefinition } from '../perform/loaded.ts'

export interface CacheBounds {
  readonly templates: number
  readonly steps: number
}

// Invariant: I15. A step takes some kilobytes.
const most: CacheBounds = { templates: 1_000, steps: 100_000 }

export class TemplateCache {
  readonly #find: (id: number) => Promise<LoadedDefinition | undefined>
  readonly #bounds: CacheBounds
  /** By their number, the one that was needed last at the end. */
  readonly #atHand = new Map<number, LoadedDefinition>()
  readonly #underWay = new Map<number, Promise<LoadedDefinition | undefined>>()
  readonly #counts = { hits: 0, misses: 0, evictions: 0 }
  #steps = 0

  /** `find` brings what is not at hand. */
  constructor(find: (id: number) => Promise<LoadedDefinition | undefined>, bounds = most) {
    this.#find = find
    this.#bounds = bounds
  }

  /** The template of a definition; undefined for what is none. */
  get(id: number): LoadedDefinition | Promise<LoadedDefinition | undefined> {
    const known = this.#atHand.get(id)
    if (known === undefined) return this.#bring(id)
    this.#counts.hits += 1
    this.#atHand.delete(id)
    this.#atHand.set(id, known)
    return known
  }

  counts(): TemplateCounts {
    return { atHand: this.#atHand.size, steps: this.#steps, ...this.#counts }
  }

  /** Once for all who ask meanwhile. */
  #bring(id: number): Promise<LoadedDefinition | undefined> {
    const underWay = this.#underWay.get(id)
    if (underWay !== undefined) {
      this.#counts.hits += 1
      return underWay
    }
    const bringing = this.#find(id)
      .then((found) => this.#keep(id, found))
      .finally(() => this.#underWay.delete(id))
    this.#underWay.set(id, bringing)
    return bringing
  }

  #keep(id: number, found: LoadedDefinition | undefined): LoadedDefinition | undefined {
    if (found === undefined) return undefined
    this.#counts.misses += 1
    this.#atHand.set(id, found)
    this.#steps += found.template.steps.length
    // The one that is needed now stays, however large it is.
    for (const [other, { template }] of this.#atHand) {
      if (this.#isWithin() || other === id) break
      this.#atHand.delete(other)
      this.#steps -= template.steps.length
      this.#counts.evictions += 1
    }
    return found
  }

  #isWithin(): boolean {
    return this.#atHand.size <= this.#bounds.templates && this.#steps <= this.#bounds.steps
  }
}
