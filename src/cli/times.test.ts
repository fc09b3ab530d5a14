import { describe, expect, it } from 'vitest'
import { age, relative, tookMs } from './times.ts'

describe('times', () => {
  it('tells ages in one unit', () => {
    const ages = [0, 999, 1_000, 59_999, 60_000, 3_600_000, 86_400_000 * 12]
    expect(ages.map((ms) => age(0, ms))).toEqual(['now', 'now', '1s', '59s', '1m', '1h', '12d'])
  })

  it('tells past and future', () => {
    expect(relative(0, 180_000)).toBe('3m ago')
    expect(relative(20_000, 0)).toBe('in 20s')
    expect(relative(5, 5)).toBe('now')
  })

  it('measures a finished run from its start, a running one up to now, and no other', () => {
    const run = { createdAt: 100, startedAt: undefined, finishedAt: undefined }
    expect(tookMs({ ...run, state: 'succeeded', startedAt: 150, finishedAt: 400 }, 999)).toBe(250)
    expect(tookMs({ ...run, state: 'cancelled', finishedAt: 400 }, 999)).toBe(300)
    expect(tookMs({ ...run, state: 'running' }, 999)).toBe(899)
    expect(tookMs({ ...run, state: 'ready' }, 999)).toBeUndefined()
  })
})
