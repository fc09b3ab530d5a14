// Encryption of what is stored: AES-256-GCM under named keys, of which one writes and all read.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomFillSync,
  type KeyObject,
} from 'node:crypto'
import { TroupeError } from '../../lib/errors.ts'
import { placeText, type CodedBytes, type ValueCodec } from './value-codec.ts'

export interface AesGcmOptions {
  /** By names of your own: letters, digits, dots, hyphens and underscores. 32 bytes each, or these as base64 or hex, as `openssl rand -base64 32` gives them. */
  readonly keys: Readonly<Record<string, Uint8Array | string>>
  /** The name of the key that writes; the others only read what was written before. With null nothing is encrypted: for the time in which not all processes have the keys yet. */
  readonly current: string | null
}

const algorithm = 'aes-256-gcm'
const name = 'aes-gcm'
const nonceBytes = 12
const tagBytes = 16
const keyBytes = 32

/**
 * A codec that encrypts what is stored, and tells when it was changed: AES-256-GCM with a random nonce of 96 bits for each value.
 *
 * The name of the key stands in the store with each value, and what the value is (an input, the result of a step of some path) is authenticated with it.
 * To change keys, give all processes the new one first, then name it as `current`. A key may write 2³² values.
 *
 * Throws: `option_invalid`, which never quotes a key.
 *
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { aesGcm, Troupe, worker } from 'troupe'
 * const greet = worker('greet', {}, (ctx, name: string) => `hello ${name}`)
 * const codec = aesGcm({ keys: { a: randomBytes(32) }, current: 'a' })
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [greet], codec })
 * await troupe.start()
 * console.log(await troupe.run(greet, 'ann')) // hello ann
 * ```
 */
export function aesGcm(options: AesGcmOptions): ValueCodec {
  const { keys, current } = checked(options)
  const decode: ValueCodec['decode'] = (coded, place) => decrypt(coded, place, keys)
  if (current === null) return { name, encode: () => undefined, decode }
  const writing = keys.get(current)
  if (writing === undefined) throw invalid(`current of aesGcm is '${current}': name one of its keys, ${named(keys)}`)
  const ofDigests = Buffer.from(hkdfSync('sha256', writing, '', 'troupe digest', keyBytes))
  return {
    name,
    encode: (bytes, place) => ({ bytes: encrypt(bytes, writing, boundTo(current, place)), key: current }),
    decode,
    digest: (text) => createHmac('sha256', ofDigests).update(text).digest('base64url'),
  }
}

type Keys = ReadonlyMap<string, KeyObject>

function encrypt(bytes: Uint8Array, key: KeyObject, bound: Buffer): Uint8Array {
  const nonce = randomFillSync(Buffer.allocUnsafe(nonceBytes))
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(bound)
  const written = cipher.update(bytes)
  cipher.final()
  return Buffer.concat([nonce, written, cipher.getAuthTag()])
}

function decrypt({ bytes, key = '' }: CodedBytes, place: string, keys: Keys): Uint8Array {
  const secret = keys.get(key)
  if (secret === undefined) throw keyUnknown(key, place, keys)
  if (bytes.byteLength < nonceBytes + tagBytes) throw changed(key, place)
  const end = bytes.byteLength - tagBytes
  try {
    const decipher = createDecipheriv(algorithm, secret, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    decipher.setAAD(boundTo(key, place)).setAuthTag(bytes.subarray(end))
    const read = decipher.update(bytes.subarray(nonceBytes, end))
    // Throws for anything but what was written, and nothing of it is used before.
    decipher.final()
    return read
  } catch {
    throw changed(key, place)
  }
}

function boundTo(key: string, place: string): Buffer {
  return Buffer.from(`troupe\n${key}\n${place}`)
}

function checked(options: AesGcmOptions): { readonly keys: Keys; readonly current: string | null } {
  const { keys, current } = (options ?? {}) as Partial<AesGcmOptions>
  if (typeof keys !== 'object' || keys === null || Object.keys(keys).length === 0)
    throw invalid('keys of aesGcm are missing: give at least one by its name, as in { keys: { a: key }, current: "a" }')
  const secrets = new Map(Object.entries(keys).map(([id, key]) => [id, secretOf(id, key)]))
  if (typeof current !== 'string' && current !== null)
    throw invalid(`current of aesGcm is missing: name one of its keys, ${named(secrets)}`)
  return { keys: secrets, current }
}

function secretOf(id: string, key: unknown): KeyObject {
  if (!/^[\w.-]{1,64}$/.test(id))
    throw invalid(`The name of a key of aesGcm is '${id}': give 1 to 64 letters, digits, dots, hyphens and underscores`)
  const bytes = typeof key === 'string' ? bytesOf(key) : key
  if (!(bytes instanceof Uint8Array) || bytes.byteLength !== keyBytes)
    throw invalid(`Key '${id}' of aesGcm is not ${keyBytes} bytes: give a Uint8Array, or these as base64 or hex`)
  return createSecretKey(bytes)
}

function bytesOf(text: string): Uint8Array | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

function named(keys: Keys): string {
  return [...keys.keys()].map((id) => `'${id}'`).join(' or ')
}

function invalid(message: string): TroupeError {
  return new TroupeError('option_invalid', `${message}.`, { retryable: false })
}

function keyUnknown(key: string, place: string, keys: Keys): TroupeError {
  return new TroupeError(
    'value_unreadable',
    `The stored ${placeText(place)} is encrypted under key '${key}', and aesGcm was given ${named(keys)} alone: give it key '${key}' too, for as long as something written with it is kept.`,
    { retryable: true, details: { codec: name, key } },
  )
}

function changed(key: string, place: string): TroupeError {
  return new TroupeError(
    'value_unreadable',
    `The stored ${placeText(place)} was changed since it was encrypted, or moved from another place, or its key '${key}' is not the one that wrote it: give the right key, or restore the store from a backup.`,
    { retryable: false, details: { codec: name, key } },
  )
}
