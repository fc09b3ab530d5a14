// The programs of the actor bench, in miniature: they do what they say they count.
import { describe, expect, it } from 'vitest'
import { waitsBesideHotActors } from '../bench/actors/hot-loop.ts'
import { ours } from '../bench/actors/ours.ts'
import { ring } from '../bench/actors/ring.ts'
import { check } from '../bench/actors/row.ts'
import { savina } from '../bench/actors/savina.ts'

const programs = [ring, ...ours, ...savina].filter(({ what }) => !what.startsWith('SkyNet'))

describe('a program of the bench', () => {
  it.each(programs.map((row) => [row.what, row] as const))('counts what it did: %s', async (_, { run }) => {
    await run(2000)
  })

  it('fails when the count is wrong', () => {
    expect(() => check(1999, 2000)).toThrow('counted 1999 of 2000')
  })
})

it('beside actors that never rest, timers and sockets are served', async () => {
  const { timer, echo, perSecond } = await waitsBesideHotActors(200)
  expect(perSecond).toBeGreaterThan(100_000)
  expect(timer.maxMs).toBeLessThan(200)
  expect(echo.maxMs).toBeLessThan(200)
})
