import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Backoff, backoffMs } from './backoff.ts'

const plain: Backoff = { strategy: 'exponential', baseMs: 100, maxMs: 60_000, jitter: 0 }

function firstSix(backoff: Partial<Backoff>): number[] {
  return [1, 2, 3, 4, 5, 6].map((failed) => backoffMs({ ...plain, ...backoff }, failed, () => 0.5))
}

describe('backoffMs', () => {
  it('waits the base after the first failure and grows by strategy', () => {
    expect(firstSix({ strategy: 'none' })).toEqual([0, 0, 0, 0, 0, 0])
    expect(firstSix({ strategy: 'linear' })).toEqual([100, 200, 300, 400, 500, 600])
    expect(firstSix({ strategy: 'exponential' })).toEqual([100, 200, 400, 800, 1600, 3200])
    expect(firstSix({ strategy: 'fibonacci' })).toEqual([100, 100, 200, 300, 500, 800])
    expect(firstSix({ strategy: (failed) => failed * 7 })).toEqual([7, 14, 21, 28, 35, 42])
  })

  it('treats no failed attempt like the first', () => {
    expect(backoffMs(plain, 0, () => 0)).toBe(100)
  })

  it('strays by the jitter to either side', () => {
    const jittered = { ...plain, jitter: 0.2 }
    expect(backoffMs(jittered, 1, () => 0)).toBe(80)
    expect(backoffMs(jittered, 1, () => 0.5)).toBe(100)
    expect(backoffMs(jittered, 1, () => 0.999)).toBe(120)
  })

  it('never passes the cap, jitter included, yet still spreads below it', () => {
    const capped = { ...plain, maxMs: 1000, jitter: 0.5 }
    expect(backoffMs(capped, 30, () => 0.999)).toBe(1000)
    expect(backoffMs(capped, 30, () => 0)).toBe(500)
  })

  it('waits the cap when a function does not return a number, and nothing when it returns a negative one', () => {
    expect(backoffMs({ ...plain, strategy: () => Number.NaN }, 1, () => 0)).toBe(60_000)
    expect(backoffMs({ ...plain, strategy: () => -5 }, 1, () => 0)).toBe(0)
    expect(backoffMs({ ...plain, strategy: () => Number.POSITIVE_INFINITY, jitter: 1 }, 1, () => 0)).toBe(0)
  })

  it('waits nothing with a base of zero, however many attempts failed', () => {
    for (const strategy of ['linear', 'exponential', 'fibonacci'] as const) {
      expect(backoffMs({ ...plain, strategy, baseMs: 0 }, 1e9, () => 0.5)).toBe(0)
    }
  })

  it('stays between zero and the cap for every input', () => {
    const anyBackoff = fc.record({
      strategy: fc.constantFrom('none' as const, 'linear' as const, 'exponential' as const, 'fibonacci' as const),
      baseMs: fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true }),
      maxMs: fc.integer({ min: 0, max: 2 ** 40 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    const failed = fc.oneof(fc.nat(200), fc.constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY))
    fc.assert(
      fc.property(
        anyBackoff,
        failed,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (backoff, count, random) => {
          const ms = backoffMs(backoff, count, () => random)
          expect(ms).toBeGreaterThanOrEqual(0)
          expect(ms).toBeLessThanOrEqual(backoff.maxMs)
        },
      ),
    )
  })
})
