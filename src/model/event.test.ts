import { describe, expect, it } from 'vitest'
import { isMeant } from './event.ts'

describe('a pattern', () => {
  it.each([
    ['order.paid', 'order.paid', true],
    ['order.paid', 'order.paid.twice', false],
    ['order.*', 'order.paid', true],
    ['order.*', 'order.paid.twice', true],
    ['order.*', 'order', false],
    ['*', 'anything', true],
    ['*.paid', 'order.paid', true],
    ['*.paid', 'order.paid.twice', false],
    ['a*b*c', 'a1b2c', true],
    ['a*b*c', 'acb', false],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['', '', true],
  ])('%s against %s: %s', (pattern, name, is) => {
    expect(isMeant(pattern, name)).toBe(is)
  })
})
