import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from './codec.ts'
import { isTroupeError, TroupeError } from './errors.ts'

const roundTrip = (value: unknown) => decode(encode(value))

function caught(fn: () => unknown): TroupeError {
  try {
    fn()
  } catch (error) {
    return error as TroupeError
  }
  throw new Error('Nothing was thrown')
}

describe('encode', () => {
  it.each([
    [null, 'jnull'],
    [true, 'jtrue'],
    [0, 'j0'],
    [-1.5, 'j-1.5'],
    ['é', 'j"é"'],
    [[], 'j[]'],
    [{ a: [1, { b: null }] }, 'j{"a":[1,{"b":null}]}'],
  ])('writes %j as JSON', (value, text) => {
    expect(encode(value)).toBe(text)
    expect(decode(text)).toEqual(value)
  })

  it('writes undefined as its format alone', () => {
    expect(encode(undefined)).toBe('u')
    expect(decode('u')).toBeUndefined()
  })

  const shared = { n: 1 }
  it.each<[string, unknown]>([
    ['negative zero', -0],
    ['NaN', Number.NaN],
    ['infinity', Number.NEGATIVE_INFINITY],
    ['a property that is undefined', { a: undefined }],
    ['a hole', [1, , 3]], // oxlint-disable-line no-sparse-arrays
    ['a bigint', 2n ** 70n],
    ['a date', new Date(5)],
    ['an invalid date', new Date(Number.NaN)],
    ['a map', new Map<unknown, unknown>([[{ k: 1 }, new Set([1n])]])],
    ['a regular expression', /a\/b/gi],
    ['a URL', new URL('https://example.org/?a=b')],
    ['bytes', new Uint8Array([1, 2, 255])],
    ['a data view', new DataView(new Uint8Array([1, 2]).buffer)],
    ['floats', new Float64Array([0.5, -0])],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a Buffer', Buffer.from('bytes')],
    ['an empty Buffer', Buffer.alloc(0)],
    ['the result of a regular expression', 'ab'.match(/(?<x>a)/)],
    ['a date deep inside', { list: [{ at: new Date(7) }, shared, shared] }],
  ])('writes %s as devalue and keeps its type', (_name, value) => {
    expect(encode(value)[0]).toBe('d')
    expect(roundTrip(value)).toStrictEqual(value)
  })

  it('keeps cycles', () => {
    const node: { next?: unknown; list: unknown[] } = { list: [] }
    node.next = node
    node.list.push(node)
    const read = roundTrip(node) as typeof node
    expect([read.next, read.list[0]]).toEqual([read, read])
  })

  it('keeps an array that holds itself', () => {
    const list: unknown[] = []
    list.push([list])
    const read = roundTrip(list) as unknown[][]
    expect(read[0]?.[0]).toBe(read)
  })

  it('ends in time for objects that share others so often that JSON would explode', () => {
    let value: object = {}
    for (let i = 0; i < 60; i++) value = { a: value, b: value }
    expect(encode(value).length).toBeLessThan(5000)
  })

  it('turns plain objects of another realm into plain objects', () => {
    expect(roundTrip(runInNewContext('({ a: [1] })'))).toStrictEqual({ a: [1] })
  })

  it('keeps strings that are not well-formed, in both formats and in UTF-8', () => {
    for (const value of [
      '\ud800',
      { '\udfff': 'a\ud800b\u0000' },
      { text: '\ud800', at: new Date(0), key: { '\ud801': 1 } },
    ]) {
      expect(decode(Buffer.from(encode(value), 'utf8').toString('utf8'))).toEqual(value)
    }
  })

  it('does not ask toJSON', () => {
    const date = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'lost' })
    expect(roundTrip(date)).toEqual({ a: 1 })
    const list = Object.defineProperty([1], 'toJSON', { value: () => 'lost' })
    expect(roundTrip(list)).toEqual([1])
  })

  it('stores only the visible bytes of a view', () => {
    const view = new Uint8Array(100_000).subarray(10, 12)
    expect(encode(view).length).toBeLessThan(100)
    expect(roundTrip(view)).toStrictEqual(new Uint8Array(2))
  })

  describe('of errors', () => {
    it.each([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, Error])(
      'restores %o',
      (Builtin) => {
        const error = Object.assign(new Builtin('m', { cause: { at: new Date(1) } }), {
          code: 7,
          details: { list: [1n] },
        })
        const read = roundTrip({ error }) as { error: typeof error }
        expect(read.error).toBeInstanceOf(Builtin)
        expect(read.error).toMatchObject({
          name: error.name,
          message: 'm',
          stack: error.stack,
          code: 7,
          details: { list: [1n] },
        })
        expect(read.error.cause).toStrictEqual({ at: new Date(1) })
      },
    )

    it('restores an AggregateError, an error of this library and one of another realm', () => {
      const [many, own, far] = roundTrip([
        new AggregateError([new TypeError('first')], 'many'),
        new TroupeError('store_full', 'full', { details: { left: 0 }, retryable: false }),
        runInNewContext('new RangeError("far")'),
      ]) as [AggregateError, TroupeError, RangeError]
      expect(many.errors[0]).toBeInstanceOf(TypeError)
      expect(own).toBeInstanceOf(TroupeError)
      expect(own).toMatchObject({ code: 'store_full', details: { left: 0 }, retryable: false })
      expect(far).toBeInstanceOf(RangeError)
    })

    it('cuts an error short where it contains itself', () => {
      const error = new Error('loop')
      error.cause = { error }
      const read = roundTrip(error) as { cause: { error: Error } }
      expect(read.cause.error.message).toBe('loop')
      expect(read.cause.error.cause).toBeUndefined()
    })

    it('keeps what else it has and can be stored, and leaves out the rest', () => {
      const inner = Object.assign(new Error('inner'), { errno: -2, socket: () => 1 })
      const response = { at: new Date(5), inner }
      const error = Object.assign(new TypeError('no'), {
        status: 404,
        response,
        request: { send: () => 1 },
        log: () => 1,
      })
      const read = roundTrip(error) as typeof error
      expect(Object.keys(read)).toEqual(['status', 'response'])
      expect([read.status, read.response.at, read.response.inner.errno]).toEqual([404, new Date(5), -2])
      expect(Object.keys(read.response.inner)).toEqual(['errno'])
      expect(read).toBeInstanceOf(TypeError)
    })

    it('is read again where what else it has leads back to it', () => {
      const error = Object.assign(new Error('loop'), { self: {}, status: 404 })
      error.self = { error }
      expect(roundTrip(error)).toMatchObject({ message: 'loop', status: 404, self: { error: { message: 'loop' } } })
      error.self = error
      expect(roundTrip(error)).toMatchObject({ message: 'loop', status: 404 })
    })

    it('keeps the name of a class it does not know', () => {
      const read = roundTrip(new DOMException('stopped', 'AbortError')) as Error
      expect(read).toBeInstanceOf(Error)
      expect([read.name, read.message]).toEqual(['AbortError', 'stopped'])
    })
  })

  it.each([
    ['Map', Object.assign(new Map(), { extra: 1 })],
    ['Set', Object.assign(new Set(), { extra: 1 })],
    ['Date', Object.assign(new Date(0), { extra: 1 })],
    ['RegExp', Object.assign(/a/, { extra: 1 })],
    ['URL', Object.assign(new URL('http://a/'), { extra: 1 })],
    ['ArrayBuffer', Object.assign(new ArrayBuffer(2), { extra: 1 })],
  ])('refuses a %s with properties of its own, which it would lose', (_what, value) => {
    expect(caught(() => encode({ items: [value] }, { what: 'result' }))).toMatchObject({
      code: 'value_not_storable',
      message: 'result.items[0] has the property extra of its own, which cannot be stored: store that beside it.',
    })
  })

  class Point {
    x = 1
  }
  class Registry extends Map {}
  class Bytes extends Uint8Array {}
  const cyclicMatch: unknown[] = Object.assign([], { index: 0 })
  cyclicMatch.push(cyclicMatch)
  const throwing = {
    get secret(): never {
      throw new Error('hidden')
    },
  }

  it.each<[string, unknown]>([
    [
      'result.items[3].onClick is a function, which cannot be stored: leave it out, or store a name that stands for it.',
      { items: [0, 1, 2, { onClick: () => 1 }] },
    ],
    ['result is a symbol, which cannot be stored: store a string instead.', Symbol('s')],
    ['result["a b"] is a promise, which cannot be stored: await it first.', { 'a b': Promise.resolve(1) }],
    [
      'result.get("k") is an instance of Point, which cannot be stored: store its plain fields and rebuild it after reading.',
      new Map([['k', new Point()]]),
    ],
    [
      'result[0] is an instance of Registry, which cannot be stored: store its plain fields and rebuild it after reading.',
      [new Registry()],
    ],
    [
      'result[0] is an instance of Bytes, which cannot be stored: store its plain fields and rebuild it after reading.',
      [new Bytes(1)],
    ],
    [
      'result[0] is an instance of a class, which cannot be stored: store its plain fields and rebuild it after reading.',
      [Object.create({ constructor: undefined })],
    ],
    ['result has symbols for keys, which cannot be stored: use strings.', { [Symbol('k')]: 1 }],
    [
      'result.a has a key named __proto__, which cannot be stored: use another name.',
      JSON.parse('{"a":{"__proto__":1}}'),
    ],
    [
      'result.cause.fn is a function, which cannot be stored: leave it out, or store a name that stands for it.',
      new Error('e', { cause: { fn() {} } }),
    ],
    [
      'result holds a property that throws when read, or a cycle through an array with named properties, which cannot be stored: store plain data.',
      cyclicMatch,
    ],
    [
      'result holds a property that throws when read, or a cycle through an array with named properties, which cannot be stored: store plain data.',
      throwing,
    ],
  ])('refuses: %s', (message, value) => {
    const error = caught(() => encode(value, { what: 'result' }))
    expect(isTroupeError(error, 'value_not_storable')).toBe(true)
    expect(error.message).toBe(message)
  })

  it('calls it the value when it is not told what it is', () => {
    expect(caught(() => encode([() => 1])).details).toEqual({ path: 'value[0]' })
  })

  it.each([
    ['lists', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ inner })],
    ['maps', (inner: unknown) => new Map([['key', inner]])],
    ['lists that are mostly holes', (inner: unknown) => Object.assign([], { 5000: inner })],
  ])('gives back 1,000 levels of %s and refuses more, whatever the stack would bear', (_name, wrap) => {
    const nested = (levels: number): unknown => {
      let value: unknown = 1n
      for (let level = 0; level < levels; level++) value = wrap(value)
      return value
    }
    const text = encode(nested(1_000))
    expect(encode(decode(text))).toBe(text)
    for (const levels of [1_001, 100_000]) {
      expect(caught(() => encode(nested(levels)))).toMatchObject({
        code: 'value_not_storable',
        message: 'value is nested more than 1000 levels deep, which cannot be stored: store it as a flat list.',
      })
    }
  })

  it('takes a long list of what is held twice for a flat one', () => {
    const shared = { at: new Date(0) }
    const list = Array.from({ length: 5_000 }, () => [shared])
    expect(decode(encode(list))).toEqual(list)
  })

  it('counts the limit in bytes of UTF-8', () => {
    expect(encode('éé', { maxBytes: 7 })).toBe('j"éé"')
    const error = caught(() => encode('ééé', { maxBytes: 7, what: 'input' }))
    expect(error).toMatchObject({ code: 'value_too_large', details: { what: 'input', bytes: 9, maxBytes: 7 } })
    expect(caught(() => encode('x', { maxBytes: 1 })).message).toBe(
      'value takes 4 bytes and the limit is 1: store it elsewhere and keep a reference to it.',
    )
  })

  it('I17: gives every value back, type and all', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
    } as fc.ObjectConstraints)
    fc.assert(
      fc.property(
        anything.filter((value) => !hasProtoKey(value)),
        (value) => {
          expect(roundTrip(value)).toStrictEqual(value)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('decode', () => {
  it.each(['', 'x1', 'j{', 'd', 'd[["Nonsense",1]]', 'd[["Error",1],null]', 'uu', 'd[[1'])(
    'reports %j as corrupt',
    (text) => {
      expect(
        isTroupeError(
          caught(() => decode(text)),
          'store_corrupt',
        ),
      ).toBe(true)
    },
  )

  it('says what it found', () => {
    expect(caught(() => decode('x12')).message).toContain('its format is "x" and it has 3 characters')
    expect(caught(() => decode('')).message).toContain('it is empty')
  })
})

function hasProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof Map || value instanceof Set) return [...value].flat().some(hasProtoKey)
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProtoKey)
}
