// Counting a step costs nothing that anybody could feel.
import { describe, expect, it } from 'vitest'
import { StepCounts } from './step-counts.ts'

const batches = 40
const each = 25_000

/** The middle of what the batches took: what else goes on in the process falls out. */
function middle(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Infinity
}

describe('counting steps', () => {
  it('C1: takes the time of those that failed into the average', () => {
    const counts = new StepCounts()
    expect(counts.averageMs).toBe(0)
    counts.ended(false, 100)
    counts.ended(true, 500.5)
    counts.ended(true, -1)
    expect([counts.executed, counts.succeeded, counts.failed]).toEqual([3, 1, 2])
    expect(counts.averageMs).toBeCloseTo(200.1667, 3)
  })

  it('takes less than a microsecond and allocates nothing, a million times over', () => {
    const counts = new StepCounts()
    const bytes: number[] = []
    const micros: number[] = []
    for (let batch = 0; batch < batches; batch++) {
      const heap = process.memoryUsage().heapUsed
      const startedAt = performance.now()
      for (let n = 0; n < each; n++) counts.ended((n & 1) === 0, n * 0.1)
      micros.push(((performance.now() - startedAt) * 1_000) / each)
      bytes.push((process.memoryUsage().heapUsed - heap) / each)
    }
    expect(counts.executed).toBe(batches * each)
    expect(middle(micros)).toBeLessThan(1)
    // One number on the heap would be 12 bytes at least.
    expect(middle(bytes)).toBeLessThan(1)
  })
})
