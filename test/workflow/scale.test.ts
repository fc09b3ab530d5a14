// Large runs: what one more step, item, message or wait costs does not grow with how many there were.
import { expect, it, onTestFinished } from 'vitest'
import { workflow, type Definition, type RunHandle } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { Waits } from '../../src/workflow/waits/waits.ts'
import { eventually, moving, onStage, turns, type Stage } from '../engine/stage.ts'

/** What went to and fro between an engine and its store. */
interface Traffic {
  commits: number
  /** Results that activations began with. */
  replayed: number
  /** Waits that were written by parks. */
  parked: number
  /** Messages that were read. */
  read: number
}

async function counted(definition: Definition): Promise<Stage & { readonly traffic: Traffic }> {
  const clock = new ManualClock(1_000)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  onTestFinished(() => store.close())
  const traffic: Traffic = { commits: 0, replayed: 0, parked: 0, read: 0 }
  const own: Partial<Store> = {
    close: async () => {},
    commit: async (batch) => {
      traffic.commits += 1
      for (const { waits } of batch.parks) traffic.parked += waits.length
      const committed = await store.commit(batch)
      for (const run of committed.claimed.flat()) traffic.replayed += run.steps.length
      return committed
    },
    listMessages: async (slice) => {
      const rows = await store.listMessages(slice)
      // Those of all names are read by the test.
      if (slice.name !== null) traffic.read += 1 + rows.length
      return rows
    },
  }
  const between = new Proxy(store, {
    get: (target, name) => {
      const value: unknown =
        (own as Readonly<Record<string | symbol, unknown>>)[name] ?? Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const stage = await onStage({ definitions: [definition], clock, world: { store: between } })
  return { ...stage, traffic }
}

/** The processor time that a piece of work takes, which other programs of the machine do not change much, in milliseconds. */
async function timeOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

const isParked = (handle: RunHandle): Promise<boolean> =>
  eventually(async () => (await handle.status()).state === 'parked')

it('a run that receives a message a time stays in memory once it has much to remember', async () => {
  const count = 1_500
  const receiver = workflow('receiver', {}, async (ctx) => {
    let sum = 0
    for (let n = 0; n < count; n++) sum += (await ctx.receive<number>('go')) ?? 0
    return sum
  })
  const { troupe, traffic } = await counted(receiver)
  const handle = await troupe.call(receiver)
  for (let n = 0; n < count; n++) {
    await handle.tell('go', 1)
    // It comes to rest after each.
    await eventually(async () => (await troupe.unread(handle.id)).length === 0)
    await turns(2)
  }
  expect(await handle.result()).toBe(count)
  // Parked each time it would begin with a million results in all.
  expect(traffic.replayed).toBeLessThan(40 * count)
  expect(traffic.read).toBeLessThan(20 * count)
})

it('a run that waits for a thousand things at once writes down and reads few of them for each that comes', async () => {
  const count = 1_000
  const keys = Array.from({ length: count }, (_, n) => `key ${n}`)
  const many = workflow('many', {}, (ctx) =>
    ctx.map('all', keys, (key, ctx) => ctx.receive('go', { key }), { key: (key) => key, concurrency: Infinity }),
  )
  const { troupe, traffic } = await counted(many)
  const handle = await troupe.call(many)
  await eventually(async () => (await handle.status()).state === 'running')
  await turns(50)
  for (const key of keys) {
    await handle.tell('go', key, { key })
    await eventually(async () => (await troupe.unread(handle.id)).length === 0)
    await turns(5)
  }
  expect(await handle.result()).toEqual(keys)
  expect(traffic.parked).toBeLessThan(5 * count)
  expect(traffic.read).toBeLessThan(20 * count)
})

it('a step costs the same after 8,000 others, and on resume', async () => {
  const count = 8_000
  const quarter = count / 4
  const times: number[] = []
  const long = workflow('long', {}, async (ctx) => {
    for (let from = 0; from < count; from += quarter)
      times.push(
        await timeOf(async () => {
          for (let n = from; n < from + quarter; n++) await ctx.step(`step ${n}`, () => n)
        }),
      )
    return ctx.receive('end')
  })
  const { troupe, clock, traffic } = await counted(long)
  const handle = await troupe.call(long)
  while (times.length < 4) await turns(50)
  await turns(20)
  await clock.advance(6_000)
  await isParked(handle)
  await handle.tell('end', 'over')
  expect(await moving(clock, handle.result())).toBe('over')
  const [, second = 0, , fourth = 0, , resumedSecond = 0, , resumedFourth = 0] = times
  expect(fourth / second).toBeLessThan(3)
  expect(resumedFourth / resumedSecond).toBeLessThan(4)
  expect(traffic.replayed).toBe(count)
})

it('an item of a map costs the same among 2,000 and among 20,000, and its map says how far it is', async () => {
  const mapped = workflow('mapped', {}, async (ctx, count: number) => {
    const items = Array.from({ length: count }, (_, n) => n)
    const options = { key: String, concurrency: 100, progress: true } as const
    return (await ctx.map('all', items, (n, ctx) => ctx.step('work', () => n), options)).length
  })
  const { troupe } = await counted(mapped)
  await troupe.run(mapped, 500)
  const few = await timeOf(() => troupe.run(mapped, 2_000))
  const handle = await troupe.call(mapped, 20_000)
  const many = await timeOf(() => handle.result())
  expect(many / few / 10).toBeLessThan(3)
  expect((await handle.status()).progress).toEqual({ done: 20_000, total: 20_000 })
}, 60_000)

it('the earliest of many waits is known without going through them', async () => {
  const cost = async (count: number): Promise<number> => {
    const clock = new ManualClock(0)
    const waits = new Waits(clock, () => clock.now(), [])
    const dueAt = (n: number): number => 1_000_000 + ((n * 7_919) % count)
    for (let n = 0; n < count; n++)
      waits.add({ path: String(n), kind: 'message', name: 'go', dueAt: dueAt(n) }, () => {})
    return timeOf(() => {
      for (let n = 0; n < count; n++) {
        expect(waits.earliest).toBeGreaterThan(0)
        waits.remove(String(n))
        if (waits.has('sleep')) throw new Error('there is none')
      }
    })
  }
  await cost(2_000)
  const few = await cost(2_000)
  expect((await cost(20_000)) / few / 10).toBeLessThan(5)
})

it('waits come in the order of their times, those of one time in the order in which they were asked for', async () => {
  const clock = new ManualClock(0)
  const waits = new Waits(clock, () => clock.now(), [])
  const rung: string[] = []
  const add = (path: string, dueAt: number | null): void =>
    waits.add({ path, kind: 'sleep', name: null, dueAt }, () => void rung.push(path))
  for (const [path, at] of [
    ['c', 30],
    ['a', 10],
    ['never', null],
    ['b', 20],
    ['a2', 10],
    ['gone', 5],
  ] as const)
    add(path, at)
  expect(waits.isWaiting('gone')).toBe(true)
  waits.remove('gone')
  expect(waits.isWaiting('gone')).toBe(false)
  expect(waits.earliest).toBe(10)
  await clock.advance(25)
  expect(rung).toEqual(['a', 'a2', 'b'])
  expect([waits.size, waits.earliest]).toEqual([2, 30])
  for (let n = 0; n < 500; n++) {
    add(`again ${n}/wait`, 40 + n)
    if (n % 5 !== 0) waits.remove(`again ${n}/wait`)
  }
  waits.removeWithin('again 0')
  await clock.advance(100)
  expect(rung.slice(3, 6)).toEqual(['c', 'again 5/wait', 'again 10/wait'])
})
