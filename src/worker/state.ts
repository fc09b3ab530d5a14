// What a run keeps from one attempt to the next.
import type { Attempt } from '../engine/activation/attempt.ts'
import { messageBytes } from '../engine/value-size.ts'
import type { WriteOwner } from '../engine/writes.ts'
import { checkName } from '../engine/checks.ts'
import { decode, encode } from '../lib/codec.ts'
import { optionInvalid } from '../model/errors.ts'
import { checkpointKey } from '../model/path.ts'

// Invariant: I15. What one run may keep.
const mostKeys = 1_000

export class RunState implements WriteOwner {
  readonly #attempt: Attempt
  readonly #values: Map<string, string>

  constructor(attempt: Attempt) {
    this.#attempt = attempt
    const named = attempt.claimed.states.filter(({ key }) => key !== checkpointKey)
    this.#values = new Map(named.map(({ key, value }) => [key, value]))
  }

  get(key: string): unknown {
    const value = this.#values.get(key)
    return value === undefined ? undefined : decode(value)
  }

  set(key: string, value: unknown): void {
    checkName('The key of a state', key)
    if (value === undefined) return this.clear(key)
    if (this.#values.size >= mostKeys && !this.#values.has(key))
      throw optionInvalid('The number of keys in the state of a run', this.#values.size + 1, `at most ${mostKeys}`)
    const text = encode(value, { maxBytes: messageBytes, what: 'state' })
    this.#values.set(key, text)
    this.#write(key, text)
  }

  clear(key: string): void {
    if (this.#values.delete(key)) this.#write(key, null)
  }

  clearAll(): void {
    for (const key of this.#values.keys()) this.clear(key)
  }

  // WriteOwner

  // What could not be kept would be missed by the next attempt: this one is given up then.
  written(): void {}

  #write(key: string, value: string | null): void {
    if (!this.#attempt.isHeard) return
    const { held } = this.#attempt
    this.#attempt.write(this, [{ list: 'states', record: { held, key, value } }])
  }
}
