import { describe, expect, it } from 'vitest'
import { plainFields } from './plain.ts'

describe('plainFields', () => {
  it('keeps plain data as it is, and leaves out what is undefined', () => {
    const fields = { card: 7, ok: true, none: null, who: 'ann', list: [1, { a: 'b' }, undefined], gone: undefined }
    expect(plainFields(fields)).toEqual({ card: 7, ok: true, none: null, who: 'ann', list: [1, { a: 'b' }, null] })
    expect([plainFields({}), plainFields(undefined), plainFields(null)]).toEqual([undefined, undefined, undefined])
  })

  it('describes what JSON does not keep', () => {
    const error = Object.assign(new TypeError('no card'), { code: 'E1' })
    const fields = {
      big: 12n,
      nan: Number.NaN,
      make: () => 1,
      tag: Symbol('x'),
      at: new Date(0),
      never: new Date(Number.NaN),
      map: new Map([[1, 2]]),
      bytes: new Uint8Array(3),
      url: new URL('http://a/b'),
      error,
      plain: new Error('only'),
    }
    expect(plainFields(fields)).toEqual({
      big: '12n',
      nan: 'NaN',
      make: '[function]',
      tag: 'Symbol(x)',
      at: '1970-01-01T00:00:00.000Z',
      never: 'Invalid Date',
      map: '[Map of 1]',
      bytes: '[3 bytes]',
      url: 'http://a/b',
      error: { name: 'TypeError', message: 'no card', code: 'E1' },
      plain: { name: 'Error', message: 'only' },
    })
  })

  it('names what is no object of fields', () => {
    expect(plainFields('seven')).toEqual({ value: 'seven' })
    expect(plainFields([1])).toEqual({ value: [1] })
    expect(plainFields(new Error('no'))).toEqual({ error: { name: 'Error', message: 'no' } })
  })

  it('ends at what holds itself, goes too deep, or cannot be read', () => {
    const ring: Record<string, unknown> = { n: 1 }
    ring['self'] = { ring }
    expect(plainFields({ ring })).toEqual({ ring: { n: 1, self: { ring: '[circular]' } } })
    const deep = [1, 2, 3, 4, 5, 6].reduce<unknown>((inner) => ({ inner }), [7])
    expect(JSON.stringify(plainFields({ deep }))).toBe(
      '{"deep":{"inner":{"inner":{"inner":{"inner":{"inner":"[object]"}}}}}}',
    )
    const list = [1, 2, 3, 4].reduce<unknown>((inner) => ({ inner }), { list: [7, 8] })
    expect(JSON.stringify(plainFields({ list }))).toContain('"list":"[2 items]"')
    const hostile = {
      get bad(): string {
        throw new Error('no')
      },
      good: 1,
    }
    const shut = new Proxy({}, { ownKeys: () => [][1] as unknown as string[] })
    const closed = new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw new Error('no')
        },
      },
    )
    expect(plainFields(hostile)).toEqual({ bad: '[unreadable]', good: 1 })
    expect(plainFields(shut)).toBeUndefined()
    expect(plainFields({ closed })).toEqual({ closed: '[unreadable]' })
  })

  it('shortens what is too long, and counts what has no room at all', () => {
    expect(plainFields({ text: 'x'.repeat(5_000) })?.['text']).toBe(`${'x'.repeat(4_095)}…`)
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`${'k'.repeat(190)}${n}`, 'v'.repeat(300)]))
    const kept = plainFields(many) ?? {}
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(16 * 1024 + 64)
    expect(Object.keys(kept).length - 1 + Number(kept['fieldsLost'])).toBe(100)
  })

  it('keeps no character that a store would lose', () => {
    expect(plainFields({ 'a\0': 'b\0' })).toEqual({ 'a\\u0000': 'b\\u0000' })
  })
})
