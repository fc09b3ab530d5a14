// Names of runs that are the same in every trial, in the place of their ids, which are not.

import type { Batch, Held } from '../store/store.ts'

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

export class RunNames {
  readonly #names = new Map<string, string>()

  /** The run that was started from outside. */
  root(id: string, name: string): void {
    this.#names.set(id, name)
  }

  /** Children have the name of the run that started them, and the path under which it did. */
  see(batch: Batch, idOf: (held: Held) => string | undefined): void {
    for (const { held, path, start } of batch.children) {
      const parent = this.of(idOf(held) ?? '')
      this.#names.set(start.id, `${parent}/${path}`)
    }
  }

  of(id: string): string {
    return this.#names.get(id) ?? id
  }

  inText(text: string): string {
    return text.replace(uuid, (id) => this.of(id))
  }

  /** A copy with names in the place of ids, wherever they stand. */
  inValue(value: unknown): unknown {
    if (typeof value === 'string') return this.inText(value)
    if (Array.isArray(value)) return value.map((item) => this.inValue(item))
    if (value instanceof Map) return new Map([...value].map(([key, item]) => [this.inValue(key), this.inValue(item)]))
    if (value instanceof Set) return new Set([...value].map((item) => this.inValue(item)))
    if (typeof value !== 'object' || value === null || !isPlain(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.inText(key), this.inValue(item)]))
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
