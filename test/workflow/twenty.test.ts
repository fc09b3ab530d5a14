// Every workflow of the twenty, killed at every commit: it ends as it does without that, and has done the same.
import { describe, expect, it } from 'vitest'
import { crashEverywhere } from '../../src/testing/crash-everywhere.ts'
import { effects, twenty } from './twenty.ts'

// All points take minutes: `TROUPE_CRASH=full`.
const isFull = process.env['TROUPE_CRASH'] === 'full'
const points = isFull ? Number.MAX_SAFE_INTEGER : 8

describe('a crash at any commit changes nothing', () => {
  it.each(twenty.map((one) => [one.workflow.name, one] as const))(
    'of %s',
    { timeout: 300_000 },
    async (_name, { workflow, input, options, ends }) => {
      const run = { ...options, effects, points }
      const report = await crashEverywhere(workflow, input as never, run as never)
      if ('value' in ends) expect(report.outcome).toEqual({ kind: 'succeeded', value: ends.value })
      else
        expect(report.outcome).toMatchObject({ kind: 'failed', error: expect.stringContaining(ends.error) as string })
      expect(report.points.every(({ differences }) => differences.length === 0)).toBe(true)
    },
  )
})
