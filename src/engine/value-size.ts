// How large what is stored of a run may be: its inputs and results, which an option raises, and what it says.
import type { EncodeOptions } from '../lib/codec.ts'
import { optionInvalid } from '../model/errors.ts'

export const defaultValueBytes = 1_048_576

/** The most bytes of a message, an event, or a value that an attempt keeps for the next. */
export const messageBytes = 262_144

// A batch of them is held in memory.
const leastValueBytes = 1_024
const mostValueBytes = 67_108_864

/** Throws `option_invalid`. */
export function checkValueBytes(received: unknown): void {
  const bytes = Number.isSafeInteger(received) ? (received as number) : 0
  if (bytes < leastValueBytes || bytes > mostValueBytes)
    throw optionInvalid('maxValueBytes', received, `a whole number from ${leastValueBytes} to ${mostValueBytes}`)
}

/** How `what` is encoded. */
export function valueSize(maxBytes: number, what: string): EncodeOptions {
  return { maxBytes, what, raise: 'maxValueBytes of Troupe.open' }
}
