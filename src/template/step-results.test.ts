// Batches and branches as workers give them.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchesOf, branches, noBatches, noBranches } from './step-results.ts'

const most = 10_000

describe('batchesOf', () => {
  it('divides all items, each into one batch, in their order, from the start up to and without the end', () => {
    const how = fc.oneof(
      fc.record({ workers: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ size: fc.integer({ min: 1, max: 500 }) }),
    )
    fc.assert(
      fc.property(fc.nat(most), how, (total, rule) => {
        const { batches } = batchesOf(total, rule)
        expect(batches.map(({ start }) => start)).toEqual(
          [0, ...batches.map(({ end }) => end)].slice(0, batches.length),
        )
        expect(batches.at(-1)?.end ?? 0).toBe(total)
        for (const { start, end, size } of batches) expect([end - start, size > 0]).toEqual([size, true])
      }),
    )
  })

  it('gives no worker two items more than another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: most }), fc.integer({ min: 1, max: 50 }), (total, workers) => {
        const sizes = batchesOf(total, { workers }).batches.map(({ size }) => size)
        expect(sizes.length).toBe(Math.min(workers, total))
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('names them 001 and so on', () => {
    expect(batchesOf(2_000, { size: 2 }).batches.at(-1)?.id).toBe('1000')
    expect(batchesOf(3, { size: 2 }).batches).toEqual([
      { id: '001', start: 0, end: 2, size: 2 },
      { id: '002', start: 2, end: 3, size: 1 },
    ])
  })

  it('makes none where there is nothing', () => {
    expect([batchesOf(0, { workers: 3 }), batchesOf(0, { size: 3 })]).toEqual([
      { batches: [], total: 0 },
      { batches: [], total: 0 },
    ])
    expect([noBatches(), noBatches('empty')]).toEqual([
      { batches: [], total: 0 },
      { batches: [], total: 0, reason: 'empty' },
    ])
  })

  it.each([
    [-1, { workers: 1 }, 'The number of items is -1: expected a whole number from 0.'],
    [1.5, { workers: 1 }, 'The number of items is 1.5: expected a whole number from 0.'],
    [1, { workers: 0 }, 'workers is 0: expected a whole number from 1.'],
    [1, { size: 0 }, 'size is 0: expected a whole number from 1.'],
    [1, {}, 'workers is undefined: expected a whole number from 1.'],
  ])('refuses %s items with %o', (total, how, message) => {
    expect(() => batchesOf(total, how as { size: number })).toThrow(message)
  })
})

describe('branches', () => {
  it('says which steps, or why none', () => {
    expect([branches('a', 'b'), noBranches(), noBranches('none is due')]).toEqual([
      { branches: ['a', 'b'] },
      { branches: [] },
      { branches: [], reason: 'none is due' },
    ])
  })
})
