// Waiting: short in memory, long parked, and nothing of the user's code runs when a run is set aside.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

describe('a short sleep', () => {
  it('stays in memory, keeps the closure, and ends on time', async () => {
    let performed = 0
    const flow = workflow('flow', {}, async (ctx) => {
      performed += 1
      const closure = { kept: 'yes' }
      await ctx.sleep('5s')
      return closure.kept
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await clock.advance(4_999)
    expect((await handle.status()).state).toBe('running')
    await clock.advance(1)
    expect(await handle.result()).toBe('yes')
    expect(performed).toBe(1)
    expect(await troupe.steps(handle.id)).toMatchObject([
      { path: 'sleep', kind: 'sleep', startedAt: 1_000, finishedAt: 6_000 },
    ])
  })

  it('is not slept again on resume', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    let performed = 0
    const flow = workflow('flow', {}, async (ctx) => {
      performed += 1
      await ctx.sleep('4s')
      if (performed === 1) await deferred<void>().promise
      return clock.now()
    })
    const one = await onStage({ store, clock, definitions: [flow] })
    const { id } = await one.troupe.call(flow)
    await clock.advance(4_000)
    await one.stop()
    const stoppedAt = clock.now()
    const two = await onStage({ store, clock, definitions: [flow] })
    expect(await (await two.troupe.handle(id)).result()).toBe(stoppedAt)
  })

  it('ends at its first time when the engine is stopped in the middle', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.sleep('4s')
      return clock.now()
    })
    const one = await onStage({ store, clock, definitions: [flow] })
    const { id } = await one.troupe.call(flow)
    await clock.advance(3_000)
    await one.stop()
    const two = await onStage({ store, clock, definitions: [flow] })
    expect(await moving(clock, (await two.troupe.handle(id)).result())).toBeLessThanOrEqual(5_300)
  })

  it('beside steps keeps its first time through a stop, and the steps go on at once', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const gate = deferred<void>()
    const at: Record<string, number> = {}
    const flow = workflow('flow', {}, async (ctx) => {
      const rest = async (): Promise<void> => {
        await ctx.sleep('30s')
        await ctx.step('rested', () => (at['rested'] = clock.now()))
      }
      const work = async (): Promise<void> => {
        await ctx.step('first', () => gate.promise)
        await ctx.step('second', () => (at['second'] = clock.now()))
      }
      await Promise.all([rest(), work()])
    })
    const one = await onStage({ store, clock, definitions: [flow] })
    const { id } = await one.troupe.call(flow)
    await clock.advance(10_000)
    const stopped = one.troupe.stop({ within: '1m' })
    gate.resolve()
    await moving(clock, stopped)
    const reopenedAt = clock.now()
    const two = await onStage({ store, clock, definitions: [flow] })
    await eventually(() => at['second'])
    expect(at['second']).toBe(reopenedAt)
    const result = (await two.troupe.handle(id)).result()
    await clock.advance(31_000 - clock.now())
    await eventually(async () => (await clock.advance(0), at['rested']))
    await result
    expect(at['rested']).toBe(31_000)
  })

  it('may be of a part of a millisecond, and of a time that never comes', async () => {
    const flow = workflow('flow', {}, async (ctx, ms: number) => {
      await ctx.sleep(ms)
      return 'woken'
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    expect(await moving(clock, troupe.run(flow, 1.5))).toBe('woken')
    expect(await moving(clock, troupe.run(flow, 6_000.25))).toBe('woken')
    const never = await troupe.call(flow, 1e300)
    await eventually(async () => (await never.status()).state === 'parked')
    expect((await never.status()).dueAt).toBe(8_640_000_000_000_000)
  })
})

describe('a long sleep', () => {
  it('parks the run, gives the actor back, and wakes on time', async () => {
    const clock = new ManualClock(1_000)
    const flow = workflow('flow', {}, async (ctx, name: string) => {
      const at = await ctx.step('before', () => clock.now())
      if (name === 'sleeper') await ctx.sleep('30d')
      return [name, at, clock.now()]
    })
    const { troupe } = await onStage({
      clock,
      definitions: [flow],
      pools: { workflow: { min: 1, max: 1 } },
      world: { leaseMs: 2e9 },
    })
    const sleeper = await troupe.call(flow, 'sleeper')
    await eventually(async () => (await sleeper.status()).state === 'parked')
    const month = 30 * 86_400_000
    expect((await sleeper.status()).dueAt).toBe(1_000 + month)
    // The only workflow actor is free again.
    expect(await troupe.run(flow, 'other')).toEqual(['other', 1_000, 1_000])
    clockJump(clock, month - 1)
    await turns()
    expect((await sleeper.status()).state).toBe('parked')
    await clock.advance(1_001)
    const [name, before, after] = (await sleeper.result()) as [string, number, number]
    expect([name, before]).toEqual(['sleeper', 1_000])
    expect(after - month - 1_000).toBeLessThanOrEqual(1_000)
    expect(after - month - 1_000).toBeGreaterThanOrEqual(0)
  })

  it('wakes on time to the millisecond on the node where it parked', async () => {
    const clock = new ManualClock(1_000)
    const flow = workflow('flow', {}, async (ctx) => (await ctx.sleep(7_777), clock.now()))
    const { troupe } = await onStage({ clock, definitions: [flow] })
    const result = troupe.run(flow)
    await clock.advance(8_000)
    expect(await result).toBe(8_777)
  })

  it('runs no finally and no catch when the run parks', async () => {
    const ran: string[] = []
    const flow = workflow('flow', {}, async (ctx) => {
      try {
        await ctx.step('s', () => 1)
        await ctx.sleep('1h')
        ran.push('woken')
      } catch {
        ran.push('catch')
      } finally {
        ran.push('finally')
      }
    })
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    await turns()
    expect(ran).toEqual([])
    expect(await handle.cancel()).toBe(true)
    await turns()
    expect(ran).toEqual([])
  })

  it('leaves nothing of the closure in memory', async () => {
    const weak: WeakRef<object>[] = []
    const flow = workflow('flow', {}, async (ctx) => {
      const large = { bytes: new Uint8Array(1_000) }
      weak.push(new WeakRef(large))
      await ctx.step('s', () => large.bytes.length)
      ctx.signal.addEventListener('abort', () => large.bytes.fill(0))
      await ctx.sleep('1h')
      return large.bytes.length
    })
    const { troupe } = await onStage({ definitions: [flow] })
    for (let run = 0; run < 20; run++) await troupe.call(flow)
    await eventually(async () => (await troupe.runs({ state: 'parked' })).length === 20)
    for (let turn = 0; turn < 10; turn++) {
      await turns()
      collectGarbage()
    }
    expect(weak.filter((ref) => ref.deref() !== undefined)).toHaveLength(0)
  })

  it('ends on another node, at the time it was first asked for', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const flow = workflow('flow', {}, async (ctx) => (await ctx.sleep('1m'), clock.now()))
    const one = await onStage({ store, clock, definitions: [flow] })
    const { id } = await one.troupe.call(flow)
    await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
    await one.stop()
    await clock.advance(20_000)
    const two = await onStage({ store, clock, definitions: [flow], node: 'two' })
    const result = (await two.troupe.handle(id)).result()
    await clock.advance(60_000)
    expect(await result).toBe(61_000)
  })

  it('that was due while nobody ran ends when somebody does', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const flow = workflow('flow', {}, async (ctx) => (await ctx.sleep('1m'), 'woken'))
    const one = await onStage({ store, clock, definitions: [flow] })
    const { id } = await one.troupe.call(flow)
    await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
    await one.stop()
    await clock.advance(600_000)
    const two = await onStage({ store, clock, definitions: [flow] })
    expect(await moving(clock, (await two.troupe.handle(id)).result())).toBe('woken')
    expect(clock.now()).toBeLessThan(602_000)
  })
})

describe('several waits', () => {
  it('at one time are told apart, and end in order', async () => {
    const ended: string[] = []
    const flow = workflow('flow', {}, async (ctx) => {
      await Promise.all([
        ctx.sleep(30).then(() => ended.push('thirty')),
        ctx.sleep(10).then(() => ended.push('ten')),
        ctx.sleep(20).then(() => ended.push('twenty')),
      ])
      return ended
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await clock.advance(30)
    expect(await handle.result()).toEqual(['ten', 'twenty', 'thirty'])
    expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual(['sleep#2', 'sleep#3', 'sleep'])
  })

  it('of a parked run keep their own times', async () => {
    const clock = new ManualClock(1_000)
    const flow = workflow('flow', {}, async (ctx) => {
      const at: number[] = []
      await Promise.all(
        [10_000, 20_000, 40_000].map(async (time) => {
          await ctx.sleep(time)
          at.push(await ctx.step(`at ${time}`, () => clock.now() - 1_000))
        }),
      )
      return at
    })
    const { troupe } = await onStage({ clock, definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    await clock.advance(15_000)
    expect((await handle.status()).state).toBe('parked')
    await clock.advance(30_000)
    expect(await handle.result()).toEqual([10_000, 20_000, 40_000])
  })

  it('race as timers do', async () => {
    const flow = workflow('flow', {}, (ctx) =>
      Promise.race([
        ctx.sleep('1h').then(() => 'timeout'),
        ctx.step('work', () => 'work'),
        ctx.sleep('2h').then(() => 'late'),
      ]),
    )
    const { troupe } = await onStage({ definitions: [flow] })
    expect(await troupe.run(flow)).toBe('work')
  })

  it('do not park a run while a step executes', async () => {
    const gate = deferred<string>()
    const flow = workflow('flow', {}, (ctx) => Promise.race([ctx.sleep('1h'), ctx.step('work', () => gate.promise)]))
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await turns()
    expect((await handle.status()).state).toBe('running')
    gate.resolve('done')
    expect(await handle.result()).toBe('done')
  })
})

describe('sleepUntil', () => {
  it('takes a date or milliseconds, also past ones', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.sleepUntil(new Date(1_500))
      await ctx.sleepUntil(1_800)
      await ctx.sleepUntil(3)
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await clock.advance(801)
    await handle.result()
    expect((await troupe.steps(handle.id)).map(({ finishedAt }) => finishedAt)).toEqual([1_500, 1_800, 1_800])
  })

  it('refuses what is no time', async () => {
    const flow = workflow('flow', {}, (ctx) => ctx.sleepUntil(new Date('never')))
    const odd = workflow('odd', {}, (ctx) => ctx.sleep('a while'))
    const { troupe } = await onStage({ definitions: [flow, odd] })
    expect(await rejection(troupe.run(flow))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(troupe.run(odd))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('"a while" is not a duration'),
    })
  })
})

/** Moves a clock on without firing what waits in between, as a machine that was asleep does. */
function clockJump(clock: ManualClock, ms: number): void {
  const now = clock.now.bind(clock)
  clock.now = () => now() + ms
}
