import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findJsonFault } from './json-fault.ts'

describe('findJsonFault', () => {
  it('finds where JSON breaks and what was expected there', () => {
    const places = [
      '{name: 1}',
      '{"a":1,}',
      '[1 2]',
      '{"a" 1}',
      '[1,]',
      '"ann',
      '1 2',
      'tru',
      '[1',
      '{"a":"b\nc"}',
      '"\\x"',
      '01',
      '',
    ]
    expect(places.map((text) => [text, findJsonFault(text)?.offset])).toEqual([
      ['{name: 1}', 1],
      ['{"a":1,}', 7],
      ['[1 2]', 3],
      ['{"a" 1}', 5],
      ['[1,]', 3],
      ['"ann', 4],
      ['1 2', 2],
      ['tru', 0],
      ['[1', 2],
      ['{"a":"b\nc"}', 7],
      ['"\\x"', 1],
      ['01', 0],
      ['', 0],
    ])
    expect(findJsonFault('{name: 1}')?.expected).toBe('a name in double quotes, or }')
    expect(findJsonFault('[1 2]')?.expected).toBe('a comma, or ]')
    expect(findJsonFault('{"a" 1}')?.expected).toBe('a colon')
  })

  it('agrees with JSON.parse on all that is JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(findJsonFault(text)).toBeUndefined()
      }),
    )
  })

  it('agrees with JSON.parse on what is JSON with one character changed', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '\\', '0', '-', '.', 'e', ' ', '\n', 'x'),
        (text, at, letter) => {
          const place = at % (text.length + 1)
          const changed = text.slice(0, place) + letter + text.slice(place + 1)
          expect(findJsonFault(changed) === undefined).toBe(isJson(changed))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('is stopped neither by depth nor by length', () => {
    expect(findJsonFault('['.repeat(100_000))?.offset).toBe(100_000)
    expect(findJsonFault(`["${'a'.repeat(10_000_000)}",`)?.offset).toBe(10_000_004)
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
