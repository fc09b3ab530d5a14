import { describe, expect, it } from 'vitest'
import type { EndedRuns } from '../../store/views.ts'
import { runStats } from './run-stats.ts'

const succeeded: EndedRuns = { outcome: 'succeeded', isTimeout: false, runs: 6, totalMs: 600, lastAt: 50, lastMs: 90 }
const failed: EndedRuns = { outcome: 'failed', isTimeout: false, runs: 1, totalMs: 30, lastAt: 70, lastMs: 30 }
const timedOut: EndedRuns = { outcome: 'failed', isTimeout: true, runs: 2, totalMs: 2_000, lastAt: 60, lastMs: 1_000 }
const cancelled: EndedRuns = { outcome: 'cancelled', isTimeout: false, runs: 1, totalMs: 10, lastAt: 40, lastMs: 10 }

describe('the statistics of runs', () => {
  it('are zeros when nothing has ended, and no division by zero (B1)', () => {
    const none = {
      runs: 0,
      succeeded: 0,
      errors: 0,
      failed: 0,
      timedOut: 0,
      cancelled: 0,
      lastRunMs: undefined,
      totalRuntimeMs: 0,
      averageMs: 0,
      successRate: 0,
    }
    expect(runStats([])).toStrictEqual(none)
    expect(runStats([{ ...succeeded, runs: 0, totalMs: 0 }])).toStrictEqual(none)
  })

  it('count every end once, each in its own counter (B2, B3)', () => {
    expect(runStats([succeeded, failed, timedOut, cancelled])).toStrictEqual({
      runs: 10,
      succeeded: 6,
      errors: 3,
      failed: 1,
      timedOut: 2,
      cancelled: 1,
      lastRunMs: 30,
      totalRuntimeMs: 2_640,
      averageMs: 264,
      successRate: 60,
    })
  })

  it.each([
    [[succeeded], 100],
    [[failed], 0],
    [[cancelled], 0],
    [[succeeded, timedOut], 75],
  ])('have a success rate from 0 to 100: %j', (ended, rate) => {
    expect(runStats(ended).successRate).toBe(rate)
  })

  it('tell how long the run took that ended last, wherever it stands in the list', () => {
    expect(runStats([timedOut, failed, succeeded]).lastRunMs).toBe(30)
    expect(runStats([timedOut, succeeded]).lastRunMs).toBe(1_000)
    expect(runStats([{ ...failed, lastMs: 0 }]).lastRunMs).toBe(0)
  })
})
