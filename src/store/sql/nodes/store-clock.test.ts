import { expect, it } from 'vitest'
import type { Clock } from '../../../lib/clock.ts'
import { StoreClock } from './store-clock.ts'

const hour = 3_600_000

/** A wall clock that someone sets, and a steady one beside it. */
function clocks(): Clock & { wall: number; steady: number } {
  return {
    wall: 1_000,
    steady: 50,
    now() {
      return this.wall
    },
    monotonic() {
      return this.steady
    },
    after: () => ({ cancel: () => {} }),
    soon: () => {},
  }
}

it('is the wall clock, whatever the steady one says', () => {
  const clock = clocks()
  const time = new StoreClock(clock, 0)
  expect(time.now()).toBe(1_000)
  clock.steady += 5_000
  clock.wall += 10
  expect(time.now()).toBe(1_010)
})

it('goes on after the wall clock jumped ahead and back, and meets it again', () => {
  const clock = clocks()
  const time = new StoreClock(clock, 0)
  clock.wall += hour
  const ahead = time.now()
  clock.wall -= hour
  expect(time.now()).toBe(ahead)
  const told: number[] = []
  for (const elapsedMs of [200, 9_800, 90_000]) {
    clock.wall += elapsedMs
    clock.steady += elapsedMs
    told.push(time.now() - ahead)
  }
  expect(told).toEqual([198, 9_900, 99_000])
  clock.wall += 100 * hour
  clock.steady += 100 * hour
  expect(time.now()).toBe(clock.wall)
})

it('tells whole milliseconds, also between those of the steady clock', () => {
  const clock = clocks()
  const time = new StoreClock(clock, 5_000)
  time.now()
  clock.steady += 10.7
  expect(time.now()).toBe(5_010)
})

it('follows one that is ahead, goes on from there, and does not follow one that is behind', () => {
  const clock = clocks()
  const time = new StoreClock(clock, 2_000)
  expect(time.now()).toBe(2_000)
  time.moveTo(9_000)
  expect(time.now()).toBe(9_000)
  time.moveTo(8_000)
  clock.steady += 1_000
  expect(time.now()).toBe(9_990)
})
