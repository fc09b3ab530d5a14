import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { deferred, type Deferred } from './deferred.ts'
import { Lookout } from './lookout.ts'

it('looks once at a time, and once more when it was asked to meanwhile, however often', async () => {
  const { lookout, looks, finish } = scene()
  lookout.look()
  expect(lookout.isLooking).toBe(true)
  for (let time = 0; time < 3; time++) lookout.look()
  expect(looks).toHaveLength(1)
  await finish()
  expect(looks).toHaveLength(2)
  await finish()
  await lookout.rested
  expect([looks.length, lookout.isLooking]).toEqual([2, false])
})

it('does not begin a second time when it is asked from within, before the first has gone anywhere', async () => {
  const { lookout, looks, from, finish } = scene()
  from.within = () => lookout.look()
  lookout.look()
  expect(looks).toHaveLength(1)
  from.within = () => {}
  await finish()
  expect(looks).toHaveLength(2)
  await finish()
  expect(lookout.isLooking).toBe(false)
})

it('looks again by itself so long after the last look, and no more once it has ended', async () => {
  const { lookout, looks, clock, finish } = scene()
  lookout.look()
  await clock.advance(900)
  await finish()
  await clock.advance(999)
  expect(looks).toHaveLength(1)
  await clock.advance(1)
  expect(looks).toHaveLength(2)
  await finish()
  lookout.end()
  await clock.advance(10_000)
  expect(looks).toHaveLength(2)
})

it('looks for nothing that is not needed, also when that is known only after it was asked', async () => {
  const { lookout, looks, clock, needed, finish } = scene()
  needed.is = false
  lookout.look()
  expect(lookout.isLooking).toBe(false)
  needed.is = true
  lookout.look()
  lookout.look()
  needed.is = false
  await finish()
  needed.is = true
  await clock.advance(10_000)
  expect([looks.length, lookout.isLooking]).toEqual([1, false])
})

it('tells when it rests', async () => {
  const { lookout, rests, finish } = scene()
  lookout.look()
  lookout.look()
  await finish()
  expect(rests).toEqual([])
  await finish()
  expect(rests).toEqual([false])
})

function scene() {
  const clock = new ManualClock(1_000)
  const looks: Deferred<void>[] = []
  const rests: boolean[] = []
  const needed = { is: true }
  const from = { within: () => {} }
  const lookout: Lookout = new Lookout({
    clock,
    isNeeded: () => needed.is,
    look: () => {
      looks.push(deferred<void>())
      from.within()
      return (looks.at(-1) as Deferred<void>).promise
    },
    backstopMs: 1_000,
    background: true,
    rested: () => void rests.push(lookout.isLooking),
  })
  /** The last look comes to its end. */
  const finish = async (): Promise<void> => {
    looks.at(-1)?.resolve()
    for (let turn = 0; turn < 3; turn++) await clock.advance(0)
  }
  return { clock, lookout, looks, rests, needed, from, finish }
}
