import { expect, it } from 'vitest'
import { instantOf } from './instant.ts'

it('reads a date and time, and knows what is none', () => {
  expect(instantOf('1970-01-01T00:00:01Z')).toBe(1_000)
  expect(instantOf('soon')).toBeUndefined()
})
