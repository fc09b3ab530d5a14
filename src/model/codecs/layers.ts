// Codecs one after another: each puts what the one before wrote into its own form.
import { isUint8Array } from 'node:util/types'
import { bytesOf, codedText, layerOf, layersOf, layerText, viewOf, withoutCodec } from '../../lib/coded-text.ts'
import { optionInvalid } from '../errors.ts'
import type { ValueCodec } from './value-codec.ts'

const keyForm = /^[\w.-]+$/

export function writeLayers(text: string, place: string, codecs: readonly ValueCodec[]): string {
  let bytes: Uint8Array = Buffer.from(text)
  const layers: string[] = []
  for (const codec of codecs) {
    const coded = codec.encode(bytes, placeOf(place, layers))
    if (coded === undefined) continue
    checkCoded(codec.name, coded)
    bytes = coded.bytes
    layers.unshift(layerText({ name: codec.name, key: coded.key }))
  }
  return layers.length === 0 ? text : codedText(layers, bytes)
}

/** Throws `value_unreadable` for want of a codec, and what a codec throws. */
export function readLayers(text: string, place: string, byName: ReadonlyMap<string, ValueCodec>): string {
  const layers = layersOf(text)
  let bytes = bytesOf(text)
  layers.forEach((layer, at) => {
    const { name, key } = layerOf(layer)
    const codec = byName.get(name)
    if (codec === undefined) throw withoutCodec(text)
    bytes = codec.decode({ bytes, key }, placeOf(place, layers.slice(at + 1)))
    if (!isUint8Array(bytes)) throw optionInvalid(`What decode of codec '${name}' gave`, bytes, 'a Uint8Array')
  })
  return viewOf(bytes).toString()
}

// It may be of somebody who has no types.
function checkCoded(name: string, coded: unknown): void {
  const { bytes, key } = (coded ?? {}) as { readonly bytes?: unknown; readonly key?: unknown }
  if (!isUint8Array(bytes)) {
    const expected = '{ bytes: Uint8Array, key?: string }, or undefined to leave the value as it is, and no promise'
    throw optionInvalid(`What encode of codec '${name}' gave`, coded, expected)
  }
  if (key !== undefined && (typeof key !== 'string' || !keyForm.test(key)))
    throw optionInvalid(
      `The key that encode of codec '${name}' gave`,
      key,
      'letters, digits, dots, hyphens, underscores',
    )
}

/** What is inside of a layer cannot be taken for something else. */
function placeOf(place: string, layers: readonly string[]): string {
  return layers.length === 0 ? place : `${place}\n${layers.join(',')}`
}
