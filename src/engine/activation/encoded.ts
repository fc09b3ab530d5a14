// A result or a message that was encoded where it was made.
import { encode } from '../../lib/codec.ts'
import { valueSize } from '../value-size.ts'

/** A result as it is stored. Throws when it cannot be. */
export function resultText(result: unknown, maxBytes: number): string {
  return result instanceof Encoded ? result.text : encode(result, valueSize(maxBytes, 'result'))
}

/** `text` throws when the value cannot be stored. */
export class Encoded {
  readonly #text: string | Error

  constructor(text: string | Error) {
    this.#text = text
  }

  get text(): string {
    if (typeof this.#text !== 'string') throw this.#text
    return this.#text
  }
}
