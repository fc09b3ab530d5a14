// A breaker in each of its states, on a clock that is moved by hand.
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { Breaker } from './breaker.ts'

function opened(): { readonly clock: ManualClock; readonly breaker: Breaker } {
  const clock = new ManualClock(1_000)
  const breaker = new Breaker('mail', clock)
  for (let n = 0; n < 5; n++) fail(breaker)
  return { clock, breaker }
}

function fail(breaker: Breaker): void {
  expect(breaker.enter()).toBe(true)
  breaker.failed()
}

function succeed(breaker: Breaker): void {
  expect(breaker.enter()).toBe(true)
  breaker.succeeded()
}

describe('a breaker', () => {
  it('is opened by five failures in a row, and by no fewer', () => {
    const breaker = new Breaker('mail', new ManualClock(1_000))
    for (let n = 0; n < 4; n++) fail(breaker)
    succeed(breaker)
    for (let n = 0; n < 4; n++) fail(breaker)
    expect(breaker.view()).toEqual({ name: 'mail', state: 'closed', failures: 4, openedAt: null, retryAt: null })
    fail(breaker)
    expect(breaker.view()).toEqual({ name: 'mail', state: 'open', failures: 5, openedAt: 1_000, retryAt: 31_000 })
    expect(breaker.enter()).toBe(false)
  })

  it('lets two be tried after 30 s, and is closed by two successes', async () => {
    const { clock, breaker } = opened()
    await clock.advance(29_999)
    expect([breaker.state, breaker.enter(), breaker.retryInMs]).toEqual(['open', false, 1])
    await clock.advance(1)
    expect(breaker.view()).toMatchObject({ state: 'half_open', failures: 5, openedAt: 1_000, retryAt: null })
    expect([breaker.enter(), breaker.enter(), breaker.enter()]).toEqual([true, true, false])
    breaker.succeeded()
    expect([breaker.state, breaker.enter()]).toEqual(['half_open', true])
    breaker.succeeded()
    expect(breaker.view()).toEqual({ name: 'mail', state: 'closed', failures: 0, openedAt: null, retryAt: null })
  })

  it('is opened again by one failure of those', async () => {
    const { clock, breaker } = opened()
    await clock.advance(30_000)
    succeed(breaker)
    fail(breaker)
    expect(breaker.view()).toMatchObject({ state: 'open', failures: 6, openedAt: 31_000, retryAt: 61_000 })
    await clock.advance(30_000)
    succeed(breaker)
    expect(breaker.state).toBe('half_open')
    succeed(breaker)
    expect(breaker.state).toBe('closed')
  })

  it('takes what began before it was opened for no sign of now', () => {
    const { breaker } = opened()
    breaker.succeeded()
    breaker.failed()
    expect(breaker.view()).toMatchObject({ state: 'open', failures: 5 })
  })

  it('tries others when those it tried say nothing', async () => {
    const { clock, breaker } = opened()
    await clock.advance(30_000)
    expect([breaker.enter(), breaker.enter(), breaker.enter()]).toEqual([true, true, false])
    await clock.advance(30_000)
    expect(breaker.enter()).toBe(true)
  })
})
