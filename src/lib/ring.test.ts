import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ring } from './ring.ts'

describe('Ring', () => {
  it('gives items back in the order they came', () => {
    const ring = new Ring<number>()
    for (let item = 0; item < 9; item++) ring.push(item)
    expect(Array.from({ length: 10 }, () => ring.shift())).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, undefined])
  })

  it('behaves like an array under any mix of push, unshift, peek and shift', () => {
    const verb = fc.constantFrom('push' as const, 'unshift' as const, 'shift' as const)
    fc.assert(
      fc.property(fc.array(verb, { maxLength: 200 }), (verbs) => {
        const ring = new Ring<number>()
        const model: number[] = []
        for (const [index, verb] of verbs.entries()) {
          if (verb === 'shift') {
            expect(ring.peek()).toBe(model[0])
            for (const place of [-1, 0, 1, model.length - 1, model.length]) expect(ring.at(place)).toBe(model[place])
            expect(ring.shift()).toBe(model.shift())
          } else {
            ring[verb](index)
            model[verb](index)
          }
          expect(ring.size).toBe(model.length)
        }
      }),
    )
  })

  it('goes on after it grew large and emptied', () => {
    const ring = new Ring<number>()
    for (let item = 0; item < 5000; item++) ring.push(item)
    for (let item = 0; item < 5000; item++) expect(ring.shift()).toBe(item)
    ring.push(7)
    expect([ring.size, ring.shift(), ring.size]).toEqual([1, 7, 0])
  })
})
