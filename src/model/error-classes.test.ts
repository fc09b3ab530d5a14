import { describe, expect, it } from 'vitest'
import { fromErrorRecord, toErrorRecord } from '../lib/error-record.ts'
import { isTroupeError } from '../lib/errors.ts'
import { PermanentError, RetryAfterError, reviveError, TimeoutError, ValidationError } from './error-classes.ts'

describe('the errors users throw', () => {
  it.each([
    [new PermanentError('no'), 'PermanentError', 'permanent', false],
    [new ValidationError('no'), 'ValidationError', 'validation_failed', false],
    [new TimeoutError('no'), 'TimeoutError', 'timed_out', true],
    [new TimeoutError('no', { retryable: false }), 'TimeoutError', 'timed_out', false],
    [new RetryAfterError('no', '30s'), 'RetryAfterError', 'retry_after', true],
  ])('say whether trying again can help: %s', (error, name, code, retryable) => {
    expect(error).toMatchObject({ name, code, retryable, message: 'no' })
    expect(isTroupeError(error)).toBe(true)
  })

  it('keep their cause and details', () => {
    const cause = new Error('inner')
    const options = { cause, details: { id: 7 } }
    for (const error of [
      new PermanentError('no', options),
      new ValidationError('no', options),
      new TimeoutError('no', options),
    ]) {
      expect(error).toMatchObject({ cause, details: { id: 7 } })
    }
    expect(new RetryAfterError('no', 5, options)).toMatchObject({ cause, details: { id: 7, delayMs: 5 }, delayMs: 5 })
  })

  it('stay permanent, whatever they are given', () => {
    expect(new PermanentError('no', { retryable: true }).retryable).toBe(false)
    expect(new ValidationError('no', { retryable: true }).retryable).toBe(false)
  })

  it('refuse a delay that is none', () => {
    expect(() => new RetryAfterError('no', 'soon')).toThrow(expect.objectContaining({ code: 'option_invalid' }))
  })
})

describe('reviveError', () => {
  const cause = new PermanentError('inner', { cause: new RangeError('innermost') })
  const options = { cause, details: { id: 7 } }

  it.each([
    new PermanentError('no', options),
    new ValidationError('no', options),
    new TimeoutError('no', options),
    new TimeoutError('no', { ...options, retryable: false }),
    new RetryAfterError('no', '30s', options),
  ])('gives a stored error everything back: %s', (error) => {
    const revived = revive(error)
    expect(revived).toBeInstanceOf(error.constructor)
    const { name, message, code, details, retryable, stack } = error
    expect(revived).toMatchObject({ name, message, code, details, retryable, stack })
    expect(revived.cause).toBeInstanceOf(PermanentError)
    expect((revived.cause as Error).cause).toBeInstanceOf(RangeError)
  })

  it('gives the delay back', () => {
    expect(revive(new RetryAfterError('no', '30s'))).toMatchObject({ delayMs: 30_000 })
    expect(reviveError({ name: 'RetryAfterError', code: 'retry_after', message: 'no' })).toMatchObject({ delayMs: 0 })
    const details = { delayMs: 'soon' }
    expect(reviveError({ name: 'RetryAfterError', code: 'retry_after', message: 'no', details })).toMatchObject({
      delayMs: 0,
    })
  })

  it('leaves errors of others alone, also those of the same name', () => {
    expect(reviveError({ name: 'TypeError', message: 'no' })).toBeUndefined()
    expect(reviveError({ name: 'TroupeError', code: 'run_lost', message: 'no' })).toBeUndefined()
    for (const name of ['PermanentError', 'ValidationError', 'TimeoutError', 'RetryAfterError']) {
      expect(reviveError({ name, message: 'no' })).toBeUndefined()
    }
    expect(reviveError({ name: 'TimeoutError', code: '23', message: 'aborted' })).toBeUndefined()
  })

  function revive(error: Error): Error {
    return fromErrorRecord(JSON.parse(JSON.stringify(toErrorRecord(error))), reviveError)
  }
})
