// The keys of the crash tests: each process may write under another one, and all read what any of them wrote.
import { aesGcm } from '../../src/model/codecs/aes-gcm.ts'
import { compress } from '../../src/model/codecs/compress.ts'
import type { ValueCodec } from '../../src/model/codecs/value-codec.ts'

const keys = { first: '11'.repeat(32), second: '22'.repeat(32), third: '33'.repeat(32) }

export type KeyName = keyof typeof keys
export const keyNames = Object.keys(keys) as KeyName[]

/** Values are short: all that becomes smaller is compressed. */
export function codecUnder(current: KeyName): ValueCodec[] {
  return [compress({ above: 50 }), aesGcm({ keys, current })]
}

/** Of somebody who may open the store, and has none of its keys. */
export const ofOthers: ValueCodec = aesGcm({ keys: { other: '44'.repeat(32) }, current: 'other' })
