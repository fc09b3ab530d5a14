import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inTurn, slotsForOldest } from './ageing.ts'

const runs = (...ids: number[]) => ids.map((runId) => ({ runId }))

describe('slotsForOldest', () => {
  it('is one in eight, however they are asked for', () => {
    expect([0, 7, 8, 9].map((want) => slotsForOldest(0, want))).toEqual([0, 0, 1, 1])
    expect([0, 6, 7, 8].map((taken) => slotsForOldest(taken, 1))).toEqual([0, 0, 1, 0])
    expect(slotsForOldest(5, 100)).toBe(13)
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
