// A clock of a machine that is wrong: told once in the log, in health and in the list of nodes.
import { expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { intruder, onStage, storeFile, turns } from './stage.ts'

const beatMs = 5_000

/** A store whose server has another time than the machine. */
async function withClockAhead(clock: ManualClock, aheadMs: number, url = 'sqlite::memory:'): Promise<Store> {
  const store = await openStore(url, { clock, synchronous: 'normal' })
  store.clockAheadMs = () => aheadMs
  return store
}

it.each([
  { aheadMs: 4_200, told: '4.2s ahead of' },
  { aheadMs: -90_000, told: '1m 30s behind' },
])('warns once of a clock that is $told the server, and shows it', async ({ aheadMs, told }) => {
  const clock = new ManualClock(1_000)
  const { troupe, log } = await onStage({ clock, world: { store: await withClockAhead(clock, aheadMs) } })
  for (let beat = 0; beat < 3; beat++) await clock.advance(beatMs)
  await turns()
  const message = `The clock of this machine is ${told} the server of the store, whose time counts: set it by a time server (NTP).`
  expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([
    { level: 'warn', fields: { node: 1, aheadMs }, message },
  ])
  expect((await troupe.nodes()).map(({ clockAheadMs }) => clockAheadMs)).toEqual([aheadMs])
  expect(await troupe.health()).toMatchObject({ status: 'degraded', reasons: [message] })
})

it('says nothing of a second, and writes nothing for a tenth', async () => {
  const clock = new ManualClock(1_000)
  const store = await withClockAhead(clock, 1_000)
  const written: number[] = []
  const update = store.updateNodeClock.bind(store)
  store.updateNodeClock = (nodeId, aheadMs) => (written.push(aheadMs), update(nodeId, aheadMs))
  const { troupe, log } = await onStage({ clock, world: { store } })
  for (const aheadMs of [1_000, 1_000, 950, 901, 900, 30]) {
    store.clockAheadMs = () => aheadMs
    await clock.advance(beatMs)
    await turns()
  }
  expect(written).toEqual([1_000, 900, 30])
  expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([])
  expect(await troupe.health()).toMatchObject({ status: 'ok', reasons: [] })
})

it('tells it anew under another number, as after it was taken for dead', async () => {
  const url = storeFile()
  const clock = new ManualClock(1_000)
  const store = await withClockAhead(clock, 3_000, url)
  const double = worker('double', {}, (_ctx, n: number) => n * 2)
  const { troupe } = await onStage({ clock, definitions: [double], world: { store } })
  const other = await intruder(url)
  other.exec('delete from node')
  for (let beat = 0; beat < 3; beat++) await clock.advance(beatMs)
  await turns()
  expect((await troupe.nodes()).map(({ number, clockAheadMs }) => [number, clockAheadMs])).toEqual([[2, 3_000]])
})

it('needs no server on a file: all go by the clock of the machine', async () => {
  const clock = new ManualClock(1_000)
  const store = await openStore(storeFile(), { clock, synchronous: 'normal' })
  expect(store.clockAheadMs()).toBe(0)
  await store.close()
})
