import { describe, expect, it } from 'vitest'
import { placeOf } from './place.ts'

const script = 'const a = 1\n\treturn b\n'

describe('placeOf', () => {
  it('shows the line with a mark below the column', () => {
    const place = placeOf({ line: 2, column: 9 }, { script, from: {} })
    expect(place).toEqual({
      text: ' (line 2, column 9)',
      excerpt: '\n  2 | \treturn b\n    | \t       ^',
      details: { line: 2, column: 9 },
    })
  })

  it('counts from where the script stands in its file', () => {
    const place = placeOf({ line: 1, column: 7 }, { script, from: { file: 'a.yaml', line: 100, column: 5 } })
    expect(place.text).toBe(' (a.yaml:100:11)')
    expect(place.excerpt).toBe('\n  100 | const a = 1\n      |       ^')
    expect(place.details).toEqual({ file: 'a.yaml', line: 100, column: 11 })
  })

  it('is at the end of the script for what is behind it, and nowhere for what is nowhere', () => {
    expect(placeOf({ line: 9, column: 1 }, { script: 'return (', from: {} }).text).toBe(' (line 1, column 9)')
    expect(placeOf({ line: 1, column: 1e9 }, { script: 'a', from: {} }).text).toBe(' (line 1, column 2)')
    expect(placeOf(undefined, { script, from: {} })).toEqual({ text: '', excerpt: '', details: {} })
  })

  it('shows of a long line what is around the column', () => {
    const long = `${'x'.repeat(500)}🜁y${'z'.repeat(500)}`
    const [, line, mark] = placeOf({ line: 1, column: 502 }, { script: long, from: {} }).excerpt.split('\n') as [
      string,
      string,
      string,
    ]
    expect(Array.from(line)).toHaveLength(106)
    expect(Array.from(line)[mark.indexOf('^')]).toBe('y')
  })
})
