// Those who are told of things as they happen, and what they throw is nobody else's trouble.

import type { Log } from '../lib/log.ts'
import { optionInvalid } from './errors.ts'

export class Listeners<T> {
  readonly #log: Log
  readonly #title: string
  readonly #all = new Set<{ readonly hear: (item: T) => void }>()

  /** `title` says in the log who threw. */
  constructor(log: Log, title: string) {
    this.#log = log
    this.#title = title
  }

  get size(): number {
    return this.#all.size
  }

  /** Returns what ends the listening. */
  add(hear: (item: T) => void): () => void {
    if (typeof hear !== 'function') throw optionInvalid(`listener ${this.#title}`, hear, 'a function')
    const listener = { hear }
    this.#all.add(listener)
    return () => void this.#all.delete(listener)
  }

  tell(item: T): void {
    for (const { hear } of this.#all) {
      try {
        hear(item)
      } catch (error) {
        this.#log.error({ error }, `A listener ${this.#title} threw; it was ignored`)
      }
    }
  }
}
