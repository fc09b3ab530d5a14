// A codec whose key is another with each value.
import { aesGcm, compress, type ValueCodec } from '../../../src/index.ts'

const keys = { first: '11'.repeat(32), second: '22'.repeat(32), third: '33'.repeat(32) }

/** As processes do that were given one key after the other: each writes with its own, and reads what all of them wrote. */
export function changingKeys(): ValueCodec[] {
  const [first, ...others] = (['first', 'second', 'third'] as const).map((current) => aesGcm({ keys, current }))
  const all = [first as ValueCodec, ...others]
  let written = 0
  const encode: ValueCodec['encode'] = (bytes, place) => all[written++ % all.length]?.encode(bytes, place)
  return [compress({ above: 50 }), { ...(first as ValueCodec), encode }]
}

/** Of somebody who may open the store, and has none of its keys. */
export const ofOthers: ValueCodec = aesGcm({ keys: { other: '44'.repeat(32) }, current: 'other' })
