import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Read } from './read.ts'
import { readSource, type TemplateFormat } from './source.ts'

function read(text: string, format: TemplateFormat = 'yaml'): unknown {
  const { read: found, problems } = readSource(text, { format })
  return problems.hasErrors ? problems.all.map(({ line, column, message }) => [line, column, message]) : found?.value
}

describe('YAML', () => {
  it.each<[string, unknown]>([
    ['a: 1\nb: [x, y]', { a: 1, b: ['x', 'y'] }],
    // 1.2, not 1.1
    [
      'a: yes\nb: no\nc: on\nd: 0o17\ne: 017\nf: 1_000\ng: 12:30',
      { a: 'yes', b: 'no', c: 'on', d: 15, e: 17, f: '1_000', g: '12:30' },
    ],
    ["a: !!str 1\nb: ! 2\nc: !!seq [!!int '3']\nd: !!map { e: !!null '' }", { a: '1', b: '2', c: [3], d: { e: null } }],
    ['%YAML 1.1\n---\na: yes', { a: 'yes' }],
    ['a: 2030-01-01', { a: '2030-01-01' }],
    ['a: ~\nb:\nc: null', { a: null, b: null, c: null }],
    ['1: x\ntrue: y', { 1: 'x', true: 'y' }],
    ['a: &x { b: 1 }\nc: *x', { a: { b: 1 }, c: { b: 1 } }],
    ['a: |\n  one\n  two\nb: >\n  three\n  four', { a: 'one\ntwo\n', b: 'three four\n' }],
    ['\uFEFFa: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['größe: 日本\n"\\u00e9": 😀', { größe: '日本', é: '😀' }],
    ['# only a comment before\n---\na: 1\n...\n', { a: 1 }],
    ['', null],
    // expressions without quotes
    ['a: ${{ input.x }}', { a: '${{ input.x }}' }],
    ['a: { b: ${{ input.x }}, c: 1 }', { a: { b: '${{ input.x }}', c: 1 } }],
    ['a: [${{ input.x }}, ${{ {a: 1}.a }}]', { a: ['${{ input.x }}', '${{ {a: 1}.a }}'] }],
    ['a: ${{ input.x ? \'b: c\' : "#d" }}', { a: '${{ input.x ? \'b: c\' : "#d" }}' }],
    ["a: '${{ x == ''y'' }}'", { a: "${{ x == 'y' }}" }],
    ['a: "${{ x == \\"y\\" }} \\u00e9"', { a: '${{ x == "y" }} é' }],
    ['a: |\n  ${{ x: 1 }}\n  y: ${{ [1] }}\n', { a: '${{ x: 1 }}\ny: ${{ [1] }}\n' }],
    ['{ a: { b: "${{ c[\\"d\\"] }}, ${{ e }}" }}', { a: { b: '${{ c["d"] }}, ${{ e }}' } }],
    ['a: x ${{ b }}: y', [[1, 14, expect.stringContaining('This is not YAML')]]],
    ['a: ${{ b }}${{ c }} # d ${{ e }}', { a: '${{ b }}${{ c }}' }],
    ['a: >\n  ${{ x &&\n  y }}', { a: '${{ x && y }}\n' }],
    ['a: \uE000 ${{ "}" }}', { a: '\uE000 ${{ "}" }}' }],
    ['${{ k }}: 1', { '${{ k }}': 1 }],
  ])('%j is read', (text, expected) => {
    expect(read(text)).toEqual(expected)
  })

  const anything = fc.object({
    maxDepth: 3,
    key: fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__' && key !== '<<'),
    values: [
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.constant('a ${{ b["c"] }} d'),
    ],
  })

  it('reads JSON as what it is', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(read(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it.each<[string, number, number, string]>([
    ['a: 1\na: 2', 2, 1, "'a' stands here twice"],
    ['a: 1\nb: { c: 1, c: 2 }', 2, 12, "'c' stands here twice"],
    ['a: 1\n---\nb: 2', 2, 1, 'A second document begins here'],
    ['---\na: 1\n---\n', 3, 1, 'A second document begins here'],
    ['a: 1\n\tb: 2', 2, 1, 'This is not YAML'],
    ['a: [1, 2', 1, 9, 'This is not YAML'],
    ['a: "x', 1, 6, 'This is not YAML'],
    ['base: &b { x: 1 }\na:\n  <<: *b\n  y: 2', 3, 3, 'Keys are not merged here'],
    ['a: *b', 1, 4, "'*b' means nothing"],
    ['a: &b [*b]', 1, 8, "'*b' stands within what it means."],
    ['a: !!js/function "x"', 1, 4, 'This is not YAML'],
    ['a: !!binary aGVsbG8=', 1, 4, 'This is not YAML'],
    ['a: !!map [x]', 1, 4, '!!map is not known, or not of this'],
    ['a: !!int x', 1, 4, '!!int is not known, or not of this'],
    ['a: .nan', 1, 4, '.nan is no number that data can have.'],
    ['? [a]\n: 1', 1, 3, 'A key is a text here.'],
    ['a: { __proto__: { x: 1 } }', 1, 6, "'__proto__' is no name"],
    ['a:\n  - b: 1\n   c: 2', 3, 4, 'This is not YAML'],
  ])('%j is a problem', (text, line, column, why) => {
    expect(read(text)).toContainEqual([line, column, expect.stringContaining(why)])
  })

  const laughs = Array.from({ length: 9 }, (_, level) =>
    level === 0
      ? 'l0: &l0 [x, x, x, x, x, x, x, x, x, x]'
      : `l${level}: &l${level} [${Array<string>(10)
          .fill(`*l${level - 1}`)
          .join(', ')}]`,
  ).join('\n')

  it.each([
    ['a billion laughs', laughs, 'comes to more than 2,000,000 values'],
    [
      'one long text, a thousand times',
      `a: &a ${'x'.repeat(1_000_000)}\nb: [${Array<string>(1_000).fill('*a').join(', ')}]`,
      'comes to more than',
    ],
    ['lists within lists', '['.repeat(100_000), 'at most 100 levels deep'],
    ['lists within lists, in lines', `${'- '.repeat(20_000)}x`, 'at most 100 levels deep'],
    [
      'maps within maps',
      Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      'at most 100 levels deep',
    ],
    ['a text without an end', `a: "${'x'.repeat(1_000_000)}`, 'This is not YAML'],
  ])('%s is refused', (_, text, why) => {
    expect(JSON.stringify(read(text))).toContain(why)
  })

  it('takes placeholders without an end for text', () => {
    const text = '${{ '.repeat(250_000).trim()
    expect(read(`a: ${text}`)).toEqual({ a: text })
  })

  it('takes a hundred thousand keys, anchors and placeholders', () => {
    const lines = Array.from({ length: 30_000 }, (_, index) => `k${index}: &a${index} "\${{ 'x' }}"`)
    expect(Object.keys(read(lines.join('\n')) as object)).toHaveLength(30_000)
  })
})

describe('JSON', () => {
  it.each<[string, unknown]>([
    ['{"a": [1, -2.5e3, true, false, null, "x"], "b": {}}', { a: [1, -2_500, true, false, null, 'x'], b: {} }],
    ['\uFEFF{"a":1}\r\n', { a: 1 }],
    ['{"\\u0061\\n": "\\ud83d\\ude00 \\"q\\""}', { 'a\n': '😀 "q"' }],
    ['[]', []],
    ['"x"', 'x'],
    ['{"2": "b", "1": "a"}', { 2: 'b', 1: 'a' }],
  ])('%j is read', (text, expected) => {
    expect(read(text, 'json')).toEqual(expected)
  })

  it.each<[string, number, number, string]>([
    ['{"a": 1, "a": 2}', 1, 10, "'a' stands here twice"],
    ['{\n  "a": tru\n}', 2, 8, 'This is not JSON: expected a value'],
    ['{"a": 1,}', 1, 9, 'This is not JSON'],
    ['{a: 1}', 1, 2, 'This is not JSON'],
    ['{"a": 01}', 1, 7, 'This is not JSON'],
    ['{"a": "\n"}', 1, 8, 'This is not JSON'],
    ['{"a": 1} {"b": 2}', 1, 10, 'This is not JSON: expected the end'],
    ['', 1, 1, 'This is not JSON'],
    ['{"__proto__": {"polluted": 1}}', 1, 2, "'__proto__' is no name"],
    [`${'['.repeat(100_000)}`, 1, 101, 'at most 100 levels deep'],
    [`{"a": "${'\\"'.repeat(500_000)}`, 1, 1_000_008, 'This is not JSON'],
  ])('%j is a problem', (text, line, column, why) => {
    expect(read(text, 'json')).toContainEqual([line, column, expect.stringContaining(why)])
  })

  it('pollutes nothing', () => {
    read('{"constructor": {"prototype": {"polluted": 1}}, "a": {"__proto__": {"polluted": 1}}}', 'json')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('the place of a value', () => {
  it.each<[TemplateFormat, string]>([
    ['yaml', 'a: 1\nb:\n  - x\n  - c: &n "q"\n    d: *n\n'],
    ['json', '{\n  "a": 1,\n  "b": [\n    "x",\n    { "c": "q",\n      "d": 5 }\n  ]\n}'],
  ])('is known in %s', (format, text) => {
    const { read: found, places } = readSource(text, { format })
    const { b } = (found as Read).value as { b: object[] }
    const at = (owner: object, key: string | number, part: 'key' | 'value'): string => {
      const { line, column } = places.positionOf(places.offsetOf({ owner, key }, part))
      return `${line}:${column}`
    }
    const of = b[1] as object
    expect([
      at(b, 0, 'value'),
      at(of, 'c', 'key'),
      at(of, 'c', 'value'),
      at(of, 'd', 'key'),
      at(of, 'never', 'key'),
    ]).toEqual(format === 'yaml' ? ['3:5', '4:5', '4:11', '5:5', '4:5'] : ['4:5', '5:7', '5:12', '6:7', '5:5'])
  })
})

it('a file too long is refused before it is read', () => {
  const { problems } = readSource(' '.repeat(33 * 1_048_576), {})
  expect(problems.all[0]?.message).toContain('at most 33,554,432 characters')
})

it.each([
  ['{ "a": 1 }', undefined, { a: 1 }],
  ['a: 1', undefined, { a: 1 }],
  ['{ a: 1 }', 'x.yaml', { a: 1 }],
  ['{ a: 1 }', 'x.YML', { a: 1 }],
])('%j in %s is read as what it is', (text, file, expected) => {
  expect(readSource(text, { file }).read?.value).toEqual(expected)
})
