import { describe, expect, it } from 'vitest'
import { schedule } from '../../src/engine/schedule/schedule.ts'
import type { Troupe } from '../../src/index.ts'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { limiter } from '../../src/worker/limiter.ts'
import { worker } from '../../src/worker/worker.ts'
import { workflow } from '../../src/workflow/workflow.ts'
import {
  eventually,
  JumpingClock,
  noUnhandledRejections,
  onStage,
  rejection,
  storeFile,
  turns,
  type StageOptions,
} from './stage.ts'

noUnhandledRejections()

const minuteMs = 60_000
const hourMs = 3_600_000
const dayMs = 86_400_000
const startMs = Date.UTC(2026, 2, 1)

class RestlessClock extends JumpingClock {
  /** Jumps, and lets a second pass, in which everybody looks again. */
  async jump(ms: number): Promise<void> {
    this.aheadMs += ms
    await this.advance(1_000)
    await turns()
  }
}

async function stage(options: StageOptions = {}) {
  const clock = new RestlessClock(startMs)
  return { ...(await onStage({ ...options, clock })), clock }
}

/** A worker that tells for which ticks it was started, counted in minutes from the start. */
function ticker(name = 'report') {
  const ticks: number[] = []
  const report = worker(name, {}, (ctx) => {
    ticks.push(((ctx.scheduledAt ?? Number.NaN) - startMs) / minuteMs)
  })
  return { ticks, report }
}

/** A worker whose runs end when told. */
function stalling() {
  const runs: { tick: number; end: Deferred<void> }[] = []
  const slow = worker('slow', {}, async (ctx) => {
    const end = deferred<void>()
    ctx.signal.addEventListener('abort', () => end.resolve())
    runs.push({ tick: ((ctx.scheduledAt ?? 0) - startMs) / minuteMs, end })
    await end.promise
  })
  return { runs, slow }
}

async function statesOf(troupe: Troupe): Promise<(readonly [number, string])[]> {
  const runs = await troupe.runs({ limit: 1_000 })
  return runs
    .map(({ scheduledAt = 0, state }) => [(scheduledAt - startMs) / minuteMs, state] as const)
    .toSorted(([left], [right]) => left - right)
}

describe('a schedule', () => {
  it('starts a run for every tick of an interval, and tells it which', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    const status = await troupe.schedule('often', { every: '1m' }, report)
    expect(status).toMatchObject({ name: 'often', definition: 'report', nextAt: startMs + minuteMs, isPaused: false })
    await clock.advance(3 * minuteMs)
    await eventually(() => ticks.length === 3)
    expect(ticks).toEqual([1, 2, 3])
    expect(await troupe.schedules()).toMatchObject([
      { name: 'often', nextAt: startMs + 4 * minuteMs, lastTickAt: startMs + 3 * minuteMs, declaredBy: undefined },
    ])
    const [latest] = await troupe.runs({ limit: 1 })
    expect(latest).toMatchObject({ schedule: 'often', scheduledAt: startMs + 3 * minuteMs, name: 'report' })
  })

  it('starts at the tick, not at the next look at the clock', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('odd', { every: minuteMs, from: startMs + 10_300 }, report)
    await clock.advance(10_299)
    await turns()
    expect(ticks).toEqual([])
    await clock.advance(1)
    await eventually(() => ticks.length === 1)
  })

  it('starts runs by a cron expression in a time zone', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('nightly', { cron: '30 2 * * *', zone: 'America/New_York' }, report)
    await clock.jump(7.5 * hourMs - 1_001)
    expect(ticks).toEqual([])
    await clock.jump(0)
    await eventually(() => ticks.length === 1)
    expect(ticks).toEqual([7.5 * 60])
  })

  it('starts one run at a time that was named, and then none', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('once', { at: startMs + hourMs }, report)
    await clock.jump(hourMs)
    await clock.jump(dayMs)
    expect(ticks).toEqual([60])
    expect(await troupe.schedules()).toMatchObject([{ name: 'once', nextAt: undefined }])
  })

  it('starts workflows too, which see the tick, with the input and the options of the definition', async () => {
    const flow = workflow('flow', { tags: ['by-time'], priority: 7 }, async (ctx, input: { n: number }) => [
      input.n,
      ctx.scheduledAt,
    ])
    const { troupe, clock } = await stage({ definitions: [flow] })
    await troupe.schedule('flows', { every: '1m' }, flow, { n: 3 })
    await clock.advance(minuteMs)
    const run = await eventually(async () => (await troupe.runs({ state: 'succeeded' }))[0])
    expect(run).toMatchObject({ output: [3, startMs + minuteMs], tags: ['by-time'], input: { n: 3 } })
  })

  it('fires no more once it is unscheduled', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('often', { every: '1m' }, report)
    expect([await troupe.unschedule('often'), await troupe.unschedule('often')]).toEqual([true, false])
    await clock.advance(2 * minuteMs)
    expect([ticks, await troupe.schedules()]).toEqual([[], []])
  })

  it('is fired by another process than made it, which need not know what it starts', async () => {
    const store = storeFile()
    const { ticks, report } = ticker()
    const other = ticker('other').report
    const client = await stage({ store, definitions: [report], starts: false })
    await client.troupe.schedule('often', { every: '1m' }, report)
    const { troupe, clock } = await stage({ store, definitions: [other] })
    await clock.jump(minuteMs)
    expect(await troupe.runs()).toMatchObject([{ name: 'report', state: 'ready', scheduledAt: startMs + minuteMs }])
    await troupe.register(report)
    await eventually(() => ticks.length === 1)
  })
})

describe('a clock that jumps', () => {
  it('I14: forward by a year brings a hundred ticks at most', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock, log } = await stage({ definitions: [report] })
    await troupe.schedule('often', { every: '1m', overlap: 'allow', catchUp: '3d' }, report)
    await troupe.schedule('crond', { cron: '* * * * *', overlap: 'allow', catchUp: '3d' }, report)
    await clock.jump(365 * dayMs)
    await eventually(() => ticks.length === 200)
    const late = 365 * 24 * 60
    const expected = Array.from({ length: 100 }, (_, n) => late - 99 + n)
    expect(ticks.toSorted((a, b) => a - b)).toEqual(expected.flatMap((tick) => [tick, tick]))
    expect(log.lines.filter(({ message }) => message.includes('were left out')).length).toBe(2)
  })

  it('I14: forward by more than the catch-up window leaves out what is older', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('hourly', { every: '1h', overlap: 'allow', catchUp: '150m' }, report)
    await troupe.schedule('once', { at: startMs + hourMs }, report)
    await clock.jump(30 * hourMs)
    expect(ticks).toEqual([28, 29, 30].map((hour) => hour * 60))
    expect((await troupe.schedules()).map(({ nextAt }) => nextAt)).toEqual([startMs + 31 * hourMs, undefined])
  })

  it('I14: backward fires nothing twice', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('often', { every: '1m' }, report)
    await clock.jump(2 * minuteMs)
    await clock.jump(-5 * minuteMs)
    for (let minute = 0; minute < 6; minute++) await clock.jump(minuteMs)
    expect(new Set(ticks).size).toBe(ticks.length)
    expect(ticks.slice(0, 1)).toEqual([2])
  })

  it('a process that was away catches up on its return', async () => {
    const store = storeFile()
    const { ticks, report } = ticker()
    const first = await stage({ store, definitions: [report] })
    await first.troupe.schedule('hourly', { every: '1h', overlap: 'allow' }, report)
    await first.stop()
    const clock = new RestlessClock(startMs + 3.5 * hourMs)
    await onStage({ store, definitions: [report], clock })
    await eventually(() => ticks.length === 3)
    expect(ticks).toEqual([60, 120, 180])
  })
})

describe('while a run is unfinished', () => {
  it('skip starts none, and goes on after its end; of missed ticks it takes the latest', async () => {
    const { runs, slow } = stalling()
    const { troupe, clock } = await stage({ definitions: [slow] })
    await troupe.schedule('often', { every: '1m' }, slow)
    await clock.jump(5 * minuteMs)
    await clock.jump(3 * minuteMs)
    expect(runs.map(({ tick }) => tick)).toEqual([5])
    runs[0]?.end.resolve()
    await eventually(async () => (await troupe.runs({ state: 'succeeded' })).length === 1)
    await clock.jump(minuteMs)
    expect(runs.map(({ tick }) => tick)).toEqual([5, 9])
    expect(await troupe.schedules()).toMatchObject([{ skipped: 7 }])
  })

  it('buffer-one lets one wait, which starts at once when the other has ended', async () => {
    const { runs, slow } = stalling()
    const { troupe, clock } = await stage({ definitions: [slow] })
    await troupe.schedule('often', { every: '1m', overlap: 'buffer-one' }, slow)
    for (let minute = 0; minute < 4; minute++) await clock.jump(minuteMs)
    expect(await statesOf(troupe)).toEqual([
      [1, 'running'],
      [2, 'scheduled'],
    ])
    runs[0]?.end.resolve()
    await eventually(() => runs.length === 2)
    expect(runs.map(({ tick }) => tick)).toEqual([1, 2])
  })

  it('buffer-all lets all wait, and one go after the other', async () => {
    const { runs, slow } = stalling()
    const { troupe, clock } = await stage({ definitions: [slow] })
    await troupe.schedule('often', { every: '1m', overlap: 'buffer-all' }, slow)
    await clock.jump(4 * minuteMs)
    for (const place of [0, 1, 2, 3]) {
      await eventually(() => runs.length === place + 1)
      await turns()
      expect(runs.map(({ tick }) => tick)).toEqual([1, 2, 3, 4].slice(0, place + 1))
      runs[place]?.end.resolve()
    }
  })

  it('cancel-other ends it and starts the next when it has ended', async () => {
    const { runs, slow } = stalling()
    const { troupe, clock } = await stage({ definitions: [slow] })
    await troupe.schedule('often', { every: '1m', overlap: 'cancel-other' }, slow)
    await clock.jump(minuteMs)
    await clock.jump(minuteMs)
    await eventually(() => runs.length === 2)
    expect(await statesOf(troupe)).toEqual([
      [1, 'cancelled'],
      [2, 'running'],
    ])
    const [, first] = await troupe.runs()
    expect(first?.error?.message).toContain("the next tick of schedule 'often' came")
    runs[1]?.end.resolve()
  })

  it('allow starts them beside each other', async () => {
    const { runs, slow } = stalling()
    const { troupe, clock } = await stage({ definitions: [slow] })
    await troupe.schedule('often', { every: '1m', overlap: 'allow' }, slow)
    for (let minute = 0; minute < 3; minute++) await clock.jump(minuteMs)
    expect((await statesOf(troupe)).map(([, state]) => state)).toEqual(['running', 'running', 'running'])
    for (const { end } of runs) end.resolve()
  })
})

describe('with a limiter', () => {
  it('runs pass it one at a time, those that had waited too', async () => {
    const one = limiter('one', { concurrency: 1 })
    const running: string[] = []
    let most = 0
    const slow = worker('slow', { limits: [one] }, async (ctx) => {
      most = Math.max(most, running.push(ctx.runId))
      await ctx.sleep(1_000)
      running.pop()
    })
    const { troupe, clock } = await stage({ definitions: [slow] })
    await troupe.schedule('beside', { every: '1m', overlap: 'allow' }, slow)
    await troupe.schedule('after', { every: '1m', overlap: 'buffer-all' }, slow)
    await clock.jump(3 * minuteMs)
    for (let second = 0; second < 12; second++) await clock.advance(1_000)
    expect((await statesOf(troupe)).map(([, state]) => state)).toEqual(Array.from({ length: 6 }, () => 'succeeded'))
    expect(most).toBe(1)
  })
})

describe('by hand', () => {
  it('trigger starts a run now, also while the schedule is paused or a run is unfinished', async () => {
    const { runs, slow } = stalling()
    const { troupe } = await stage({ definitions: [slow] })
    await troupe.schedule('often', { every: '1m', paused: true }, slow)
    const handles = [await troupe.trigger('often'), await troupe.trigger('often')]
    await eventually(() => runs.length === 2)
    expect((await handles[0]?.status())?.scheduledAt).toBe(startMs)
    for (const { end } of runs) end.resolve()
    await Promise.all(handles.map((handle) => handle.result()))
  })

  it('backfill starts what no run was started for, in the order of the ticks', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('hourly', { every: '1h' }, report)
    await clock.jump(hourMs)
    const span = { from: new Date(startMs - 2 * hourMs), to: startMs + hourMs }
    const handles = await troupe.backfill('hourly', span)
    for (const handle of handles) await handle.result()
    expect(ticks).toEqual([60, -120, -60, 0])
    expect(await troupe.backfill('hourly', span)).toEqual([])
  })

  it('backfill refuses spans that are too long, not there yet, or the wrong way round', async () => {
    const { report } = ticker()
    const { troupe } = await stage({ definitions: [report] })
    await troupe.schedule('often', { every: '1m' }, report)
    const asked = [
      { from: 0, to: startMs },
      { from: startMs, to: startMs + hourMs },
      { from: startMs, to: startMs - 1 },
    ]
    const refused = await Promise.all(asked.map((span) => rejection(troupe.backfill('often', span))))
    expect(refused.map(({ message }) => message)).toEqual([
      "from of the backfill of schedule 'often' is 0: expected a span with at most 1,000 ticks.",
      `to of the backfill of schedule 'often' is ${startMs + hourMs}: expected a time that has passed.`,
      `from of the backfill of schedule 'often' is ${startMs}: expected a time before to.`,
    ])
  })

  it('nextFires tells the next times, jitter included, and pauses do not change them', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('even', { every: '1m' }, report)
    await troupe.schedule('spread', { every: '1m', jitter: '30s' }, report)
    expect(await troupe.nextFires('even', 2)).toEqual([startMs + minuteMs, startMs + 2 * minuteMs])
    await troupe.unschedule('even')
    const spread = await troupe.nextFires('spread', 50)
    const jitters = spread.map((at, n) => at - startMs - (n + 1) * minuteMs)
    expect(jitters.every((ms) => ms >= 0 && ms <= 30_000)).toBe(true)
    expect(new Set(jitters).size).toBeGreaterThan(40)
    await troupe.pauseSchedule('spread')
    expect(await troupe.nextFires('spread', 50)).toEqual(spread)
    await troupe.resumeSchedule('spread')
    await clock.advance((jitters[0] ?? 0) + minuteMs - 1)
    await turns()
    expect(ticks).toEqual([])
    await clock.advance(1)
    await eventually(() => ticks.length === 1)
    expect(ticks).toEqual([1])
  })

  it('a pause leaves out the ticks that come while it lasts', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [report] })
    await troupe.schedule('often', { every: '1m', overlap: 'allow' }, report)
    await troupe.pauseSchedule('often')
    expect(await troupe.schedules()).toMatchObject([{ isPaused: true, nextAt: undefined }])
    await clock.jump(5 * minuteMs)
    await troupe.resumeSchedule('often')
    await clock.jump(2 * minuteMs)
    await eventually(() => ticks.length === 2)
    expect(ticks).toEqual([6, 7])
  })

  it('names the schedule that is not there, and the nearest that is', async () => {
    const { report } = ticker()
    const { troupe } = await stage({ definitions: [report] })
    await troupe.schedule('nightly', { every: '1m' }, report)
    const error = await rejection(troupe.trigger('nigthly'))
    expect([error['code'], error.message]).toEqual([
      'schedule_not_found',
      "Schedule 'nigthly' not found: there is 'nightly'. Did you mean 'nightly'?",
    ])
  })
})

describe('a run of a schedule', () => {
  it('has the key that its definition makes of the input, as a call has: ticks of a taken key are skipped', async () => {
    let begun = 0
    const job = worker('job', { idempotencyKey: (day: string) => day }, () => void begun++)
    const { troupe, clock } = await stage({ definitions: [job] })
    await troupe.schedule('often', { every: '1m' }, job, 'monday')
    await clock.advance(3 * minuteMs)
    await eventually(async () => (await troupe.schedules())[0]?.skipped === 2)
    expect([begun, (await troupe.runs()).length]).toEqual([1, 1])
    const { id } = await troupe.call(job, 'monday')
    expect((await troupe.trigger('often')).id).toBe(id)
  })

  it('is answered by the cache of its definition while that holds', async () => {
    let begun = 0
    const job = worker('job', { cache: { ttl: '90s' } }, () => void begun++)
    const { troupe, clock } = await stage({ definitions: [job] })
    await troupe.schedule('often', { every: '1m' }, job)
    await clock.advance(4 * minuteMs)
    await eventually(async () => (await troupe.schedules())[0]?.skipped === 2)
    expect(begun).toBe(2)
  })

  it('has the time that the engine gives to all', async () => {
    const job = worker('job', {}, () => new Promise(() => {}))
    const { troupe, clock } = await stage({ definitions: [job], timeout: '30s' })
    await troupe.schedule('once', { at: startMs + minuteMs }, job)
    await clock.advance(1.6 * minuteMs)
    const run = await eventually(async () => (await troupe.runs({ state: 'failed' }))[0])
    expect([run.code, run.schedule]).toEqual(['timed_out', 'once'])
  })
})

describe('schedules that code declares', () => {
  const every = (time: string) => ({ every: time }) as const

  it('are there when the engine starts, and their definition with them', async () => {
    const { ticks, report } = ticker()
    const { troupe, clock } = await stage({ definitions: [schedule('often', every('1m'), report)] })
    expect(troupe.definitions()).toEqual(['report'])
    expect(await troupe.schedules()).toMatchObject([{ name: 'often', declaredBy: ['test'] }])
    await clock.advance(minuteMs)
    await eventually(() => ticks.length === 1)
  })

  it('go when the code has them no more, and keep a pause otherwise', async () => {
    const store = storeFile()
    const { report } = ticker()
    const first = await stage({
      store,
      definitions: [schedule('stays', every('1m'), report), schedule('goes', every('1m'), report)],
    })
    await first.troupe.schedule('by-verb', every('1m'), report)
    await first.troupe.pauseSchedule('stays')
    await first.stop()
    const second = await stage({ store, definitions: [report, schedule('stays', every('2m'), report)] })
    expect((await second.troupe.schedules()).map(({ name, isPaused, rule }) => [name, isPaused, rule])).toMatchObject([
      ['by-verb', false, { every: minuteMs }],
      ['stays', true, { every: 2 * minuteMs }],
    ])
  })

  it('fire while any node has them, and rest when none has', async () => {
    const store = storeFile()
    const { ticks, report } = ticker()
    const old = await stage({ store, definitions: [schedule('often', every('1m'), report)] })
    const anew = await stage({ store, definitions: [report] })
    await anew.clock.jump(minuteMs)
    await eventually(() => ticks.length === 1)
    await old.stop()
    await anew.clock.jump(5 * minuteMs)
    expect([ticks, await anew.troupe.schedules()]).toEqual([[1], []])
  })

  it('of a program that is down are left to it by another on the store, and it makes up for what it missed', async () => {
    const store = storeFile()
    const { ticks, report } = ticker()
    const definitions = [schedule('nightly', { ...every('1m'), overlap: 'allow', catchUp: '1h' }, report)]
    const one = await stage({ store, definitions })
    await one.clock.jump(minuteMs)
    await eventually(() => ticks.length === 1)
    await one.stop()
    const other = await stage({ store, definitions: [worker('other', {}, () => 1)] })
    await other.clock.jump(3 * minuteMs)
    expect([ticks, await other.troupe.schedules()]).toEqual([[1], []])
    const back = await stage({ store, definitions })
    await back.clock.jump(3 * minuteMs)
    await eventually(() => ticks.length === 3)
    expect(ticks.toSorted()).toEqual([1, 2, 3])
  })

  it('are refused twice under one name, and with a definition that is not stored', async () => {
    const { report } = ticker()
    const twice = [schedule('often', every('1m'), report), schedule('often', every('2m'), report)]
    const error = await rejection(stage({ definitions: twice }))
    expect([error['code'], error.message]).toEqual([
      'definition_exists',
      "A schedule named 'often' is declared already: give one of them another name.",
    ])
    const local = worker('local', { durable: false }, () => undefined)
    expect(() => schedule('often', every('1m'), local)).toThrow(
      `The definition of schedule 'often' is "local": expected one whose runs are stored, without durable: false.`,
    )
  })
})
