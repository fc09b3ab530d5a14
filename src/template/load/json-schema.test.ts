// That no pattern of a schema holds the main loop, whatever it is matched with.
import { expect, it } from 'vitest'
import { misfits, schemaFaults } from './json-schema.ts'

const mebibyte = 2 ** 20

it.each([
  '^(a+)+$',
  '^(a|aa)+$',
  '(.*)(.*)(.*)(.*)(.*)(.*)[^a]b',
  '^(\\w+\\s?)*$',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '^(?:\\w?){1000}(?:\\w?){1000}$',
])('takes a time in proportion to the text: %s', (pattern) => {
  const text = `${'a'.repeat(mebibyte)}!`
  const startedAt = performance.now()
  expect(misfits({ pattern }, text).map(({ keyword }) => keyword)).toEqual(['pattern'])
  expect(misfits({ additionalProperties: false, patternProperties: { [pattern]: true } }, { [text]: 1 })).toHaveLength(
    1,
  )
  expect(performance.now() - startedAt).toBeLessThan(3_000)
})

it.each([
  ['^\\d{3}-[A-Z]+$', '123-AB', '123-ab'],
  ['^\\p{L}+$', 'élan', 'a1'],
  ['^\\u0041[^\\/]?$', 'Ab', 'A/'],
  ['^.$', '😀', '😀😀'],
  ['^(?<year>\\d{4})$', '2026', '26'],
  ['a$', 'ba', 'a\n'],
])('means what it means elsewhere: %s', (pattern, fits, fitsNot) => {
  expect([fits, fitsNot].map((text) => misfits({ pattern }, text).length)).toEqual([0, 1])
})

it.each(['(?=a)', '(?<!a)b', '(a)\\1', '.{1,2000}', '(?:.{1000}){20}', '(?i)a', '('])(
  'is refused where that cannot be: %s',
  (pattern) => {
    expect(schemaFaults({ properties: { a: { pattern } } })).toHaveLength(1)
  },
)
