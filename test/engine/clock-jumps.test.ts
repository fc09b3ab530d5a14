// A wall clock that jumps by an hour or a year, in either direction: nothing that waits for a time is lost, late or repeated.
import { describe, expect, it } from 'vitest'
import { worker, workflow, type RunHandle } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, JumpingClock, moving, noUnhandledRejections, onStage, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const yearMs = 365 * 24 * hourMs
const startMs = Date.UTC(2026, 2, 1)

const sleeper = workflow('sleeper', {}, async (ctx) => (await ctx.sleep('30m'), 'slept'))
const hasty = workflow('hasty', {}, async (ctx) => (await ctx.receive('go', { timeout: '30m' })) ?? 'in vain')
const flaky = worker('flaky', { retry: { attempts: 2, base: '30m', max: '30m', jitter: 0 } }, ({ attempt }) => {
  if (attempt === 1) throw new Error('once')
  return 'at last'
})
const late = worker('late', {}, () => 'late')
const nap = workflow('nap', {}, async (ctx) => (await ctx.sleep('4s'), 'rested'))

describe.each([
  ['an hour ahead', hourMs],
  ['an hour back', -hourMs],
  ['a year ahead', yearMs],
  ['a year back', -yearMs],
])('a clock that jumps %s', (_which, jumpMs) => {
  const isAhead = jumpMs > 0

  it('wakes what waits for half an hour: at once when that is over by its time, else after as long as it had to wait', async () => {
    const clock = new JumpingClock(startMs)
    const definitions = [sleeper, hasty, flaky, late]
    const { troupe, log } = await onStage({ clock, definitions, logLevel: 'error' })
    const handles = [
      await troupe.call(sleeper),
      await troupe.call(hasty),
      await troupe.call(flaky),
      await troupe.call(late, undefined, { delay: '30m' }),
    ]
    const waiting = ['parked', 'parked', 'scheduled', 'scheduled']
    await eventually(async () => String(await statesOf(handles)) === String(waiting))
    await clock.advance(10 * minuteMs)
    clock.aheadMs = jumpMs
    await clock.advance(isAhead ? 2_000 : 20 * minuteMs - 2_000)
    await turns()
    if (!isAhead) {
      expect(await statesOf(handles)).toEqual(waiting)
      // The time of the store goes on a hundredth slower until the clock has caught up.
      await clock.advance(20_000)
    }
    await eventually(async () => (await statesOf(handles)).every((state) => state === 'succeeded'))
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(['slept', 'in vain', 'at last', 'late'])
    expect(await Promise.all(handles.map(({ id }) => troupe.attempts(id)))).toMatchObject([
      [],
      [],
      [{ attempt: 1 }],
      [],
    ])
    expect(log.lines).toEqual([])
  })

  it('wakes what waits for seconds after as many seconds', async () => {
    const clock = new JumpingClock(startMs)
    const { troupe } = await onStage({ clock, definitions: [nap] })
    const handle = await troupe.call(nap)
    await clock.advance(1_000)
    clock.aheadMs = jumpMs
    await clock.advance(isAhead ? 0 : 2_900)
    if (!isAhead) expect(await statesOf([handle])).toEqual(['running'])
    await clock.advance(4_200)
    expect(await handle.result()).toBe('rested')
  })

  it('takes no run away from the only node there is', async () => {
    const clock = new JumpingClock(startMs)
    const gate = deferred<string>()
    let calls = 0
    let reason: unknown
    const job = worker('job', {}, ({ signal }) => {
      calls += 1
      signal.addEventListener('abort', () => (reason = signal.reason))
      return gate.promise
    })
    const { troupe, log } = await onStage({ store: storeFile(), clock, definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(() => calls === 1)
    await clock.advance(7_000)
    clock.aheadMs = jumpMs
    await clock.advance(minuteMs)
    gate.resolve('done')
    expect(await handle.result()).toBe('done')
    expect([calls, reason]).toEqual([1, undefined])
    expect(log.lines.filter(({ level }) => level !== 'debug')).toEqual([])
    expect(await troupe.health()).toMatchObject({ status: 'ok' })
  })

  it('leaves each run of two nodes one end, and lets nobody take what a live node runs when it goes back (I9)', async () => {
    const store = storeFile()
    const clock = new JumpingClock(startMs)
    const ends = [deferred<string>(), deferred<string>()]
    const lost: unknown[] = []
    let calls = 0
    const job = worker('job', {}, ({ signal }) => {
      signal.addEventListener('abort', () => lost.push(signal.reason))
      return ends[calls++]?.promise
    })
    const world = { leaseMs: 300 }
    const pools = { task: { min: 1, max: 1 } }
    const one = await onStage({ store, clock, definitions: [job], pools, world, durability: 'normal' })
    const handle = await one.troupe.call(job)
    await eventually(() => calls === 1)
    const two = await onStage({ store, clock, definitions: [job], pools, world, durability: 'normal', node: 'two' })
    await clock.advance(150)
    clock.aheadMs = jumpMs
    await clock.advance(400)
    await turns()
    // Whoever looks first after a jump ahead finds the other's lease over; what that one still does is in vain.
    if (calls === 2) expect(lost).toEqual([expect.objectContaining({ code: 'lease_lost' })])
    expect(calls).toBeLessThanOrEqual(isAhead ? 2 : 1)
    ends[0]?.resolve('by the first')
    ends[1]?.resolve('by the second')
    const end = calls === 2 ? 'by the second' : 'by the first'
    expect(await moving(clock, handle.result())).toBe(end)
    expect((await two.troupe.get(handle.id))?.output).toBe(end)
    // Both nodes are there and work.
    await clock.advance(400)
    expect((await one.troupe.nodes()).map(({ state }) => state)).toEqual(['serving', 'serving'])
  })

  it('starts one run for each tick, and goes on ticking', async () => {
    const clock = new JumpingClock(startMs)
    const ticks: number[] = []
    const report = worker('report', {}, (ctx) => void ticks.push(ctx.scheduledAt ?? 0))
    const { troupe } = await onStage({ clock, definitions: [report] })
    await troupe.schedule('often', { every: '10m' }, report)
    await clock.advance(10 * minuteMs)
    await eventually(() => ticks.length === 1)
    clock.aheadMs = jumpMs
    await clock.advance(2_000)
    await turns()
    const before = ticks.length
    await clock.advance(10.3 * minuteMs)
    await eventually(() => ticks.length === before + 1)
    expect(new Set(ticks).size).toBe(ticks.length)
    expect(ticks).toEqual(ticks.toSorted((left, right) => left - right))
  })
})

async function statesOf(handles: readonly RunHandle[]): Promise<string[]> {
  return Promise.all(handles.map(async (handle) => (await handle.status()).state))
}
