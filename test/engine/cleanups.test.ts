// ctx.defer: what an attempt cleans up at its end, whichever end it is.
import { describe, expect, it } from 'vitest'
import { worker, type WorkerContext } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { TroupeError } from '../../src/lib/errors.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

/** A worker that defers two clean-ups, and what has happened so far. */
function cleaner(body: (ctx: WorkerContext<unknown>) => unknown, options = {}) {
  const seen: string[] = []
  const begun = deferred<void>()
  const job = worker('job', options, async (ctx, _input: unknown) => {
    seen.push(`attempt ${ctx.attempt}`)
    ctx.defer(() => seen.push('first'))
    ctx.defer(async () => {
      await undefined
      seen.push('second')
      ctx.info('cleaned')
    })
    begun.resolve()
    const output = await body(ctx)
    seen.push('body ends')
    return output
  })
  return { job, seen, begun: begun.promise }
}

const untilAborted = (ctx: WorkerContext<unknown>): Promise<never> =>
  new Promise((_resolve, reject) =>
    ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error), { once: true }),
  )

describe('what was deferred runs, the last first, before the end can be seen', () => {
  it('when the attempt succeeds', async () => {
    const { job, seen } = cleaner(() => 42)
    const { troupe } = await onStage({ definitions: [job] })
    expect(await troupe.run(job)).toBe(42)
    expect(seen).toEqual(['attempt 1', 'body ends', 'second', 'first'])
  })

  it('B7: after each attempt that fails, and the first error is kept', async () => {
    const boom = new Error('boom')
    const { job, seen } = cleaner(() => Promise.reject(boom), { retry: { attempts: 2, base: 1, jitter: 0 } })
    const { troupe, clock } = await onStage({ definitions: [job] })
    expect((await rejection(moving(clock, troupe.run(job)))).message).toBe('boom')
    expect(seen).toEqual(['attempt 1', 'second', 'first', 'attempt 2', 'second', 'first'])
  })

  it('B7: when the attempt runs out of time, once its code has stopped', async () => {
    const { job, seen } = cleaner((ctx) => untilAborted(ctx).finally(() => seen.push('told')), { timeout: '1s' })
    const { troupe, clock } = await onStage({ definitions: [job] })
    expect((await rejection(moving(clock, troupe.run(job)))).code).toBe('timed_out')
    expect(seen).toEqual(['attempt 1', 'told', 'second', 'first'])
  })

  it('B7: when the run is cancelled, and cancel answers after it', async () => {
    const { job, seen, begun } = cleaner(untilAborted)
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await begun
    expect(await handle.cancel('enough')).toBe(true)
    expect(seen).toEqual(['attempt 1', 'second', 'first'])
    expect((await rejection(handle.result())).code).toBe('run_cancelled')
  })

  it('when its caller gave it no more time', async () => {
    const { job, seen } = cleaner(untilAborted)
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job, undefined, { timeout: '2s' })
    expect((await rejection(moving(clock, handle.result()))).code).toBe('timed_out')
    expect(seen).toEqual(['attempt 1', 'second', 'first'])
  })

  it('B7: when its node stops, and the run goes on elsewhere', async () => {
    const store = storeFile()
    const { job, seen, begun } = cleaner((ctx) => (ctx.attempt === 1 && seen.length < 4 ? untilAborted(ctx) : 'later'))
    const first = await onStage({ definitions: [job], store })
    const handle = await first.troupe.call(job)
    await begun
    await first.stop()
    expect(seen).toEqual(['attempt 1', 'second', 'first'])
    const second = await onStage({ definitions: [job], store })
    expect(await moving(second.clock, (await second.troupe.handle(handle.id)).result())).toBe('later')
  })

  it('when it is put off', async () => {
    const { job, seen } = cleaner((ctx) => (seen.length === 1 ? ctx.snooze('1m') : 'awake'))
    const { troupe, clock } = await onStage({ definitions: [job] })
    expect(await moving(clock, troupe.run(job))).toBe('awake')
    expect(seen).toEqual(['attempt 1', 'second', 'first', 'attempt 1', 'body ends', 'second', 'first'])
  })
})

describe('a clean-up', () => {
  it('that fails or hangs is logged, keeps no other from its turn, and changes no result', async () => {
    const seen: string[] = []
    const job = worker('job', {}, (ctx) => {
      ctx.defer(() => seen.push('last'))
      ctx.defer(() => new Promise(() => undefined))
      ctx.defer(() => {
        throw new Error('no broom')
      })
      return 'done'
    })
    const { troupe, clock, log } = await onStage({ definitions: [job] })
    expect(await moving(clock, troupe.run(job))).toBe('done')
    expect(seen).toEqual(['last'])
    expect(log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      "a clean-up of 'job' failed: no broom",
      "a clean-up of 'job' failed: A clean-up did not end within the 30s that all of an attempt have: let it do less, or make it a step.",
    ])
  })

  it('that fails is attached to the error of the attempt', async () => {
    const job = worker('job', {}, (ctx) => {
      ctx.defer(() => {
        throw new TypeError('no broom')
      })
      throw new RangeError('boom')
    })
    const { troupe } = await onStage({ definitions: [job] })
    const error = await rejection(troupe.run(job))
    expect([error.name, error.message]).toEqual(['RangeError', 'boom'])
    expect((error.errors as Error[]).map(({ name, message }) => [name, message])).toEqual([['TypeError', 'no broom']])
  })

  it('waits a second for code that does not hear its signal, and no longer', async () => {
    const { job, seen, begun } = cleaner(() => new Promise(() => undefined))
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await begun
    const cancelled = handle.cancel()
    await turns()
    expect(seen).toEqual(['attempt 1'])
    await clock.advance(1000)
    expect(await cancelled).toBe(true)
    expect(seen).toEqual(['attempt 1', 'second', 'first'])
  })

  it('keeps its actor busy, and may still write log lines', async () => {
    const gate = deferred<void>()
    const slow = worker('slow', {}, (ctx) => {
      ctx.defer(() => gate.promise)
      return 'slow'
    })
    const begun: string[] = []
    const next = worker('next', {}, () => void begun.push('next'))
    const pools = { workflow: { min: 1, max: 1 }, task: { min: 1, max: 1 } }
    const { troupe } = await onStage({ definitions: [slow, next], pools })
    const first = await troupe.call(slow)
    const second = await troupe.call(next)
    await turns()
    expect([begun, (await first.status()).state]).toEqual([[], 'running'])
    gate.resolve()
    expect(await first.result()).toBe('slow')
    await second.result()
    expect(begun).toEqual(['next'])
  })

  it('that is deferred after the end runs at once', async () => {
    const over = deferred<void>()
    const seen: string[] = []
    const job = worker('job', {}, (ctx) => {
      void over.promise.then(() => ctx.defer(() => seen.push('late')))
      return 'done'
    })
    const { troupe } = await onStage({ definitions: [job] })
    await troupe.run(job)
    over.resolve()
    await turns()
    expect(seen).toEqual(['late'])
  })

  it.each([0, 1, 2, 3, 4, 5])('that is deferred %i microtasks after the last one ended still runs', async (ticks) => {
    let ran = 0
    const job = worker('job', {}, (ctx) => {
      const later = async (): Promise<void> => {
        for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
        ctx.defer(() => void ran++)
      }
      ctx.defer(() => void later())
      return 'done'
    })
    const { troupe } = await onStage({ definitions: [job] })
    await troupe.run(job)
    await turns()
    expect(ran).toBe(1)
  })

  it('that comes after the end may speak, is not written down, and no takeover is told of', async () => {
    const over = deferred<void>()
    const job = worker('job', {}, (ctx) => {
      const late = (): void => {
        ctx.info('late')
        ctx.setState('late', 1)
        expect(ctx.emit('late')).toBe(false)
      }
      void over.promise.then(() => ctx.defer(late))
      return 'done'
    })
    const { troupe, log } = await onStage({ definitions: [job] })
    await troupe.run(job)
    over.resolve()
    await turns()
    expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([])
    expect(log.lines.map(({ message }) => message)).toEqual([expect.stringMatching(/late$/)])
  })

  it('that defers itself ends, as others have their turn and 10,000 are the most', async () => {
    let ran = 0
    const job = worker('job', {}, (ctx) => {
      const again = (): void => {
        ran += 1
        ctx.defer(again)
      }
      ctx.defer(again)
      return 'done'
    })
    const { troupe, log } = await onStage({ definitions: [job] })
    expect(await troupe.run(job)).toBe('done')
    expect(ran).toBe(10_000)
    expect(log.lines.map(({ message }) => message)).toEqual([expect.stringContaining('at most 10000')])
  })

  it('that defers itself is not begun again when the time of all is over', async () => {
    const seen: number[] = []
    const { promise: begun, resolve } = deferred<void>()
    const clock = new ManualClock(1_000)
    const job = worker('job', {}, (ctx) => {
      const again = async (): Promise<void> => {
        seen.push(clock.monotonic())
        ctx.defer(again)
        resolve()
        await new Promise<void>((done) => clock.after(10_000, done))
      }
      ctx.defer(() => seen.push(-1))
      ctx.defer(again)
      return 'done'
    })
    const { troupe, log } = await onStage({ definitions: [job], clock })
    const result = troupe.run(job)
    await begun
    const from = clock.monotonic()
    expect(await moving(clock, result)).toBe('done')
    expect(seen).toEqual([from, from + 10_000, from + 20_000, -1])
    expect(log.lines.filter(({ message }) => message.includes('within the 30s'))).toHaveLength(1)
  })

  it('that began before its node stops has 3 s too, and the end it comes before is stored', async () => {
    const store = storeFile()
    const begun = deferred<void>()
    const job = worker('job', {}, (ctx) => {
      ctx.defer(() => {
        begun.resolve()
        return new Promise(() => undefined)
      })
      return 'done'
    })
    const { troupe, clock, log } = await onStage({ definitions: [job], store })
    const handle = await troupe.call(job)
    await begun.promise
    const from = clock.monotonic()
    await moving(clock, troupe.stop({ within: 500 }))
    expect(clock.monotonic() - from).toBeLessThanOrEqual(4_500)
    expect(clock.armedTimers).toBe(0)
    expect(log.lines.map(({ message }) => message)).toEqual([expect.stringContaining('within the 3s')])
    const second = await onStage({ store, starts: false })
    expect((await second.troupe.get(handle.id))?.state).toBe('succeeded')
  })

  it('must be a function', async () => {
    const job = worker('job', {}, (ctx) => ctx.defer('broom' as never))
    const { troupe } = await onStage({ definitions: [job] })
    expect((await rejection(troupe.run(job))).code).toBe('option_invalid')
  })
})

describe('heartbeat', () => {
  it('fails an attempt that is silent for longer, as timed out, and tries again', async () => {
    const seen: number[] = []
    const job = worker('job', { heartbeat: '5s', retry: { attempts: 2, base: 1, jitter: 0 } }, (ctx) => {
      seen.push(ctx.attempt)
      return ctx.attempt === 1 ? new Promise(() => undefined) : 'alive'
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    expect(await moving(clock, troupe.run(job))).toBe('alive')
    expect(seen).toEqual([1, 2])
  })

  it('counts beats, messages, progress and log lines as signs of life', async () => {
    const job = worker('job', { heartbeat: '5s' }, async (ctx) => {
      await ctx.sleep('4s')
      ctx.heartbeat()
      await ctx.sleep('4s')
      ctx.emit('here')
      await ctx.sleep('4s')
      ctx.progress(1, 2)
      await ctx.sleep('4s')
      ctx.info('here')
      await ctx.sleep('4s')
      return 'done'
    })
    const { troupe, clock, stop } = await onStage({ definitions: [job] })
    expect(await moving(clock, troupe.run(job))).toBe('done')
    await stop()
    expect(clock.armedTimers).toBe(0)
  })

  it('names the worker and the remedy', async () => {
    const job = worker('job', { heartbeat: '5s' }, () => new Promise(() => undefined))
    const { troupe, clock } = await onStage({ definitions: [job] })
    const error: Partial<TroupeError> = await rejection(moving(clock, troupe.run(job)))
    expect(error).toMatchObject({
      code: 'timed_out',
      message: expect.stringMatching(/^Worker 'job' timed out: .* for 5s\. Call ctx\.heartbeat\(\)/) as string,
    })
  })
})

describe('snooze', () => {
  it('begins the same attempt again after the time, and nothing of the first comes after it', async () => {
    const seen: string[] = []
    const job = worker('job', {}, async (ctx) => {
      seen.push(`attempt ${ctx.attempt}`)
      if (seen.length === 1) {
        await ctx.snooze('1h')
        seen.push('never')
      }
      return 'awake'
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'scheduled')
    await clock.advance(3_599_000)
    expect(seen).toEqual(['attempt 1'])
    expect(await moving(clock, handle.result())).toBe('awake')
    expect(seen).toEqual(['attempt 1', 'attempt 1'])
    expect(await troupe.attempts(handle.id)).toEqual([])
  })
})
