import { expect, it } from 'vitest'
import { canRedraw, paintFor, printable } from './paint.ts'

const terminal = { isTerminal: true, columns: 80, write: () => {} }
const pipe = { ...terminal, isTerminal: false }

it('colours terminals only, unless the environment says otherwise', () => {
  expect(paintFor(terminal, {})('red', 'x')).toBe('\u001b[31mx\u001b[39m')
  expect(paintFor(pipe, {})('red', 'x')).toBe('x')
  expect(paintFor(terminal, { NO_COLOR: '1' })('red', 'x')).toBe('x')
  expect(paintFor(terminal, { NO_COLOR: '' })('red', 'x')).toBe('\u001b[31mx\u001b[39m')
  expect(paintFor(terminal, { TERM: 'dumb' })('red', 'x')).toBe('x')
  expect(paintFor(pipe, { FORCE_COLOR: '1' })('red', 'x')).toBe('\u001b[31mx\u001b[39m')
  expect(paintFor(terminal, { FORCE_COLOR: '0' })('red', 'x')).toBe('x')
})

it('redraws nothing in a pipe or on a terminal that cannot', () => {
  expect([canRedraw(terminal, {}), canRedraw(pipe, {}), canRedraw(terminal, { TERM: 'dumb' })]).toEqual([
    true,
    false,
    false,
  ])
})

it('lets text of others move no cursor', () => {
  expect(printable('a\u001b[2Jb\rc\u0007\td\n')).toBe('abc\td\n')
  expect(printable('\u001b]0;title\u0007a\u001b]8;;http://x\u001b\\b\u001bc')).toBe('ab')
})
