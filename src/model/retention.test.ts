import { expect, it } from 'vitest'
import { retentionOf } from './retention.ts'

it('means all outcomes by one time, and leaves the logs alone', () => {
  expect(retentionOf('1h')).toEqual({ succeeded: 3_600_000, failed: 3_600_000, cancelled: 3_600_000 })
  expect(retentionOf(5)).toEqual({ succeeded: 5, failed: 5, cancelled: 5 })
  expect(retentionOf('forever')).toEqual({ succeeded: null, failed: null, cancelled: null })
})

it('says nothing of what is not told', () => {
  expect(retentionOf({ failed: 'forever', logs: '1m' })).toEqual({ failed: null, logs: 60_000 })
  expect(retentionOf({})).toEqual({})
})
