import { describe, expect, it } from 'vitest'
import { clip, counted, escapeUnstorable, isStorable, textOf } from './text.ts'

describe('textOf', () => {
  it.each([
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [5n, '5'],
    [Symbol('s'), 'Symbol(s)'],
    [{ a: 1 }, '{"a":1}'],
    [Object.create(null), '{}'],
    [{ a: 1n }, 'a value that cannot be written as text'],
  ])('writes %o', (value, text) => {
    expect(textOf(value)).toBe(text)
  })

  it('never throws, whatever the value does', () => {
    const fault = (): never => {
      throw new Error('no')
    }
    const proxy = new Proxy({}, { get: fault, has: fault, getPrototypeOf: fault, ownKeys: fault })
    expect(textOf(proxy)).toBe('a value that cannot be written as text')
    expect(textOf({ toJSON: fault, toString: fault })).toBe('a value that cannot be written as text')
    expect(textOf(Object.assign(() => 1, { toString: fault }))).toBe('a value that cannot be written as text')
  })
})

describe('clip', () => {
  it('cuts what is longer and marks the cut', () => {
    expect(clip('abcd', 4)).toBe('abcd')
    expect(clip('abcde', 4)).toBe('abc…')
  })
})

describe('counted', () => {
  it('is one of something, or so many', () => {
    expect([0, 1, 2, 1_000].map((count) => counted(count, 'run'))).toEqual(['0 runs', '1 run', '2 runs', '1,000 runs'])
  })
})

describe('text that no store keeps', () => {
  it.each(['a\0b', '\ud800', 'x\udc00', '\udc00\ud800'])('is known and written out: %j', (text) => {
    expect(isStorable(text)).toBe(false)
    expect(isStorable(escapeUnstorable(text))).toBe(true)
  })

  it('is written as JSON would', () => {
    expect(escapeUnstorable('a\0b\ud800\u{1f600}')).toBe('a\\u0000b\\ud800\u{1f600}')
  })

  it('is no other: whole pairs, line breaks, nothing', () => {
    for (const text of ['', 'plain', '\u{1f600}', 'a\nb\u0001\uffff']) {
      expect(isStorable(text)).toBe(true)
      expect(escapeUnstorable(text)).toBe(text)
    }
  })
})
