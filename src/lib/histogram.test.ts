import { array, assert, double, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histogram } from './histogram.ts'

const largest = 60_000_000

function of(values: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.add(value)
  return histogram
}

function exact(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1] as number
}

describe('Histogram', () => {
  it('tells zeros while it is empty', () => {
    const histogram = new Histogram()
    expect([histogram.count, histogram.max, histogram.quantile(0), histogram.quantile(0.99)]).toEqual([0, 0, 0, 0])
  })

  it('tells a single value exactly', () => {
    const histogram = of([12.5])
    expect([histogram.count, histogram.max, histogram.quantile(0.5), histogram.quantile(1)]).toEqual([
      1, 12.5, 12.5, 12.5,
    ])
  })

  it('rounds every quantile up, by less than a tenth', () => {
    const values = array(double({ min: 0.001, max: largest, noNaN: true }), { minLength: 1, maxLength: 300 })
    const share = double({ min: 0, max: 1, noNaN: true })
    assert(
      property(values, share, (some, quantile) => {
        const told = of(some).quantile(quantile)
        const precise = exact(some, quantile)
        expect(told).toBeGreaterThanOrEqual(precise * (1 - 1e-12))
        expect(told).toBeLessThan(precise * 1.1)
      }),
      { numRuns: 500 },
    )
  })

  it('never tells more than the largest value, and less for a smaller share', () => {
    const values = array(double({ min: 0, max: largest, noNaN: true }), { minLength: 1, maxLength: 100 })
    assert(
      property(values, (some) => {
        const histogram = of(some)
        const told = [0, 0.1, 0.5, 0.9, 0.99, 1].map((quantile) => histogram.quantile(quantile))
        expect(told).toEqual(told.toSorted((a, b) => a - b))
        expect(told.at(-1)).toBeLessThanOrEqual(Math.max(...some))
        expect([histogram.count, histogram.max]).toEqual([some.length, Math.max(...some)])
      }),
    )
  })

  it('takes what is below a thousandth for a thousandth, and what is beyond its last bucket into that', () => {
    const histogram = of([0, 0.0001, 1e12])
    expect([histogram.quantile(0.5), histogram.max]).toEqual([0.001, 1e12])
    expect(histogram.quantile(1)).toBeGreaterThan(largest)
  })
})
