import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap } from './heap.ts'

const numbers = () => new Heap<number>((a, b) => a - b)

function drain(heap: Heap<number>): number[] {
  return Array.from({ length: heap.size }, () => heap.pop() as number)
}

describe('Heap', () => {
  it('is empty to begin with', () => {
    const heap = numbers()
    expect([heap.size, heap.peek(), heap.pop(), heap.remove(1)]).toEqual([0, undefined, undefined, false])
  })

  it('shows the smallest item and leaves it in', () => {
    const heap = numbers()
    heap.push(2)
    heap.push(1)
    expect([heap.peek(), heap.size]).toEqual([1, 2])
  })

  it('hands out any items in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (items) => {
        const heap = numbers()
        for (const item of items) heap.push(item)
        expect(drain(heap)).toEqual(items.toSorted((a, b) => a - b))
      }),
    )
  })

  it('stays in order when items are removed from anywhere', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 99 })), fc.func(fc.boolean()), (items, isRemoved) => {
        const heap = numbers()
        for (const item of items) heap.push(item)
        for (const item of items) if (isRemoved(item)) expect(heap.remove(item)).toBe(true)
        expect(drain(heap)).toEqual(items.filter((item) => !isRemoved(item)).toSorted((a, b) => a - b))
      }),
    )
  })

  it('lifts the item that fills a gap when it is smaller than what stands above the gap', () => {
    const heap = numbers()
    for (const item of [0, 3, 1, 4, 6, 5, 2]) heap.push(item)
    expect(heap.remove(4)).toBe(true)
    expect(drain(heap)).toEqual([0, 1, 2, 3, 5, 6])
  })

  it('removes nothing that it does not hold', () => {
    const heap = numbers()
    heap.push(1)
    expect([heap.remove(2), heap.size]).toEqual([false, 1])
  })
})
