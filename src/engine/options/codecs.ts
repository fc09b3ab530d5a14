// The codecs of an engine, checked.
import { codingOf, type Coding } from '../../model/codecs/codecs.ts'
import { failureOf } from '../../lib/coded-text.ts'
import type { ValueCodec } from '../../model/codecs/value-codec.ts'
import { optionInvalid } from '../../model/errors.ts'
import { checkFunction, checkObject } from '../checks.ts'

// Any value.
const sample = 'jtrue'

/** What they make together; undefined without any. Throws `option_invalid`. */
export function checkedCoding(received: ValueCodec | readonly ValueCodec[] | undefined): Coding | undefined {
  if (received === undefined) return undefined
  const codecs = checkCodecs(received)
  for (const codec of codecs) checkGivesBack(codec)
  return codingOf(codecs)
}

/** A value that it would destroy is not there yet. */
function checkGivesBack(codec: ValueCodec): void {
  const { write, read } = codingOf([codec])
  const coded = write(sample, 'value')
  const why = failureOf(read(coded, 'value'))
  if (why !== undefined)
    throw optionInvalid(`What codec '${codec.name}' wrote`, coded, `what it reads again: ${why.message}`)
  if (read(coded, 'value') !== sample)
    throw optionInvalid(`What codec '${codec.name}' wrote`, coded, 'what its decode gives back as it was')
}

function checkCodecs(received: ValueCodec | readonly ValueCodec[]): readonly ValueCodec[] {
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
