// What holds of the codec whatever the values are, and whatever somebody made of the texts.
import fc, { type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, decodeError, encode } from './codec.ts'
import { isTroupeError, TroupeError } from './errors.ts'

const numRuns = 300

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', 'a\udfff', '\u0000', 'constructor', ''))
const number = fc.oneof(fc.double(), fc.constantFrom(-0, NaN, Infinity, -Infinity, 2 ** 53, 5e-324))
const date = fc.oneof(fc.date({ noInvalidDate: false }), fc.constant(new Date(NaN)))
const address = fc.webUrl().map((url) => new URL(url))
const pattern = fc.constantFrom(/a\/b/gi, /(?<x>\d)/u, /[\]/]/, new RegExp('\n'), /(?:)/)
const huge = fc.oneof(fc.bigInt(), fc.constant(-(2n ** 4_000n)), fc.constant(2n ** 64n))
const arrays = [Int8Array, Uint8ClampedArray, Int16Array, Uint32Array, Float32Array, Float64Array, BigInt64Array]
// A view of a part of a buffer that is larger.
const view = fc.tuple(fc.constantFrom(...arrays), fc.nat(4), fc.nat(4)).map(([Kind, before, length]) => {
  const { buffer } = new Uint8Array(128).fill(7)
  return new Kind(buffer, before * 8, length)
})
const bytes = fc.oneof(
  fc.uint8Array(),
  fc.uint8Array().map((array) => Buffer.from(array)),
  fc.uint8Array().map(({ buffer, byteLength }) => new DataView(buffer, Math.min(1, byteLength))),
  fc.uint8Array().map((array) => array.slice().buffer),
  view,
)
// An assertion would take a property `constructor` for the class of an object; it has a case of its own.
const key = text.filter((name) => name !== '__proto__' && name !== 'constructor')

const { value: storable } = fc.letrec<{ value: unknown; error: Error }>((tie) => {
  const value = tie('value')
  const inner = { maxLength: 4 }
  return {
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(text, number, huge, fc.boolean(), fc.constantFrom(null, undefined), date, address, pattern, bytes),
      fc.array(value, inner),
      fc.sparseArray(value, { maxNumElements: 3 }),
      fc.dictionary(key, value, { maxKeys: 4 }),
      fc.array(fc.tuple(value, value), inner).map((entries) => new Map(entries)),
      fc.array(value, inner).map((items) => new Set(items)),
      tie('error'),
    ),
    error: fc
      .record({
        kind: fc.constantFrom<ErrorConstructor[]>(Error, TypeError, RangeError, SyntaxError),
        message: text,
        cause: value,
        code: fc.option(text, { nil: undefined }),
      })
      .map(({ kind: Kind, message, cause, code }) =>
        Object.assign(new Kind(message, cause === undefined ? {} : { cause }), code !== undefined && { code }),
      ),
  }
})

function caught(fn: () => unknown): TroupeError {
  try {
    fn()
  } catch (error) {
    if (isTroupeError(error)) return error
    throw error
  }
  throw new Error('Nothing was thrown')
}

describe('every storable value', () => {
  it('comes back equal, type and all, and is written the same again', () => {
    fc.assert(
      fc.property(storable, (value) => {
        const read = decode(encode(value))
        expect(read).toStrictEqual(value)
        expect(encode(read)).toBe(encode(value))
      }),
      { numRuns },
    )
  })

  it('is one where it was one, and holds itself where it did', () => {
    fc.assert(
      fc.property(storable, fc.constantFrom('list', 'map', 'set', 'object'), (value, kind) => {
        const shared = { value, at: new Date(1) }
        const holder: Record<string, unknown> = { first: shared, second: shared }
        if (kind === 'list') holder['self'] = [[holder]]
        if (kind === 'map') holder['self'] = new Map<unknown, unknown>([['key', holder]])
        if (kind === 'set') holder['self'] = new Set([new Set([holder])])
        if (kind === 'object') holder['self'] = { holder }
        const read = decode(encode(holder)) as Record<string, unknown>
        expect(read['second']).toBe(read['first'])
        expect(read['first']).toStrictEqual(shared)
        const { self } = read
        const found: Readonly<Record<string, () => unknown>> = {
          list: () => (self as unknown[][])[0]?.[0],
          map: () => (self as Map<string, unknown>).get('key'),
          set: () => [...([...(self as Set<Set<unknown>>)][0] ?? [])][0],
          object: () => (self as { holder: unknown }).holder,
        }
        expect(found[kind]?.()).toBe(read)
      }),
      { numRuns },
    )
  })
})

class Point {
  readonly x = 1
}

it('a property named like what all objects have comes back', () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    const read = decode(encode({ at: new Date(0), [name]: [1n] })) as Record<string, unknown>
    expect([Object.keys(read), read[name]]).toEqual([['at', name], [1n]])
  }
})

type Wrap = (inner: unknown) => [whole: unknown, step: string]

describe('what cannot be stored', () => {
  const refused = fc.constantFrom<[unknown, string]>(
    [() => 1, 'is a function'],
    [Symbol('s'), 'is a symbol'],
    [Promise.resolve(1), 'is a promise'],
    [new Point(), 'is an instance of Point'],
    [new WeakMap(), 'is an instance of WeakMap'],
    [JSON.parse('{"__proto__":1}'), 'has a key named __proto__'],
    [{ [Symbol('s')]: 1 }, 'has symbols for keys'],
  )
  const wraps: Arbitrary<Wrap> = fc.oneof(
    fc.nat(3).map((at): Wrap => (inner) => [[...Array<number>(at).fill(0), inner], `[${at}]`]),
    fc.stringMatching(/^[a-z]{1,5}$/).map((name): Wrap => (inner) => [{ [name]: inner }, `.${name}`]),
    fc.constant<Wrap>((inner) => [new Map([['k', inner]]), '.get("k")']),
  )

  it('is named with the path to it, wherever it stands', () => {
    fc.assert(
      fc.property(refused, fc.array(wraps, { maxLength: 5 }), ([value, is], layers) => {
        let [whole, path] = [value, '']
        for (const wrap of layers) {
          const [outer, step] = wrap(whole)
          whole = outer
          path = `${step}${path}`
        }
        const error = caught(() => encode(whole, { what: 'result' }))
        expect(error.code).toBe('value_not_storable')
        expect(error.message).toContain(`result${path} ${is}`)
        expect(error.details).toEqual({ path: `result${path}` })
      }),
      { numRuns },
    )
  })
})

describe('a text that somebody changed', () => {
  /** Reads it and gives what became of that: an error of ours, or a value that is one of those that can be stored. */
  const isHarmless = (changed: string): void => {
    let value: unknown
    try {
      value = decode(changed)
    } catch (error) {
      expect(isTroupeError(error, 'store_corrupt') || isTroupeError(error, 'value_unreadable')).toBe(true)
      return
    }
    // An array of four billion holes is one too, and takes long to walk.
    if (!(Array.isArray(value) && value.length > 1_000_000)) expect(encode(decode(encode(value)))).toBe(encode(value))
  }
  const before = Object.getOwnPropertyNames(Object.prototype)
  const isAsBefore = (): void => expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)

  it('is an error of its own or a value, whatever stands in it', () => {
    const garbage = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('j', 'd', 'u', 'x', '!'), fc.oneof(fc.string(), fc.json()))
        .map((parts) => parts.join('')),
      fc
        .array(
          fc.constantFrom(
            '[',
            ']',
            '{',
            '}',
            '"',
            ',',
            ':',
            '-7',
            '0',
            '1',
            '"Error"',
            '"Map"',
            '"__proto__"',
            '"Buffer"',
            '"ArrayWithKeys"',
            '"BigInt"',
            '"Uint8Array"',
            '"ArrayBuffer"',
          ),
          { maxLength: 15 },
        )
        .map((parts) => `d[${parts.join('')}]`),
    )
    fc.assert(fc.property(garbage, isHarmless), { numRuns: 3 * numRuns })
    isAsBefore()
  })

  it('is an error of its own or a value, where a part of it is another', () => {
    fc.assert(
      fc.property(storable, fc.nat(), fc.nat(), fc.string({ maxLength: 3 }), (value, from, length, other) => {
        const whole = encode(value)
        const at = from % whole.length
        isHarmless(`${whole.slice(0, at)}${other}${whole.slice(at + (length % 5))}`)
      }),
      { numRuns: 3 * numRuns },
    )
    isAsBefore()
  })

  it.each([
    'j{"__proto__":{"polluted":1}}',
    'j[{"a":{"__proto__":1}}]',
    'd[{"__proto__":1},{"polluted":2},1]',
    'd[["null","__proto__",1],{"polluted":2},1]',
    'd[["Error",1],{"name":2,"message":2,"__proto__":3},"x",{"polluted":4},1]',
    'd[["ArrayWithKeys",1],[2,3],[],{"__proto__":4},{"polluted":5},1]',
    'd[["ArrayWithKeys",1],[2,3],[],{"length":4},5000000000]',
    'd[["Error",1],{}]',
    'd[["Error",1],"x"]',
    'd[["Error",1],{"name":2,"message":2},5]',
    'd[["Buffer",1],[2],"%%"]',
    'd[["URL","x"]]',
    'd[["Float64Array",1],["ArrayBuffer","AAA="]]',
  ])('is refused: %s', (changed) => {
    expect(caught(() => decode(changed)).code).toBe('store_corrupt')
    isAsBefore()
  })

  it.each(['', '{', 'null', '5', '{}', '[]', '{"name":1,"message":"x"}', '{"name":"Error"}'])(
    'is no error: %j',
    (changed) => {
      expect(caught(() => decodeError(changed)).code).toBe('store_corrupt')
    },
  )
})
