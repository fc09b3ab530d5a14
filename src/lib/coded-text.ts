// Texts that stand for a value without being its encoding: it is in another form, which they name, or cannot be read, and they say why.
import type { ErrorRecord } from './error-record.ts'
import { TroupeError } from './errors.ts'

/** One form of several, one inside the other, and the name of the key that it took, where it has keys. */
export interface CodedLayer {
  readonly name: string
  readonly key: string | undefined
}

const head = /^x([a-z0-9-]+(?:\([\w.-]+\))?(?:,[a-z0-9-]+(?:\([\w.-]+\))?)*):/
// To the end of the text, which takes long.
const whole = /^[^:]*:[A-Za-z0-9+/]*={0,2}$/
const layerForm = /^([a-z0-9-]+)(?:\(([\w.-]+)\))?$/
const label = /^\((?:[a-z0-9-]+|encrypted, key '[\w.-]+')\)$/
// Of a text that says why there is no value.
const failed = '!'

/** `layers` from the outermost to the innermost. */
export function codedText(layers: readonly string[], bytes: Uint8Array): string {
  return `x${layers.join(',')}:${viewOf(bytes).toString('base64')}`
}

/** How a layer is named in a text. */
export function layerText({ name, key }: CodedLayer): string {
  return key === undefined ? name : `${name}(${key})`
}

export function isCoded(text: string): boolean {
  return text.charCodeAt(0) === 120 && head.test(text)
}

/** For texts that may be anything, and so also begin like one. */
export function isWhollyCoded(text: string): boolean {
  return isCoded(text) && whole.test(text)
}

/** The layers of a text as they stand in it, the outermost first. */
export function layersOf(text: string): string[] {
  return head.exec(text)?.[1]?.split(',') ?? []
}

export function layerOf(text: string): CodedLayer {
  const [, name = '', key] = layerForm.exec(text) ?? []
  return { name, key }
}

function outermostOf(text: string): CodedLayer {
  return layerOf(layersOf(text)[0] ?? '')
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text.slice(text.indexOf(':') + 1), 'base64')
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** What those see of a text who cannot read it. */
export function codedLabel(text: string): string {
  const { name, key } = outermostOf(text)
  return key === undefined ? `(${name})` : `(encrypted, key '${key}')`
}

/** Whether a value is what those see who cannot read it; a text of a program that looks like it counts too. */
export function isCodedLabel(value: unknown): boolean {
  return typeof value === 'string' && label.test(value)
}

/** What a text was written with. */
export function codecText(text: string): string {
  const { name, key } = outermostOf(text)
  return key === undefined ? `with the codec '${name}'` : `with the codec '${name}' under key '${key}'`
}

/** Why a text cannot be read where its codec is not known. */
export function withoutCodec(text: string): TroupeError {
  const { name, key } = outermostOf(text)
  return new TroupeError(
    'value_unreadable',
    `A stored value was written ${codecText(text)}, which this process was not given: give it the same { codec } as whoever wrote it.`,
    { retryable: true, details: { codec: name, key: key ?? null } },
  )
}

/** In the place of a value that cannot be read: one must not hold up the others of its batch. */
export function failureText({ message, details, retryable }: TroupeError): string {
  return `${failed}${JSON.stringify({ name: 'TroupeError', message, details, retryable })}`
}

/** Why there is no value, as it stands in such a text. Throws when it is no such text. */
export function failureIn(text: string): TroupeError {
  const { message, details, retryable } = JSON.parse(text.slice(failed.length)) as ErrorRecord
  return new TroupeError('value_unreadable', message, { ...(details && { details }), retryable: retryable === true })
}

/** Why a text gives no value; undefined for all that were encoded. */
export function failureOf(text: string): TroupeError | undefined {
  if (!text.startsWith(failed)) return isCoded(text) ? withoutCodec(text) : undefined
  try {
    return failureIn(text)
  } catch {
    return undefined
  }
}

/** Why the record of an error does not tell what it was: it is in another form. */
export function failureOfRecord(text: string): TroupeError | undefined {
  if (!text.includes('"coded":"x')) return undefined
  const { coded } = JSON.parse(text) as { readonly coded?: unknown }
  return typeof coded === 'string' && isCoded(coded) ? withoutCodec(coded) : undefined
}
