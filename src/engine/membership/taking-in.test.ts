import { expect, it } from 'vitest'
import type { LeftStart } from '../../store/intake.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Deps } from '../deps.ts'
import { TakingIn } from './taking-in.ts'

/** What is left becomes runs of the same numbers. */
function takingIn() {
  const clock = new ManualClock()
  const seen = { looks: [] as number[], taken: [] as number[], told: [] as string[] }
  const left: LeftStart[] = []
  const intake = {
    list: async ({ after, limit }: { after: number; limit: number }) => {
      seen.looks.push(clock.monotonic())
      return left.filter(({ place }) => place > after).slice(0, limit)
    },
    takeIn: async (starts: readonly { place: number }[]) => {
      for (const { place } of starts) {
        const at = left.findIndex((one) => one.place === place)
        left.splice(at, 1)
        seen.taken.push(place)
      }
      return starts.map(({ place }) => `run ${place}`)
    },
  }
  const deps = { clock, store: { callers: { intake } } } as unknown as Deps
  const one = new TakingIn(deps, { taken: (ids) => seen.told.push(...ids) })
  const leave = (...places: number[]): void => void left.push(...places.map((place) => ({ place, plain: undefined })))
  return { clock, seen, one, leave }
}

it('looks each second on a node, and not at all elsewhere', async () => {
  const { clock, seen, one } = takingIn()
  one.soon()
  await clock.advance(5_000)
  expect(seen.looks).toEqual([])
  one.serve()
  await clock.advance(2_500)
  expect(seen.looks).toEqual([5_000, 6_000, 7_000])
  one.close()
  one.expect()
  await clock.advance(5_000)
  expect(seen.looks).toHaveLength(3)
})

it('looks often after a start was left from here, twice as long each time, and then as before', async () => {
  const { clock, seen, one } = takingIn()
  one.expect()
  await clock.advance(10_000)
  expect(seen.looks).toEqual([4, 8, 16, 32, 64, 128, 256, 512, 1_024])
  one.serve()
  await clock.advance(1_100)
  one.expect()
  await clock.advance(20)
  expect(seen.looks.slice(9)).toEqual([10_000, 11_000, 11_104, 11_108, 11_116])
})

it('looks soon while there is life in the store, however often it is told so', async () => {
  const { clock, seen, one } = takingIn()
  one.serve()
  await clock.advance(100)
  for (let ms = 0; ms < 200; ms++) {
    one.soon()
    await clock.advance(1)
  }
  expect(seen.looks).toEqual([0, 150, 200, 250, 300])
})

it('takes in all that is there, in order, and looks soon for more', async () => {
  const { clock, seen, one, leave } = takingIn()
  const places = Array.from({ length: 250 }, (_, n) => n + 1)
  leave(...places)
  one.serve()
  await clock.advance(5)
  expect([seen.taken, seen.told.length]).toEqual([places, 250])
  leave(251)
  await clock.advance(10)
  expect([seen.taken.at(-1), seen.looks.at(-1)]).toEqual([251, 10])
})

it('looks at once for who asks, one time for all who ask together', async () => {
  const { seen, one, leave } = takingIn()
  leave(1)
  await Promise.all([one.now(), one.now(), one.now()])
  expect([seen.taken, seen.looks]).toEqual([[1], [0]])
  leave(2)
  await one.now()
  expect(seen.taken).toEqual([1, 2])
})
