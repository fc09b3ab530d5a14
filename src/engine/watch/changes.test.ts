import { expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Changes } from './changes.ts'

function listening(isAwaited = false) {
  const clock = new ManualClock()
  const seen: number[] = []
  const store = {
    count: 7,
    looks: 0,
    tell: undefined as (() => void) | undefined,
    canTell: false,
    quietMs: 25,
    changeCount: () => (store.looks++, store.count),
    whenWritten: (written: () => void, quietMs: number) => {
      if (!store.canTell || quietMs < store.quietMs) return undefined
      store.tell = written
      return () => (store.tell = undefined)
    },
  }
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

it('asks the store to tell once others do not write, and looks twice a second then', async () => {
  const { clock, seen, store } = listening()
  store.canTell = true
  await clock.advance(1_000)
  const looks = store.looks
  await clock.advance(10_000)
  expect(store.looks - looks).toBe(20)
  store.count = 8
  store.tell?.()
  expect(store.tell).toBe(undefined)
  expect(seen).toEqual([1, 11_000])
})

it('hears at once of a store that tells of each write', async () => {
  const { clock, seen, store } = listening()
  Object.assign(store, { canTell: true, quietMs: 0 })
  await clock.advance(100)
  for (let write = 0; write < 3; write++) {
    store.count += 1
    store.tell?.()
    await clock.advance(10)
  }
  expect(seen).toEqual([1, 100, 110, 120])
})

it('goes on to look when it is told before the change can be read', async () => {
  const { clock, seen, store } = listening()
  store.canTell = true
  await clock.advance(1_000)
  store.tell?.()
  await clock.advance(20)
  store.count = 8
  await clock.advance(20)
  expect(seen).toEqual([1, 1_031])
})

it('looks at once after it has asked the store to tell, for what was written just before', async () => {
  const { clock, seen, store } = listening()
  store.canTell = true
  await clock.advance(1)
  while (store.tell === undefined) await clock.advance(1)
  store.count = 8
  const askedAt = clock.monotonic()
  await clock.advance(25)
  expect(seen).toEqual([1, askedAt + 25])
})

it('has the store tell nothing when nobody listens any more', async () => {
  const { clock, store, changes, listener } = listening()
  store.canTell = true
  await clock.advance(1_000)
  expect(store.tell).toBeTypeOf('function')
  changes.forget(listener)
  expect(store.tell).toBe(undefined)
})
