import { expect, it } from 'vitest'
import { TroupeError } from '../lib/errors.ts'
import { errorLines } from './error-text.ts'
import { plain } from './paint.ts'

const look = { paint: plain, withStack: false }

it('tells name, code, message and what led to it', () => {
  const root = new TypeError('no such flight')
  const error = new TroupeError('store_busy', 'it broke\nbadly', { cause: new Error('in between', { cause: root }) })
  expect(errorLines(error, look)).toEqual([
    'TroupeError store_busy: it broke',
    'badly',
    'caused by Error: in between',
    'caused by TypeError: no such flight',
  ])
})

it('shows the stack only when asked for', () => {
  const error = new Error('it broke')
  error.stack = 'Error: it broke\n    at pack (/app/ship.ts:7:3)'
  expect(errorLines(error, look)).toEqual(['Error: it broke'])
  expect(errorLines(error, { paint: plain, withStack: true })).toEqual([
    'Error: it broke',
    '  at pack (/app/ship.ts:7:3)',
  ])
})

it('ends for causes in a circle, and lets no escape code through', () => {
  const error: Error = new Error('a\u001b[2Jb\u0007')
  error.cause = error
  expect(errorLines(error, look)[0]).toBe('Error: ab')
  expect(errorLines(error, look)).toHaveLength(9)
})
