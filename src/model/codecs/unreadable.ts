// The error for what a codec cannot read.
import { layersOf } from '../../lib/coded-text.ts'
import { isTroupeError, TroupeError } from '../../lib/errors.ts'
import { placeText } from './value-codec.ts'

/** As the codec threw it, where that says so already. */
export function unreadable(error: unknown, text: string, place: string): TroupeError {
  if (isTroupeError(error, 'value_unreadable')) return error
  const why = error instanceof Error ? error.message : String(error)
  return new TroupeError(
    'value_unreadable',
    `The stored ${placeText(place)} cannot be read, as its codec says: ${why}`,
    { retryable: false, details: { place, codec: layersOf(text).join(',') } },
  )
}
