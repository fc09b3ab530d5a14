import { describe, expect, it } from 'vitest'
import { fitting } from './fit.ts'

const written = (value: unknown): string | undefined => JSON.stringify(value, fitting('input'))

describe('fitting', () => {
  it('leaves what JSON has a form for as it is', () => {
    const shared = { a: 1 }
    const value = { text: 'a', list: [1, null, true, shared, shared], at: new Date(0), none: undefined, empty: {} }
    expect(written(value)).toBe(JSON.stringify(value))
    expect(written(undefined)).toBeUndefined()
    expect(written(-0)).toBe('0')
  })

  it.each<[string, unknown]>([
    ['input is NaN', Number.NaN],
    ['input.a.b[2]["c d"] is a bigint', { x: [{}], a: { y: {}, b: [1, [], { 'c d': 1n }] } }],
    ['input[1].at is a Map', [{ at: 1 }, { at: new Map() }]],
    ['input.m is a WeakMap', { m: new WeakMap() }],
    ['input.f is a function', { f: () => 1 }],
    ['input.i is a Array Iterator', { i: [].values() }],
    ['input.g is a Generator', { g: (function* () {})() }],
    ['input.__proto__ is a name that changes objects', JSON.parse('{"__proto__":1}')],
  ])('says where the other is: %s', (message, value) => {
    expect(() => written(value)).toThrow(message)
  })

  it('tells a cycle from what is there twice, and ends what is too deep', () => {
    const around: Record<string, unknown> = { a: {} }
    ;(around['a'] as Record<string, unknown>)['b'] = [around]
    expect(() => written(around)).toThrow('input.a.b[0] is inside itself')
    let deep: unknown = 1
    for (let level = 0; level < 200; level++) deep = [deep]
    expect(written(deep)).toHaveLength(401)
    expect(() => written([deep])).toThrow('is more than 200 levels deep')
  })
})
