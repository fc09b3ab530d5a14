import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { Changes } from './changes.ts'

function listening(isAwaited = false) {
  const clock = new ManualClock()
  const seen: number[] = []
  const store = { count: 7, looks: 0, changeCount: () => (store.looks++, store.count) }
  const changes = new Changes(store, clock)
  const listener = { isAwaited, changed: () => void seen.push(clock.monotonic()) }
  changes.listen(listener)
  return { clock, seen, store, changes, listener }
}

it('tells the first look and then each change', async () => {
  const { clock, seen, store } = listening()
  await clock.advance(100)
  store.count = 8
  await clock.advance(100)
  expect(seen).toEqual([1, 107])
})

it('looks each millisecond while others write, and each 25 ms while they do not', async () => {
  const { clock, seen, store } = listening()
  for (let ms = 0; ms < 20; ms++) {
    store.count += 1
    await clock.advance(1)
  }
  expect(seen).toHaveLength(20)
  await clock.advance(1_000)
  const looks = store.looks
  await clock.advance(1_000)
  expect(store.looks - looks).toBe(40)
})

it('sees as changed what cannot be read', async () => {
  const { clock, seen, store } = listening()
  await clock.advance(100)
  store.count = Number.NaN
  await clock.advance(100)
  expect(seen.length).toBeGreaterThan(3)
})

it('has a timer only while somebody listens, and tells anew what may have gone before', async () => {
  const { clock, seen, store, changes, listener } = listening()
  await clock.advance(10)
  changes.forget(listener)
  expect(clock.armedTimers).toBe(0)
  store.count = 9
  await clock.advance(1_000)
  expect(seen).toEqual([1])
  changes.listen(listener)
  await clock.advance(1)
  expect(seen).toEqual([1, 1_011])
})
