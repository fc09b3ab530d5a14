import { describe, expect, it } from 'vitest'
import * as checks from './checks.ts'

const refused = (message: string) => expect.objectContaining({ code: 'option_invalid', message }) as Error

describe('checkOptions', () => {
  const known = ['attempts', 'backoff', 'base']

  it('accepts known options', () => {
    expect(() => checks.checkOptions('retry', {}, known)).not.toThrow()
    expect(() => checks.checkOptions('retry', { base: 1, backoff: undefined }, known)).not.toThrow()
  })

  it('names what an unknown one may have meant first', () => {
    expect(() => checks.checkOptions('retry', { bse: 1 }, known)).toThrow(
      refused("Option 'bse' of retry is not known: expected one of base, attempts, backoff."),
    )
    expect(() => checks.checkOptions('retry', { zzzzzz: 1 }, known)).toThrow(
      refused("Option 'zzzzzz' of retry is not known: expected one of attempts, backoff, base."),
    )
  })

  it.each([
    [5, '5'],
    [null, 'null'],
    [undefined, 'undefined'],
    ['abc', '"abc"'],
    [[], '[]'],
  ])('refuses %o in place of an object', (received, quoted) => {
    expect(() => checks.checkOptions('retry', received, known)).toThrow(
      refused(`The options object of retry is ${quoted}: expected { attempts, backoff, base }.`),
    )
  })
})

describe('checkName', () => {
  it('accepts 1 to 255 characters of any writing', () => {
    for (const name of ['a', 'x'.repeat(255), 'größe \u{1f600}'])
      expect(() => checks.checkName('name', name)).not.toThrow()
  })

  it.each([
    ['', '""'],
    [5, '5'],
    [{}, '{}'],
    [undefined, 'undefined'],
  ])('refuses %o', (name, quoted) => {
    expect(() => checks.checkName('name', name)).toThrow(
      refused(`name is ${quoted}: expected a text of 1 to 255 characters.`),
    )
  })

  it('refuses a longer one without repeating all of it', () => {
    expect(() => checks.checkName('name', 'x'.repeat(5_000_000))).toThrow(
      refused(`name is "${'x'.repeat(59)}…": expected a text of 1 to 255 characters.`),
    )
  })

  it.each([
    ['a\0b', '"a\\u0000b"'],
    ['\ud800', '"\\ud800"'],
  ])('refuses what a store would lose a part of: %j', (name, quoted) => {
    expect(() => checks.checkName('name', name)).toThrow(
      refused(
        `name is ${quoted}: expected a text without NUL and without halves of surrogate pairs, which stores lose: encode it, as in base64.`,
      ),
    )
  })
})

describe('checkKey', () => {
  it('accepts 1,024 characters and no more', () => {
    expect(() => checks.checkKey('key', 'x'.repeat(1_024))).not.toThrow()
    expect(() => checks.checkKey('key', 'x'.repeat(1_025))).toThrow('expected a text of 1 to 1,024 characters.')
  })
})

describe('checkChoice', () => {
  it('names what was meant first', () => {
    expect(() => checks.checkChoice('onError', 'collect', ['fail', 'collect'])).not.toThrow()
    expect(() => checks.checkChoice('onError', 'colect', ['fail', 'collect'])).toThrow(
      refused('onError is "colect": expected one of collect, fail.'),
    )
    expect(() => checks.checkChoice('onError', null, ['fail', 'collect'])).toThrow(
      refused('onError is null: expected one of fail, collect.'),
    )
  })
})

describe('checkWhole', () => {
  it.each([1.5, 0, -1, Number.NaN, '1', Infinity])('refuses %o', (received) => {
    expect(() => checks.checkWhole('limit', received, 1)).toThrow('expected a whole number from 1.')
  })
})

describe('timeOf', () => {
  it('takes a Date, or milliseconds', () => {
    expect(checks.timeOf('at', new Date(5))).toBe(5)
    expect(checks.timeOf('at', 7)).toBe(7)
  })

  it.each([
    [null, 'null'],
    ['5', '"5"'],
    [Number.NaN, 'NaN'],
    [new Date(Number.NaN), '"Invalid Date"'],
  ])('refuses %o', (received, quoted) => {
    expect(() => checks.timeOf('at', received as number)).toThrow(
      refused(`at is ${quoted}: expected a Date, or milliseconds since 1970.`),
    )
  })
})
