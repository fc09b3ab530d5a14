import { describe, expect, it } from 'vitest'
import { seededRandom } from './random.ts'

const drawn = (seed: number, count: number) => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => random())
}

describe('seededRandom', () => {
  it('gives the same numbers for the same seed and others for the next one', () => {
    expect(drawn(7, 3)).toEqual(drawn(7, 3))
    expect(drawn(7, 100).filter((number) => drawn(8, 100).includes(number))).toEqual([])
  })

  it('stays from 0 up to but not including 1, and spreads evenly', () => {
    const tenths = new Array<number>(10).fill(0)
    for (const number of drawn(1, 10_000)) tenths[Math.floor(number * 10)] = (tenths[Math.floor(number * 10)] ?? 0) + 1
    expect(tenths).toHaveLength(10)
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(120)
  })
})
