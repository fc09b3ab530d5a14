import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstSlotOf, inTurn, slotsForOldest } from './ageing.ts'

const runs = (...ids: number[]) => ids.map((runId) => ({ runId }))

describe('slotsForOldest', () => {
  it('is one in eight, however they are asked for', () => {
    expect([0, 7, 8, 9].map((want) => slotsForOldest(0, want))).toEqual([0, 0, 1, 1])
    expect([0, 6, 7, 8].map((taken) => slotsForOldest(taken, 1))).toEqual([0, 0, 1, 0])
    expect([0, 3, 5].map((taken) => slotsForOldest(taken, 60))).toEqual([7, 7, 8])
  })

  it('is 128 in a row of 1,024 for who fills many at once', () => {
    expect([0, 700, 800, 900, 1_000, 1_100].map((taken) => slotsForOldest(taken, 100))).toEqual([0, 0, 4, 100, 24, 0])
    expect(slotsForOldest(5, 10_240)).toBe(1_280)
  })

  it('is some of the next 1,024 slots, however many are filled at once', () => {
    const wants = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 400 })))
    fc.assert(
      fc.property(fc.nat({ max: 9_999 }), wants, (first, stream) => {
        let [taken, oldest] = [first, 0]
        for (const want of stream) {
          oldest += slotsForOldest(taken, want)
          taken += want
          if (taken >= first + 1_024) break
        }
        expect(oldest).toBeGreaterThan(0)
      }),
    )
  })
})

describe('firstSlotOf', () => {
  it('gives the oldest the first claim of one node in eight, for small claims and for large', () => {
    const nodes = Array.from({ length: 80 }, (_, n) => n + 1)
    for (const want of [1, 100]) {
      const turns = nodes.map((nodeId) => slotsForOldest(firstSlotOf(nodeId), want) > 0)
      for (let from = 0; from <= 72; from += 1) expect(turns.slice(from, from + 8)).toContain(true)
    }
  })
})

describe('inTurn', () => {
  it('gives each eighth slot to the oldest of all, the others to the most urgent', () => {
    const urgent = runs(21, 22, 23, 24, 25, 26, 27, 28, 29)
    const chosen = inTurn(urgent, runs(3, 4), 0).map(({ runId }) => runId)
    expect(chosen).toEqual([21, 22, 23, 24, 25, 26, 27, 3, 28])
  })

  it('gives it to an urgent run that is older than the others', () => {
    expect(inTurn(runs(9, 8, 1), runs(3), 6)).toEqual(runs(9, 1, 8))
    expect(inTurn(runs(9, 8, 1), runs(3), 7)).toEqual(runs(1, 9, 8))
  })

  it('fills as many slots as there are urgent runs, each with another run', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 40 })
    fc.assert(
      fc.property(ids, fc.nat({ max: 20 }), fc.nat({ max: 40 }), (all, taken, cut) => {
        const older = all.slice(cut).toSorted((left, right) => left - right)
        const chosen = inTurn(runs(...all.slice(0, cut)), runs(...older), taken)
        expect(chosen).toHaveLength(Math.min(cut, all.length))
        expect(new Set(chosen).size).toBe(chosen.length)
      }),
    )
  })
})
