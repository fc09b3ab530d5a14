import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RestartBudget } from './restart-budget.ts'
import type { RestartLimits } from './restart-budget.ts'

/** What a budget allows, the slow way: every restart so far, counted anew each time, in time without the waits. */
function naive({ max, withinMs, waitOf }: { max: number; withinMs: number; waitOf: (count: number) => number }) {
  const taken: { readonly atMs: number; readonly waitMs: number }[] = []
  return (nowMs: number): number | undefined => {
    const waitedBefore = (count: number): number => taken.slice(0, count).reduce((sum, { waitMs }) => sum + waitMs, 0)
    const aliveMs = nowMs - waitedBefore(taken.length)
    const recent = taken.filter(({ atMs }, index) => aliveMs - (atMs - waitedBefore(index)) < withinMs).length
    if (recent >= max) return undefined
    const waitMs = waitOf(recent + 1)
    taken.push({ atMs: nowMs, waitMs })
    return waitMs
  }
}

const doubling = (baseMs: number, maxMs: number) => (count: number) => Math.min(baseMs * 2 ** (count - 1), maxMs)

describe('a restart budget', () => {
  it('agrees with counting every restart anew, whenever the failures come', () => {
    const limits = fc.record({
      max: fc.integer({ min: 0, max: 6 }),
      withinMs: fc.integer({ min: 0, max: 500 }),
      baseMs: fc.constantFrom(0, 1, 10, 100),
      longestMs: fc.constantFrom(0, 50, 1000),
    })
    const lives = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(limits, lives, ({ max, withinMs, baseMs, longestMs }, livesMs) => {
        const budget = new RestartBudget({ max, within: withinMs, backoff: { base: baseMs, max: longestMs } })
        const model = naive({ max, withinMs, waitOf: doubling(baseMs, longestMs) })
        let nowMs = 0
        for (const lifeMs of livesMs) {
          nowMs += lifeMs
          const waitMs = budget.take(nowMs)
          expect(waitMs).toBe(model(nowMs))
          nowMs += waitMs ?? 0
        }
      }),
    )
  })

  it('is three restarts within five seconds, at once, when nothing is said', () => {
    const budget = new RestartBudget()
    expect([0, 1, 2, 3, 4999, 5000].map((nowMs) => budget.take(nowMs))).toEqual([0, 0, 0, undefined, undefined, 0])
  })

  it('is used up also by an actor that waits longer than the time that counts', () => {
    const budget = new RestartBudget({ max: 3, within: '1s', backoff: '10s' })
    const waits: (number | undefined)[] = []
    let nowMs = 0
    for (let life = 0; life < 4; life++) {
      const waitMs = budget.take((nowMs += 1))
      waits.push(waitMs)
      nowMs += waitMs ?? 0
    }
    expect(waits).toEqual([10_000, 20_000, 30_000, undefined])
  })

  it('begins with the shortest wait again after the time that counts', () => {
    const budget = new RestartBudget({ max: 3, within: '1s', backoff: 10 })
    expect([0, 10, 5000].map((nowMs) => budget.take(nowMs))).toEqual([10, 20, 10])
  })

  it('waits twice as long each time, up to 30 s unless told otherwise', () => {
    const waits = (backoff: NonNullable<RestartLimits['backoff']>) => {
      const budget = new RestartBudget({ max: 5, within: '1h', backoff })
      return [1, 2, 3, 4].map(() => budget.take(0))
    }
    expect(waits(0)).toEqual([0, 0, 0, 0])
    expect(waits('9s')).toEqual([9000, 18_000, 30_000, 30_000])
    expect(waits({ base: 5, max: 20 })).toEqual([5, 10, 20, 20])
  })

  it('refuses limits that mean nothing, saying what to give', () => {
    const refused: [RestartLimits, string][] = [
      [{ max: -1 }, 'The number of restarts (max) is -1: give a whole number of 0 or more.'],
      [{ max: 1.5 }, 'The number of restarts (max) is 1.5: give a whole number of 0 or more.'],
      [{ within: 'soon' }, '"soon" is not a duration'],
      [{ backoff: -5 }, '-5 is not a duration'],
    ]
    for (const [limits, message] of refused) {
      expect(() => new RestartBudget(limits)).toThrow(
        expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining(message) as string }),
      )
    }
  })
})
