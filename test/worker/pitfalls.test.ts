// Mistakes that systems of workers make, by their number, and what happens here instead.
import { describe, expect, it } from 'vitest'
import { isTroupeError, worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'
import { exporting, workersFolder } from './folder.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)
const failing = worker('failing', {}, () => {
  throw new RangeError('too far')
})

describe('pitfalls of workers', () => {
  it('B1: the average and the rate of no runs are 0, not a division by it', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    expect(await troupe.stats('double')).toMatchObject({ runs: 0, averageMs: 0, successRate: 0, lastRunMs: undefined })
  })

  it('B2: a run that failed is a run, so the rate is right', async () => {
    const { troupe } = await onStage({ definitions: [failing] })
    for (let n = 0; n < 3; n++) await rejection(troupe.run(failing))
    expect(await troupe.stats('failing')).toMatchObject({ runs: 3, errors: 3, failed: 3, succeeded: 0, successRate: 0 })
  })

  it('B3: cancelled, timed out and failed are counted apart, and are errors of their own', async () => {
    const hang = worker('job', { timeout: '1s' }, (_ctx, fails: boolean) => {
      if (fails) throw new RangeError('too far')
      return deferred<void>().promise
    })
    const { troupe, clock } = await onStage({ definitions: [hang] })
    const failed = await rejection(troupe.run(hang, true))
    const timedOut = await rejection(moving(clock, troupe.run(hang, false)))
    const handle = await troupe.call(hang, false)
    await handle.cancel('enough')
    const cancelled = await rejection(handle.result())
    expect([failed, timedOut, cancelled].map((error) => (isTroupeError(error) ? error.code : error.name))).toEqual([
      'RangeError',
      'timed_out',
      'run_cancelled',
    ])
    expect(await troupe.stats('job')).toMatchObject({ runs: 3, errors: 2, failed: 1, timedOut: 1, cancelled: 1 })
  })

  it('B4: a run that ends at once is gone from running()', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    await Promise.all(Array.from({ length: 100 }, (_, n) => troupe.run(double, n)))
    expect([await troupe.running(), troupe.runningHere()]).toEqual([[], []])
  })

  it('B5: a run that threw is gone from running() and counted', async () => {
    const { troupe } = await onStage({ definitions: [failing] })
    await rejection(troupe.run(failing))
    expect([await troupe.running(), troupe.runningHere()]).toEqual([[], []])
    expect(await troupe.stats('failing')).toMatchObject({ runs: 1, failed: 1 })
  })

  it('B6: a payload that was not given is undefined, and null is null', async () => {
    const job = worker('job', {}, (ctx, input?: unknown) => [ctx.payload === undefined, input === undefined, input])
    const { troupe } = await onStage({ definitions: [job] })
    expect(await troupe.run(job)).toStrictEqual([true, true, undefined])
    expect(await troupe.run('job', undefined)).toStrictEqual([true, true, undefined])
    expect(await troupe.run('job', null)).toStrictEqual([false, false, null])
  })

  it('B8: shutdown refuses new work in a typed way, ends what runs, and waits for that', async () => {
    const store = storeFile()
    const job = worker('job', {}, () => deferred<void>().promise)
    const { troupe, clock } = await onStage({ store, definitions: [job] })
    const handle = await troupe.call(job)
    const result = rejection(handle.result())
    const shutdown = troupe.shutdown()
    for (const late of [troupe.call(job), troupe.run(job), troupe.register('new', () => 1)]) {
      expect(await rejection(late)).toMatchObject({ code: 'engine_stopped' })
    }
    await moving(clock, shutdown)
    expect(await result).toMatchObject({ code: 'run_cancelled' })
    const other = await onStage({ store, starts: false })
    expect(await other.troupe.get(handle.id)).toMatchObject({ state: 'cancelled' })
  })

  it('B9: a second definition of a name is refused, unless it replaces', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    expect(await rejection(troupe.register('double', () => 0))).toMatchObject({ code: 'definition_exists' })
    expect(await troupe.run('double', 2)).toBe(4)
    await troupe.register('double', { replace: true }, () => 0)
    expect(await troupe.run('double', 2)).toBe(0)
  })

  it('B10: an engine is open once its files are registered, and not at all when one fails', async () => {
    const late =
      'export async function install(troupe) {\n  await new Promise((resolve) => setImmediate(resolve))\n  await troupe.register("late", () => "late")\n}\n'
    const { troupe } = await onStage({ workers: workersFolder({ 'late.js': late, 'a.ts': exporting('a') }) })
    expect(troupe.definitions()).toEqual(['a', 'late'])
    const bad = 'export async function install() {\n  throw new Error("no key")\n}\n'
    await expect(onStage({ workers: workersFolder({ 'bad.js': bad }) })).rejects.toThrow('no key')
    const broken = onStage({ workers: workersFolder({ 'broken.ts': 'export const = 1' }) })
    await expect(broken).rejects.toMatchObject({ code: 'file_not_loaded' })
  })

  it('B11: nobody needs to listen, and a handle that was dropped fails no worker', async () => {
    const chatty = worker('chatty', {}, (ctx) => {
      let kept = 0
      for (let n = 0; n < 10_500; n++) if (ctx.emit(n)) kept += 1
      return kept
    })
    const { troupe } = await onStage({ definitions: [chatty] })
    const { id } = await troupe.call(chatty)
    expect(await (await troupe.handle(id)).result()).toBe(10_000)
  })

  it('B12: the messages end with the run, also while something of it still holds its context', async () => {
    const gate = deferred<void>()
    const late: boolean[] = []
    const job = worker('job', {}, (ctx) => {
      ctx.emit('first')
      void gate.promise.then(() => late.push(ctx.emit('too late')))
      return 'done'
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    expect([await handle.recv(), await handle.recv()]).toEqual(['first', undefined])
    gate.resolve()
    await turns()
    expect(late).toEqual([false])
    expect(await handle.recv()).toBe(undefined)
  })

  it('B13: call returns before the work is done, run after it', async () => {
    const gate = deferred<string>()
    const job = worker('job', {}, () => gate.promise)
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    expect((await handle.status()).state).toBe('running')
    const order: string[] = []
    const ran = troupe.run(job).then(() => order.push('run'))
    await turns()
    order.push('gate')
    gate.resolve('done')
    await ran
    expect([await handle.result(), order]).toEqual(['done', ['gate', 'run']])
  })

  it('B14: a run can be cancelled while its result is awaited, and its code is told', async () => {
    let told: unknown
    const job = worker('job', {}, (ctx) => {
      ctx.signal.addEventListener('abort', () => (told = ctx.signal.reason))
      return deferred<void>().promise
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    const result = rejection(handle.result())
    await eventually(async () => (await handle.status()).state === 'running')
    expect(await handle.cancel('enough')).toBe(true)
    expect(await result).toMatchObject({ code: 'run_cancelled', details: { reason: 'enough' } })
    expect(told).toMatchObject({ code: 'run_cancelled' })
    expect(await handle.cancel()).toBe(false)
  })

  it('B15: run takes a time limit, as a definition does', async () => {
    const hang = worker('hang', {}, () => deferred<void>().promise)
    const limited = worker('limited', { timeout: '2s' }, () => deferred<void>().promise)
    const { troupe, clock } = await onStage({ definitions: [hang, limited] })
    const timedOut = { code: 'timed_out', message: expect.stringContaining('timed out after 2s') }
    expect(await rejection(moving(clock, troupe.run(hang, undefined, { timeout: '2s' })))).toMatchObject(timedOut)
    expect(await rejection(moving(clock, troupe.run(limited)))).toMatchObject(timedOut)
  })

  it('B16: a failure that nobody awaits is kept and counted', async () => {
    const { troupe } = await onStage({ definitions: [failing] })
    const { id } = await troupe.call(failing)
    await eventually(async () => (await troupe.get(id))?.finishedAt)
    expect((await troupe.get(id))?.error).toMatchObject({ name: 'RangeError', message: 'too far' })
    expect(await troupe.stats('failing')).toMatchObject({ errors: 1 })
  })

  it('B17: a thousand calls at once run no more at a time than the pool has actors', async () => {
    let running = 0
    let peak = 0
    const job = worker('job', {}, async () => {
      peak = Math.max(peak, ++running)
      await turns(1)
      running -= 1
    })
    const { troupe } = await onStage({ definitions: [job], pools: { task: { min: 2, max: 8 } } })
    await Promise.all(Array.from({ length: 1_000 }, () => troupe.run(job)))
    expect(peak).toBe(8)
  })

  it('B18: an environment called test is neither development nor production', async () => {
    const job = worker('job', {}, (ctx) => [ctx.isDevelopment, ctx.isProduction])
    const { troupe } = await onStage({ definitions: [job] })
    expect(await troupe.run(job)).toEqual([false, false])
  })

  it('B19: workers that throw in every way leave the pool as big as it was', async () => {
    const ways: (() => unknown)[] = [
      () => {
        throw new Error('an error')
      },
      () => Promise.reject(new Error('a rejection')),
      () => {
        throw undefined
      },
      () => Promise.reject(Object.create(null)),
    ]
    const job = worker('job', {}, (_ctx, way: number) => ways[way]?.() ?? 'done')
    const { troupe } = await onStage({ definitions: [job], pools: { task: { min: 1, max: 1 } } })
    for (let n = 0; n < 20; n++) await Promise.allSettled([troupe.run(job, n % ways.length)])
    expect(await troupe.run(job, ways.length)).toBe('done')
    expect(await troupe.stats('job')).toMatchObject({ runs: 21, failed: 20, succeeded: 1 })
  })
})
