// What is known of the time of a server from its answers: no answer that took long, or was read late, moves it further than it proves.
import { expect, it } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { ServerClock } from './server-clock.ts'

it.each([
  { what: 'is ahead by what the answer proves at least', answers: [[1_000, -5, 5]], aheadMs: 995 },
  { what: 'is behind by no less than the answer allows', answers: [[-1_000, -5, 5]], aheadMs: -1_005 },
  {
    what: 'is known better with each answer that comes sooner',
    answers: [
      [1_000, -500, 500],
      [1_000, -5, 5],
      [1_000, -50, 1],
    ],
    aheadMs: 999,
  },
  {
    what: 'is not behind because an answer was read late',
    answers: [
      [1_000, -5, 5],
      [1_000, -5, 9_000],
    ],
    aheadMs: 995,
  },
  {
    what: 'is not ahead because it was asked long ago',
    answers: [
      [1_000, -5, 5],
      [1_000, -9_000, 6],
    ],
    aheadMs: 995,
  },
  {
    what: 'is followed when its clock is put back, or this one forward',
    answers: [
      [1_000, -5, 5],
      [0, -5, 5],
    ],
    aheadMs: -5,
  },
  {
    what: 'is followed when its clock is put forward, or this one back',
    answers: [
      [0, -5, 5],
      [1_000, -5, 5],
    ],
    aheadMs: 995,
  },
  { what: 'is not known where this clock went back meanwhile', answers: [[1_000, 5, -5]], aheadMs: 0 },
])('the server $what', ({ answers, aheadMs }) => {
  const clock = new ServerClock(systemClock)
  for (const [serverNow = 0, askedAt = 0, answeredAt = 0] of answers) clock.heard({ serverNow, askedAt, answeredAt })
  expect(clock.aheadMs).toBe(aheadMs)
})

it('has the time of a test in one', () => {
  const manual = new ManualClock(1_000)
  const clock = new ServerClock(manual)
  clock.heard({ serverNow: 50_000, askedAt: 1_000, answeredAt: 1_000 })
  expect([clock.now(), clock.aheadMs]).toEqual([1_000, 0])
})
