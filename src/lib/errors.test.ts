import { describe, expect, it } from 'vitest'
import { isTroupeError, toError, TroupeError } from './errors.ts'

const fault = (): never => {
  throw new Error('no')
}
const hostile = new Proxy({}, { get: fault, has: fault, getPrototypeOf: fault })

describe('toError', () => {
  it('leaves an Error the same object', () => {
    const error = new TypeError('bad')
    expect(toError(error)).toBe(error)
  })

  it.each([
    ['a text', 'just text', 'just text'],
    ['nothing', undefined, 'Thrown value: undefined'],
    ['an object', { status: 404 }, 'Thrown value: {"status":404}'],
    ['an object without prototype', Object.create(null), 'Thrown value: {}'],
    [
      'an object whose text throws',
      { toJSON: fault, toString: fault },
      'Thrown value: a value that cannot be written as text',
    ],
    ['a proxy that throws', hostile, 'Thrown value: a value that cannot be written as text'],
  ])('makes one of %s', (_name, thrown, message) => {
    const error = toError(thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error.message).toBe(message)
    expect(error.cause === thrown).toBe(true)
  })
})

describe('isTroupeError', () => {
  it('is false for what throws when it is asked', () => {
    expect(isTroupeError(hostile)).toBe(false)
    const error = new TroupeError('usage', 'x')
    Object.defineProperty(error, 'code', { get: fault })
    expect(isTroupeError(error)).toBe(true)
    expect(isTroupeError(error, 'usage')).toBe(false)
  })
})
