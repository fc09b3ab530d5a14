import { expect, it } from 'vitest'
import { Rate } from './rate.ts'

it('measures over the last seconds, not over the whole run', () => {
  const rate = new Rate()
  rate.sample(0, 0)
  expect(rate.perSecond()).toBeUndefined()
  rate.sample(1_000, 100)
  expect(rate.perSecond()).toBe(100)
  for (let second = 2; second <= 10; second += 1) rate.sample(second * 1_000, 100 + (second - 1) * 10)
  expect(rate.perSecond()).toBe(10)
})

it('begins again when the work does', () => {
  const rate = new Rate()
  rate.sample(0, 0)
  rate.sample(1_000, 100)
  rate.sample(2_000, 0)
  expect(rate.perSecond()).toBeUndefined()
  rate.sample(3_000, 50)
  expect(rate.perSecond()).toBe(50)
})
