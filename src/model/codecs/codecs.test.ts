import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aesGcm } from './aes-gcm.ts'
import { decode, decodeError, encode } from '../../lib/codec.ts'
import { compress } from './compress.ts'
import { toErrorRecord } from '../../lib/error-record.ts'
import { codingOf, seenFromOutside } from './codecs.ts'
import type { ValueCodec } from './value-codec.ts'

const a = randomBytes(32)
const underA = aesGcm({ keys: { a }, current: 'a' })
const long = encode('long '.repeat(1_000))

function thrown(fn: () => unknown): Error & { code?: string; retryable?: boolean } {
  try {
    fn()
  } catch (error) {
    return error as Error
  }
  throw new Error('Nothing was thrown')
}

describe('a coding', () => {
  it('writes the codecs in their order, and names them with the key, the last one first', () => {
    const coding = codingOf([compress(), underA])
    const text = coding.write(long, 'input')
    expect(text).toMatch(/^xaes-gcm\(a\),brotli:/)
    expect(text.length).toBeLessThan(200)
    expect(coding.read(text, 'input')).toBe(long)
    expect(coding.write('j1', 'input')).toMatch(/^xaes-gcm\(a\):/)
  })

  it('leaves a text as it is where no codec takes it, and reads what was written without any', () => {
    const coding = codingOf([compress()])
    expect(coding.write('j1', 'input')).toBe('j1')
    expect(coding.read('j1', 'input')).toBe('j1')
  })

  it('gives every text back', () => {
    const codings = [[underA], [compress({ above: 0 }), underA], [underA, compress({ above: 0 })]].map(codingOf)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.string(), (value, place) => {
        const text = encode(value)
        for (const coding of codings) expect(coding.read(coding.write(text, place), place)).toBe(text)
      }),
    )
  })

  it('writes one text in another form each time', () => {
    const coding = codingOf([underA])
    expect(new Set(Array.from({ length: 100 }, () => coding.write('j1', 'input'))).size).toBe(100)
  })

  it('makes of every changed text one whose decoding throws, and of no such text a value', () => {
    const coding = codingOf([compress({ above: 0 }), underA])
    const text = coding.write(long, 'input')
    const from = text.indexOf(':') + 1
    // The last character but one of base64 holds bits that are no part of the bytes.
    fc.assert(
      fc.property(fc.integer({ min: from, max: text.length - 4 }), fc.integer({ min: 1, max: 63 }), (at, by) => {
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
        const other = alphabet[(alphabet.indexOf(text[at] ?? '') + by) % 64] ?? ''
        const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`
        expect(thrown(() => decode(coding.read(changed, 'input')))).toMatchObject({ code: 'value_unreadable' })
      }),
    )
  })

  it.each([
    ['at another place', (text: string) => text, 'outcome'],
    ['without what is inside of it', (text: string) => text.replace(',brotli', ''), 'input'],
    ['with something inside of it that was not there', (text: string) => text.replace(':', ',brotli:'), 'input'],
  ])('does not read a value %s', (_what, change, place) => {
    const coding = codingOf([compress(), underA])
    const text = change(coding.write(long, 'input'))
    expect(thrown(() => decode(coding.read(text, place)))).toMatchObject({ code: 'value_unreadable', retryable: false })
  })

  it('names the codec that is missing, also where there is none', () => {
    const text = codingOf([underA]).write('j1', 'input')
    const message =
      "A stored value was written with the codec 'aes-gcm' under key 'a', which this process was not given: give it the same { codec } as whoever wrote it."
    const expected = { code: 'value_unreadable', retryable: true, message }
    expect(thrown(() => decode(codingOf([compress()]).read(text, 'input')))).toMatchObject(expected)
    expect(thrown(() => decode(text))).toMatchObject(expected)
  })

  it('tells what a codec of somebody else throws', () => {
    const broken: ValueCodec = {
      name: 'broken',
      encode: (bytes) => ({ bytes }),
      decode: () => {
        throw new TypeError('no such thing')
      },
    }
    const coding = codingOf([broken])
    expect(thrown(() => decode(coding.read(coding.write('j1', 'step:pay'), 'step:pay'))).message).toBe(
      "The stored step 'pay' cannot be read, as its codec says: no such thing",
    )
  })

  it('keeps the name and the code of an error in sight, and all of it for whoever has the key', () => {
    const coding = codingOf([underA])
    const error = Object.assign(new RangeError('no seat', { cause: new Error('row 7') }), { code: 'full' })
    const record = JSON.stringify(toErrorRecord(error))
    const text = coding.writeError(record, 'outcome')
    expect(JSON.parse(text)).toMatchObject({ name: 'RangeError', code: 'full', message: "(encrypted, key 'a')" })
    expect(text).not.toContain('seat')
    expect(coding.readError(text, 'outcome')).toBe(record)
    expect(coding.readError(record, 'outcome')).toBe(record)
    const elsewhere = codingOf([aesGcm({ keys: { b: a }, current: 'b' })])
    expect(decodeError(elsewhere.readError(text, 'outcome'))).toMatchObject({ code: 'value_unreadable' })
    // Two that were put into one without being read.
    const joined = JSON.stringify({ ...(JSON.parse(text) as object), errors: [JSON.parse(text) as object] })
    expect(JSON.parse(coding.readError(joined, 'outcome'))).toEqual({
      ...(JSON.parse(record) as object),
      errors: [JSON.parse(record)],
    })
  })

  it('takes plain text for what it is, also where it looks like a value', () => {
    const coding = codingOf([underA])
    for (const text of ['xerox', 'x', '!', '', 'x:', 'xml: <a/>'])
      expect([coding.readPlain(text, 'log'), seenFromOutside.readPlain(text, 'log')]).toEqual([text, text])
  })

  it('seen from outside shows that there is something', () => {
    const [text, plain] = [codingOf([underA]).write('j1', 'input'), codingOf([compress()]).write(long, 'input')]
    expect(decode(seenFromOutside.read(text, 'input'))).toBe("(encrypted, key 'a')")
    expect(decode(seenFromOutside.read(plain, 'input'))).toBe('(brotli)')
    expect(seenFromOutside.read('j1', 'input')).toBe('j1')
  })
})

describe('aesGcm', () => {
  it('takes keys as bytes, base64 and hex', () => {
    const written = codingOf([underA]).write('j1', 'input')
    for (const key of [new Uint8Array(a), a.toString('base64'), a.toString('base64url'), a.toString('hex')])
      expect(codingOf([aesGcm({ keys: { a: key }, current: 'a' })]).read(written, 'input')).toBe('j1')
  })

  it.each<[unknown, string]>([
    [undefined, 'keys of aesGcm are missing: give at least one by its name, as in { keys: { a: key }, current: "a" }.'],
    [
      { keys: {}, current: 'a' },
      'keys of aesGcm are missing: give at least one by its name, as in { keys: { a: key }, current: "a" }.',
    ],
    [{ keys: { a } }, "current of aesGcm is missing: name one of its keys, 'a'."],
    [{ keys: { a, b: a }, current: 'c' }, "current of aesGcm is 'c': name one of its keys, 'a' or 'b'."],
    [
      { keys: { 'a(b': a }, current: 'a(b' },
      "The name of a key of aesGcm is 'a(b': give 1 to 64 letters, digits, dots, hyphens and underscores.",
    ],
    [
      { keys: { a: 'secret password' }, current: 'a' },
      "Key 'a' of aesGcm is not 32 bytes: give a Uint8Array, or these as base64 or hex.",
    ],
    [
      { keys: { a: randomBytes(16) }, current: 'a' },
      "Key 'a' of aesGcm is not 32 bytes: give a Uint8Array, or these as base64 or hex.",
    ],
  ])('refuses %o without quoting a key', (options, message) => {
    expect(thrown(() => aesGcm(options as never))).toMatchObject({ code: 'option_invalid', message })
  })

  it('makes digests that nobody makes without the key', () => {
    const other = aesGcm({ keys: { a, b: randomBytes(32) }, current: 'b' })
    expect(underA.digest?.('x')).toBe(aesGcm({ keys: { z: a }, current: 'z' }).digest?.('x'))
    expect(underA.digest?.('x')).not.toBe(other.digest?.('x'))
    expect(underA.digest?.('x')).not.toBe(underA.digest?.('y'))
  })
})

describe('compress', () => {
  it('leaves what is short, and what would not become shorter', () => {
    const codec = compress({ above: 10 })
    expect(codec.encode(Buffer.from('a'.repeat(10)), '')).toBeUndefined()
    expect(codec.encode(randomBytes(1_000), '')).toBeUndefined()
    expect(codec.encode(Buffer.from('a'.repeat(1_000)), '')?.bytes.byteLength).toBeLessThan(20)
  })

  it.each([{ above: -1 }, { above: 1.5 }, { quality: 12 }])('refuses %o', (options) => {
    expect(thrown(() => compress(options))).toMatchObject({ code: 'option_invalid' })
  })
})
