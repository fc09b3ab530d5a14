import { describe, expect, it } from 'vitest'
import type { Scope } from '../model/template.ts'
import { make, placeholdersOf, prepare, prepareExpression } from './placeholders.ts'

const scope: Scope = {
  input: { a: 1, list: [1, 2], name: 'Ann', nothing: null },
  steps: {},
  errors: {},
  config: {},
  run: { id: 'r', attempt: 1, correlationId: null },
}

function made(tree: unknown): unknown {
  const faults: string[] = []
  const prepared = prepare(tree, { owner: {}, key: 'with' }, { onFault: (_, error) => faults.push(error.message) })
  return faults.length > 0 ? { faults } : make(prepared, scope)
}

describe('placeholders', () => {
  it.each<[unknown, unknown]>([
    ['${{ input.list }}', [1, 2]],
    ['  ${{ input.list }}\n', [1, 2]],
    ['Hello ${{ input.name }}!', 'Hello Ann!'],
    ['${{ input.name }}${{ input.a }}', 'Ann1'],
    ['${{ input.name }} ', 'Ann'],
    ['a ${{ input.nothing }} b', 'a  b'],
    ['all: ${{ input.list }}', 'all: [1,2]'],
    ['$ {{ input.a }} ${ input.a } {{ input.a }}', '$ {{ input.a }} ${ input.a } {{ input.a }}'],
    ["${{ '}}' + '${{' }}", '}}${{'],
    ['${{ { a: { b: input.a }} }}', { a: { b: 1 } }],
    ['${{ {} }}', {}],
    ['${{\n  input.a\n  + 1\n}}', 2],
    [
      { deep: [{ x: '${{ input.a }}', y: 'n=${{ input.a }}', z: 5 }], same: null },
      { deep: [{ x: 1, y: 'n=1', z: 5 }], same: null },
    ],
    [{ '${{ input.a }}': 1 }, { '${{ input.a }}': 1 }],
    [7, 7],
  ])('make of %j %j', (tree, expected) => {
    expect(made(tree)).toEqual(expected)
  })

  it.each([
    ['${{ input.a', "'${{' has no '}}' after it."],
    ['a ${{ }} b', 'An expression is missing here.'],
    ["${{ input.name == 'x }}", 'This text has no closing quote.'],
    ['${{ input. }}', "A name comes after '.'"],
  ])('tell of %j: %s', (tree, why) => {
    expect((made(tree) as { faults: string[] }).faults[0]).toContain(why)
  })

  it('tell of each that is wrong in a tree', () => {
    expect(made({ a: '${{ x }}', b: ['${{ 1 + }}', '${{ input.a }}'] })).toMatchObject({ faults: { length: 2 } })
  })

  it('make new objects each time, so that whoever is given one may change it', () => {
    const prepared = prepare({ a: { b: [1] } }, { owner: {}, key: 'with' }, { onFault: () => undefined })
    const [one, other] = [make(prepared, scope), make(prepared, scope)]
    expect(one).toEqual(other)
    expect((one as { a: object }).a).not.toBe((other as { a: object }).a)
  })

  it('are bounded together', () => {
    const tree = Array<string>(40).fill('${{ range(10000) }}')
    expect(() => made(tree)).toThrow('more than 200,000 steps')
    const long: Scope = { ...scope, input: 'x'.repeat(600_000) }
    const prepared = prepare('${{ input }}${{ input }}', { owner: {}, key: 0 }, { onFault: () => undefined })
    expect(() => make(prepared, long)).toThrow('A text of more than 1,048,576 characters')
  })

  it('know where they stand', () => {
    const tree = { a: 'x ${{ input.a }} ${{ steps.b }}' }
    const found = placeholdersOf(prepare(tree, { owner: {}, key: 'with' }, { onFault: () => undefined }))
    expect(found.map(({ start, spot, expression }) => [start, spot.key, expression.text])).toEqual([
      [5, 'a', ' input.a '],
      [20, 'a', ' steps.b '],
    ])
  })
})

describe('an expression alone', () => {
  const of = (text: string): unknown => {
    const faults: string[] = []
    const prepared = prepareExpression(
      text,
      { owner: {}, key: 'if' },
      { onFault: (_, error) => faults.push(error.message) },
    )
    return faults[0]?.split('\n')[0] ?? make(prepared, scope)
  }

  it('may stand with or without its braces', () => {
    expect([of('input.a == 1'), of('${{ input.a == 1 }}'), of(' ${{ input.a == 1 }} ')]).toEqual([true, true, true])
  })

  it('has no text around it', () => {
    expect(of('x ${{ input.a }}')).toBe('One expression is wanted here, and nothing around it.')
  })
})
