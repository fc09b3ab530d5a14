// An object made of parts of others, each of which stands where the part does.
import type { Spot } from '../expression/placeholders.ts'
import type { PlainObject } from '../expression/values.ts'
import type { Source } from './source.ts'

export class Draft {
  readonly object: Record<string, unknown> = {}
  readonly #source: Source

  /** Stands where `from` does, but for the parts that stand elsewhere. */
  constructor(source: Source, from: object) {
    this.#source = source
    source.places.begin(this.object, source.places.startOf(from) ?? 0)
  }

  /** What is undefined is left out, and what was told to be wrong. */
  put(key: string, value: unknown, source: Spot): this {
    if (value === undefined || this.#source.problems.isSpoilt(source)) return this
    this.object[key] = value
    this.#source.places.copy({ owner: this.object, key }, source)
    return this
  }

  /** All keys of an object, in place of those of the same names. */
  putAll(source: PlainObject): this {
    for (const key of Object.keys(source)) this.put(key, source[key], { owner: source, key })
    return this
  }
}
