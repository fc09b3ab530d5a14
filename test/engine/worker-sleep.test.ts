// ctx.sleep of a worker: it waits in memory, and nothing of it is left when the attempt is over.
import { expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { moving, noUnhandledRejections, onStage, rejection, turns } from './stage.ts'

noUnhandledRejections()

it('ends when its time has come', async () => {
  const job = worker('job', {}, async (ctx) => {
    await ctx.sleep('2s')
    return 'awake'
  })
  const { troupe, clock } = await onStage({ definitions: [job] })
  expect(await moving(clock, troupe.run(job))).toBe('awake')
})

it('leaves no timer behind when the attempt ended without it', async () => {
  const race = worker('race', {}, (ctx) => Promise.race([Promise.resolve('fast'), ctx.sleep('1h')]))
  const clock = new ManualClock(1_000)
  const { troupe, stop } = await onStage({ definitions: [race], clock })
  expect(await troupe.run(race)).toBe('fast')
  await stop()
  expect(clock.armedTimers).toBe(0)
})

it('that is begun after the end is never settled and sets no timer', async () => {
  const settled: unknown[] = []
  const over = deferred<void>()
  const job = worker('job', {}, (ctx) => {
    void over.promise
      .then(() => ctx.sleep(1))
      .then(
        () => settled.push('awake'),
        (error: unknown) => settled.push(error),
      )
    return 'done'
  })
  const clock = new ManualClock(1_000)
  const { troupe, stop } = await onStage({ definitions: [job], clock })
  expect(await troupe.run(job)).toBe('done')
  over.resolve()
  await turns()
  await clock.advance(10)
  await stop()
  expect(settled).toEqual([])
  expect(clock.armedTimers).toBe(0)
})

it('is cut short by a cancel, before and while it is awaited, and when it is begun after', async () => {
  const reasons: unknown[] = []
  const gate = deferred<void>()
  const done = deferred<void>()
  const job = worker('job', {}, async (ctx) => {
    const first = ctx.sleep('1h')
    await gate.promise
    await first.catch((error: unknown) => reasons.push(error))
    await ctx.sleep('1h').catch((error: unknown) => reasons.push(error))
    done.resolve()
  })
  const clock = new ManualClock(1_000)
  const { troupe, stop } = await onStage({ definitions: [job], clock })
  const handle = await troupe.call(job)
  await turns()
  expect(await handle.cancel('why')).toBe(true)
  // Nobody awaits the sleep yet: a rejection that is not handled would fail this file.
  await turns()
  gate.resolve()
  await done.promise
  expect(reasons).toMatchObject([{ code: 'run_cancelled' }, { code: 'run_cancelled' }])
  await stop()
  expect(clock.armedTimers).toBe(0)
})

it('of no duration is refused', async () => {
  const job = worker('job', {}, (ctx) => ctx.sleep('soon'))
  const { troupe } = await onStage({ definitions: [job] })
  expect(await rejection(troupe.run(job))).toMatchObject({ code: 'option_invalid' })
})
