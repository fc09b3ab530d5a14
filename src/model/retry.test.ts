import { describe, expect, it } from 'vitest'
import { TroupeError } from '../lib/errors.ts'
import { PermanentError, RetryAfterError, TimeoutError, ValidationError } from './error-classes.ts'
import { retryDelayMs, retryPolicy, type RetryOptions } from './retry.ts'

describe('retryPolicy', () => {
  it('waits longer each time, from a second to five minutes, unless told', () => {
    expect(retryPolicy(undefined, 3)).toEqual({
      attempts: 3,
      backoff: { strategy: 'exponential', baseMs: 1_000, maxMs: 300_000, jitter: 0.2 },
      maxElapsedMs: Infinity,
      retryIf: undefined,
    })
  })

  it('takes what it is told', () => {
    const retryIf = () => true
    const options = {
      attempts: 5,
      backoff: 'linear',
      base: '2s',
      max: '1m',
      jitter: 0,
      maxElapsed: '1h',
      retryIf,
    } as const
    expect(retryPolicy(options, 1)).toEqual({
      attempts: 5,
      backoff: { strategy: 'linear', baseMs: 2_000, maxMs: 60_000, jitter: 0 },
      maxElapsedMs: 3_600_000,
      retryIf,
    })
  })

  it.each(['none', 'linear', 'exponential', 'fibonacci'] as const)('knows the backoff %s', (backoff) => {
    expect(retryPolicy({ backoff }, 1).backoff).toMatchObject({ strategy: backoff })
  })

  it('keeps a function as it is', () => {
    const backoff = () => '1s'
    expect(retryPolicy({ backoff }, 1).backoff).toBe(backoff)
  })

  it.each([
    [{ attempts: 0 }, 'retry.attempts is 0: expected a whole number from 1 (the first attempt counts).'],
    [{ attempts: 1.5 }, 'retry.attempts is 1.5: expected a whole number from 1 (the first attempt counts).'],
    [{ attempts: Number.NaN }, 'retry.attempts is NaN: expected a whole number from 1 (the first attempt counts).'],
    [{ jitter: -0.1 }, 'retry.jitter is -0.1: expected a number from 0 to 1.'],
    [{ jitter: 1.1 }, 'retry.jitter is 1.1: expected a number from 0 to 1.'],
    [{ jitter: Number.NaN }, 'retry.jitter is NaN: expected a number from 0 to 1.'],
    [
      { backoff: 'quadratic' },
      'retry.backoff is "quadratic": expected one of none, linear, exponential, fibonacci or a function.',
    ],
  ])('refuses %j where it is written', (options, message) => {
    expect(() => retryPolicy(options as RetryOptions, 1)).toThrow(
      expect.objectContaining({ code: 'option_invalid', message }),
    )
  })

  it.each([{ base: 'soon' }, { max: -1 }, { maxElapsed: 'P1Y' }])('refuses the duration in %j', (options) => {
    expect(() => retryPolicy(options, 1)).toThrow(expect.objectContaining({ code: 'option_invalid' }))
  })
})

describe('retryDelayMs', () => {
  const failed = (error: Error, failedAttempts = 1, elapsedMs = 0) => ({ error, failedAttempts, elapsedMs })
  const delay = (options: RetryOptions, ...args: Parameters<typeof failed>) =>
    retryDelayMs(retryPolicy({ attempts: 4, jitter: 0, ...options }, 1), failed(...args), () => 0.5)
  const oops = new Error('oops')

  it('gives each wait until the attempts are used up', () => {
    expect([1, 2, 3, 4, 5].map((n) => delay({}, oops, n))).toEqual([1_000, 2_000, 4_000, undefined, undefined])
  })

  it('spreads waits by the randomness it is given', () => {
    const policy = retryPolicy({ attempts: 2 }, 1)
    expect([0, 0.5, 0.999].map((random) => retryDelayMs(policy, failed(oops), () => random))).toEqual([
      800, 1_000, 1_200,
    ])
  })

  it('asks a function for the wait', () => {
    expect(delay({ backoff: (n) => `${n}m` }, oops, 3)).toBe(180_000)
    expect(() => delay({ backoff: () => 'soon' }, oops)).toThrow(expect.objectContaining({ code: 'option_invalid' }))
  })

  it('waits as long as the error asks, whatever the backoff says', () => {
    const busy = new RetryAfterError('busy', '90s')
    expect(delay({ backoff: () => 1 }, busy)).toBe(90_000)
    expect(delay({ backoff: 'none', max: 5 }, busy)).toBe(90_000)
    expect(delay({}, busy, 4)).toBeUndefined()
  })

  it.each([
    new PermanentError('no'),
    new ValidationError('no'),
    new TroupeError('run_lost', 'no', { retryable: false }),
  ])('gives up at once on an error that says it is of no use', (error) => {
    expect(delay({ retryIf: () => true }, error)).toBeUndefined()
  })

  it.each([
    new TimeoutError('late'),
    new TroupeError('store_busy', 'maybe'),
    Object.assign(new Error('foreign'), { retryable: false }),
  ])('tries again after any other', (error) => {
    expect(delay({}, error)).toBe(1_000)
  })

  it('asks retryIf about the error', () => {
    const retryIf = (error: Error) => error.message === 'again'
    expect(delay({ retryIf }, new Error('again'))).toBe(1_000)
    expect(delay({ retryIf }, new Error('enough'))).toBeUndefined()
  })

  it('starts no attempt past the time it has in all', () => {
    expect(delay({ maxElapsed: '10s' }, oops, 1, 9_000)).toBe(1_000)
    expect(delay({ maxElapsed: '10s' }, oops, 1, 9_001)).toBeUndefined()
    expect(delay({ maxElapsed: '10s' }, new RetryAfterError('busy', '11s'))).toBeUndefined()
  })
})
