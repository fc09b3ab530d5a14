// What is stored in another form than it was encoded in: compressed, encrypted, or both.
import type { ErrorRecord } from './error-record.ts'
import { isTroupeError, TroupeError } from './errors.ts'

/** Bytes in the form of a codec, and the name of the key that it took for them, where it has keys. */
export interface CodedBytes {
  readonly bytes: Uint8Array
  /** Stands in the store as it is: letters, digits, dots, hyphens and underscores. */
  readonly key?: string | undefined
}

/**
 * One form of what is stored of the data of a program. Its functions are called while a batch is made or read, so they are synchronous: what they need, as keys from elsewhere, is fetched before the engine is opened.
 *
 * `place` says what the value is, as in `input` or `step:charge`; the same for writing and for reading it.
 */
export interface ValueCodec {
  /** Stands in the store in front of what it wrote: lower-case letters, digits and hyphens. */
  readonly name: string
  /** What is stored instead; undefined leaves the bytes as they are. */
  encode(bytes: Uint8Array, place: string): CodedBytes | undefined
  /** Throws what says why they cannot be read. */
  decode(coded: CodedBytes, place: string): Uint8Array
  /** The key of a cache as it is stored: the same for the same text, and nobody without the keys of the codec can tell the text by it. */
  digest?(text: string): string
}

/** How texts are written into a store and read from it. */
export interface Coding {
  write(text: string, place: string): string
  /** What cannot be read is a text whose decoding throws why: one value must not hold up the others of a batch. */
  read(text: string, place: string): string
  /** The record of an error, in JSON: its name and code can be read by everybody. */
  writeError(text: string, place: string): string
  readError(text: string, place: string): string
  /** Text that was not encoded, as of a log line. */
  readPlain(text: string, place: string): string
  digest(text: string): string
}

const head = /^x([a-z0-9-]+(?:\([\w.-]+\))?(?:,[a-z0-9-]+(?:\([\w.-]+\))?)*):/
// To the end of the text, which takes long.
const base64 = /^[^:]*:[A-Za-z0-9+/]*={0,2}$/
const layerForm = /^([a-z0-9-]+)(?:\(([\w.-]+)\))?$/
// Of a text that says why there is no value.
const failed = '!'

/** The codecs one after another: the first is the first to write and the last to read. */
export function codingOf(codecs: readonly ValueCodec[]): Coding {
  const byName = new Map(codecs.map((codec) => [codec.name, codec]))
  const read = (text: string, place: string): string => {
    try {
      return isCoded(text) ? readLayers(text, place, byName) : text
    } catch (error) {
      return failureText(unreadable(error, text, place))
    }
  }
  return {
    write: (text, place) => writeLayers(text, place, codecs),
    read,
    writeError: (text, place) => writeRecord(text, (whole) => writeLayers(whole, place, codecs)),
    readError: (text, place) => readRecord(text, (coded) => readLayers(coded, place, byName)),
    readPlain: (text, place) => (isCoded(text) && base64.test(text) ? plainOf(read(text, place)) : text),
    digest: (text) => codecs.reduce((digest, codec) => codec.digest?.(digest) ?? digest, text),
  }
}

/** For those who only look and have no keys: what is coded reads as a text that says so. */
export const seenFromOutside: Coding = {
  write: (text) => text,
  read: (text) => (isCoded(text) ? `j${JSON.stringify(codedText(text))}` : text),
  writeError: (text) => text,
  // Its message says so already.
  readError: (text) => text,
  readPlain: (text) => (isCoded(text) && base64.test(text) ? codedText(text) : text),
  digest: (text) => text,
}

export function isCoded(text: string): boolean {
  return text.charCodeAt(0) === 120 && head.test(text)
}

/** Why a stored text is no value, as it stands in it. Throws when it is no such text. */
export function failureIn(text: string): TroupeError {
  const { message, details, retryable } = JSON.parse(text.slice(failed.length)) as ErrorRecord
  return new TroupeError('value_unreadable', message, { ...(details && { details }), retryable: retryable === true })
}

/** Why a text cannot be read in a process without codecs. */
export function withoutCodec(text: string): TroupeError {
  const [layer = ''] = layersOf(text)
  const { name, key } = partsOf(layer)
  const what = key === undefined ? `with the codec '${name}'` : `with the codec '${name}' under key '${key}'`
  return new TroupeError(
    'value_unreadable',
    `A stored value was written ${what}, which this process was not given: open the engine with the same { codec } as whoever wrote it.`,
    { retryable: true, details: { codec: name, key: key ?? null } },
  )
}

/** The error that made of a text one that is no value; undefined for all others. */
export function failureOf(text: string): TroupeError | undefined {
  if (!text.startsWith(failed)) return isCoded(text) ? withoutCodec(text) : undefined
  try {
    return failureIn(text)
  } catch {
    return undefined
  }
}

function writeLayers(text: string, place: string, codecs: readonly ValueCodec[]): string {
  let bytes: Uint8Array = Buffer.from(text)
  let layers = ''
  for (const codec of codecs) {
    const coded = codec.encode(bytes, placeOf(place, layers))
    if (coded === undefined) continue
    bytes = coded.bytes
    const layer = coded.key === undefined ? codec.name : `${codec.name}(${coded.key})`
    layers = layers === '' ? layer : `${layer},${layers}`
  }
  return layers === '' ? text : `x${layers}:${viewOf(bytes).toString('base64')}`
}

function readLayers(text: string, place: string, byName: ReadonlyMap<string, ValueCodec>): string {
  const layers = layersOf(text)
  let bytes: Uint8Array = Buffer.from(text.slice(text.indexOf(':') + 1), 'base64')
  layers.forEach((layer, at) => {
    const { name, key } = partsOf(layer)
    const codec = byName.get(name)
    if (codec === undefined) throw withoutCodec(text)
    bytes = codec.decode({ bytes, key }, placeOf(place, layers.slice(at + 1).join(',')))
  })
  return viewOf(bytes).toString()
}

/** What is inside of a layer cannot be taken for something else. */
function placeOf(place: string, layers: string): string {
  return layers === '' ? place : `${place}\n${layers}`
}

function layersOf(text: string): string[] {
  return head.exec(text)?.[1]?.split(',') ?? []
}

function partsOf(layer: string): { readonly name: string; readonly key: string | undefined } {
  const [, name = '', key] = layerForm.exec(layer) ?? []
  return { name, key }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

interface CodedRecord extends ErrorRecord {
  /** The record as it was, in the form of the codecs. */
  readonly coded?: string
}

function writeRecord(text: string, write: (text: string) => string): string {
  const coded = write(text)
  if (coded === text) return text
  if (!text.startsWith('{')) return coded
  const { name, code } = JSON.parse(text) as ErrorRecord
  return JSON.stringify({ name, ...(code !== undefined && { code }), message: codedText(coded), coded })
}

// Who ends a run may put the errors of two into one, without reading them.
function readRecord(text: string, read: (coded: string) => string): string {
  if (isCoded(text)) return read(text)
  return text.includes('"coded":"x') ? JSON.stringify(recordOf(JSON.parse(text) as CodedRecord, read)) : text
}

function recordOf({ coded, ...record }: CodedRecord, read: (coded: string) => string): ErrorRecord {
  const own = coded === undefined || !isCoded(coded) ? record : readWhole(coded, record, read)
  const errors = record.errors?.map((error) => recordOf(error, read))
  return errors === undefined ? own : { ...own, errors }
}

function readWhole(coded: string, { name, code }: ErrorRecord, read: (coded: string) => string): ErrorRecord {
  try {
    return JSON.parse(read(coded)) as ErrorRecord
  } catch (error) {
    const { message, details, retryable } = unreadable(error, coded, `error ${code ?? name}`)
    return { name: 'TroupeError', code: 'value_unreadable', message, details, retryable: retryable === true }
  }
}

function codedText(text: string): string {
  const [layer = ''] = layersOf(text)
  const { name, key } = partsOf(layer)
  return key === undefined ? `(${name})` : `(encrypted, key '${key}')`
}

function plainOf(text: string): string {
  const failure = text.startsWith(failed) ? failureOf(text) : undefined
  return failure === undefined ? text : `(${failure.message})`
}

function unreadable(error: unknown, text: string, place: string): TroupeError {
  if (isTroupeError(error, 'value_unreadable')) return error
  const why = error instanceof Error ? error.message : String(error)
  return new TroupeError(
    'value_unreadable',
    `The stored ${placeText(place)} cannot be read, as its codec says: ${why}`,
    { retryable: false, details: { place, codec: layersOf(text).join(',') } },
  )
}

export function placeText(place: string): string {
  const at = place.split('\n', 1)[0] ?? place
  const colon = at.indexOf(':')
  return colon === -1 ? at : `${at.slice(0, colon)} '${at.slice(colon + 1)}'`
}

function failureText({ message, details, retryable }: TroupeError): string {
  return `${failed}${JSON.stringify({ name: 'TroupeError', message, details, retryable })}`
}
