import { describe, expect, it } from 'vitest'
import { parseInput, pointAt } from './input.ts'

const example = `troupe run order '{"name":"ann"}'`

describe('parseInput', () => {
  it('reads JSON, and nothing as undefined', () => {
    expect(parseInput('{"a":[1]}', example)).toEqual({ a: [1] })
    expect(parseInput(undefined, example)).toBeUndefined()
  })

  it('quotes the argument, points at the fault and says what the shell did', () => {
    expect(() => parseInput('{name:ann}', example)).toThrow(
      [
        'The input is not JSON: character 2, expected a name in double quotes, or }.',
        '',
        '  {name:ann}',
        '   ^',
        '',
        'The shell has eaten the double quotes: put single quotes around the JSON.',
        `  ${example}`,
      ].join('\n'),
    )
  })

  it('says of empty input only that it is empty', () => {
    expect(() => parseInput(' \n', example)).toThrow(/^The input is empty: give JSON, or leave the argument out\.$/)
  })

  it('tells how a text is quoted', () => {
    expect(() => parseInput('ann', example)).toThrow(`A text needs double quotes inside single ones: '"ann"'`)
  })

  it('names the line in input of many lines', () => {
    expect(() => parseInput('{\n  "a": 1\n  "b": 2\n}', example)).toThrow('line 3, character 3, expected a comma, or }')
  })

  it('shows only what is around the fault of a long line', () => {
    const text = `["${'a'.repeat(100)}",,"${'b'.repeat(100)}"]`
    expect(pointAt(text, 104)).toBe(`  …${'a'.repeat(28)}",,"${'b'.repeat(28)}…\n  ${' '.repeat(31)}^`)
  })
})
