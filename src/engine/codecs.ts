// The codecs of an engine, checked.
import type { ValueCodec } from '../lib/value-codec.ts'
import { optionInvalid } from '../model/errors.ts'
import { checkFunction, checkObject } from './checks.ts'

/** As a list. Throws `option_invalid`. */
export function checkCodecs(received: ValueCodec | readonly ValueCodec[]): readonly ValueCodec[] {
  const codecs: readonly ValueCodec[] = Array.isArray(received) ? received : [received as ValueCodec]
  const names = new Set<string>()
  for (const codec of codecs) {
    checkObject('codec', codec, 'compress(), aesGcm({ keys, current }), one of your own, or a list of these')
    const { name, encode, decode } = codec
    if (typeof name !== 'string' || !/^[a-z0-9-]{1,40}$/.test(name))
      throw optionInvalid('The name of a codec', name, 'lower-case letters, digits and hyphens')
    if (names.has(name)) throw optionInvalid('codec', name, 'each codec once')
    names.add(name)
    checkFunction(`encode of codec '${name}'`, encode)
    checkFunction(`decode of codec '${name}'`, decode)
    if (codec.digest !== undefined) checkFunction(`digest of codec '${name}'`, codec.digest)
  }
  return codecs
}
