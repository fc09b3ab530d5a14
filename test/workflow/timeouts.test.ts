// Time limits: of a step's attempt, of a worker's attempt, of a whole run, wherever it is.
import { describe, expect, it } from 'vitest'
import { TimeoutError, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

describe('the timeout of a step', () => {
  it('aborts its signal, fails the attempt and ignores what comes late', async () => {
    const reasons: unknown[] = []
    const gates = [deferred<string>(), deferred<string>()]
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step(
        'slow',
        ({ signal, attempt }) => {
          signal.addEventListener('abort', () => reasons.push(signal.reason))
          return gates[attempt - 1]?.promise
        },
        { timeout: 50, retry: { attempts: 2, base: 10, jitter: 0 } },
      ),
    )
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await clock.advance(49)
    expect(reasons).toEqual([])
    await clock.advance(1)
    expect(reasons).toEqual([expect.objectContaining({ code: 'timed_out', details: { path: 'slow', timeoutMs: 50 } })])
    await clock.advance(10)
    gates[0]?.resolve('late')
    await turns()
    expect((await handle.status()).state).toBe('running')
    gates[1]?.resolve('in time')
    expect(await handle.result()).toBe('in time')
    expect(await troupe.steps(handle.id)).toMatchObject([{ attempt: 2, value: 'in time' }])
    expect(reasons).toHaveLength(1)
  })

  it('is what the step fails with when its attempts are spent', async () => {
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step('slow', () => deferred<void>().promise, { timeout: '1s', retry: { attempts: 1 } }),
    )
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const result = rejection(troupe.run(flow))
    await clock.advance(1_000)
    const error = await result
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({
      code: 'timed_out',
      message: "Step 'slow' timed out after 1s: give it a longer { timeout }, or let it end when its signal aborts.",
    })
  })

  it('frees the task actor', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.step('slow', () => deferred<void>().promise, { timeout: 50, retry: { attempts: 1 } }).catch(() => {})
      return ctx.step('next', () => 'went on')
    })
    const { troupe, clock } = await onStage({ definitions: [flow], pools: { task: { min: 1, max: 1 } } })
    const result = troupe.run(flow)
    await clock.advance(50)
    expect(await result).toBe('went on')
  })

  it('does not count the time in the queue for an actor', async () => {
    const gate = deferred<void>()
    const flow = workflow('flow', {}, async (ctx) =>
      Promise.all([
        ctx.step('first', () => gate.promise),
        ctx.step('second', () => 'fine', { timeout: 10, retry: { attempts: 1 } }),
      ]),
    )
    const { troupe, clock } = await onStage({ definitions: [flow], pools: { task: { min: 1, max: 1 } } })
    const result = troupe.run(flow)
    await clock.advance(100)
    gate.resolve()
    expect(await result).toEqual([undefined, 'fine'])
  })
})

describe('the timeout of a worker', () => {
  it('is for each attempt, aborts its signal, and is tried again', async () => {
    const reasons: string[] = []
    const job = worker('job', { timeout: '100ms', retry: { attempts: 2, base: 10, jitter: 0 } }, (ctx) => {
      ctx.signal.addEventListener('abort', () => reasons.push((ctx.signal.reason as { code: string }).code))
      if (ctx.attempt === 2) return 'second'
      return deferred<string>().promise
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    const result = troupe.run(job)
    await clock.advance(2_000)
    expect(await result).toBe('second')
    expect(reasons).toEqual(['timed_out'])
  })

  it('fails the run with code timed_out when attempts are spent', async () => {
    const job = worker('job', { timeout: '100ms' }, () => deferred<void>().promise)
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    const result = rejection(handle.result())
    await clock.advance(100)
    expect(await result).toMatchObject({
      name: 'TimeoutError',
      code: 'timed_out',
      message: expect.stringMatching(/^Worker 'job' timed out after 100ms: /),
    })
    expect(await handle.status()).toMatchObject({ state: 'failed', attempt: 1 })
  })

  it('wakes a worker from its sleep', async () => {
    const woken: unknown[] = []
    const job = worker('job', { timeout: '100ms' }, (ctx) =>
      ctx.sleep('1h').catch((error: { code: string }) => void woken.push(error.code)),
    )
    const { troupe, clock } = await onStage({ definitions: [job] })
    const result = rejection(troupe.run(job))
    await clock.advance(100)
    expect((await result)['code']).toBe('timed_out')
    expect(woken).toEqual(['timed_out'])
  })

  it('of a workflow holds too', async () => {
    const flow = workflow('flow', { timeout: '100ms' }, (ctx) => ctx.step('slow', () => deferred<void>().promise))
    const { troupe, clock } = await onStage({ definitions: [flow] })
    const result = rejection(troupe.run(flow))
    await clock.advance(100)
    expect(await result).toMatchObject({
      code: 'timed_out',
      message: expect.stringMatching(/^Worker 'flow' timed out after 100ms: /),
    })
  })
})

describe('the timeout of a call', () => {
  const failsAt = async (
    open: Promise<{ troupe: Awaited<ReturnType<typeof onStage>>['troupe']; clock: ManualClock }>,
    definition: Parameters<typeof call>[1],
    options = {},
  ): Promise<void> => {
    const { troupe, clock } = await open
    const handle = await call(troupe, definition, options)
    const result = rejection(handle.result())
    await clock.advance(9_999)
    expect((await handle.status()).state).not.toBe('failed')
    await clock.advance(1_001)
    expect((await handle.status()).state).toBe('failed')
    expect(await result).toMatchObject({ name: 'TimeoutError', code: 'timed_out' })
  }
  const call = (
    troupe: Awaited<ReturnType<typeof onStage>>['troupe'],
    definition: ReturnType<typeof worker<void>>,
    options: object,
  ) => troupe.call(definition, undefined, { timeout: '10s', ...options })

  it('ends a running worker, all attempts together', async () => {
    const job = worker(
      'job',
      { retry: { attempts: 100, base: '3s', jitter: 0, backoff: 'linear' }, timeout: '2s' },
      () => deferred<void>().promise,
    )
    await failsAt(onStage({ definitions: [job] }), job)
  })

  it('ends a running workflow and tells its step', async () => {
    const reasons: string[] = []
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step('slow', ({ signal }) => {
        signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code))
        return deferred<void>().promise
      }),
    )
    await failsAt(onStage({ definitions: [flow] }), flow)
    expect(reasons).toEqual(['timed_out'])
  })

  it('ends a parked run', async () => {
    const flow = workflow('flow', {}, (ctx) => ctx.sleep('30d'))
    const stage = onStage({ definitions: [flow] })
    await failsAt(stage, flow)
  })

  it('ends a parked run in time also when it wakes before', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      for (;;) await ctx.sleep('6s')
    })
    await failsAt(onStage({ definitions: [flow] }), flow)
  })

  it('ends a ready run that nobody serves', async () => {
    const job = worker('job', { queue: 'elsewhere' }, () => 1)
    await failsAt(onStage({ definitions: [job] }), job)
  })

  it('ends a ready run that waits for a free actor', async () => {
    const job = worker('job', {}, () => deferred<void>().promise)
    const stage = onStage({ definitions: [job], pools: { task: { min: 1, max: 1 } } })
    const { troupe } = await stage
    await troupe.call(job)
    await failsAt(stage, job)
  })

  it('ends a scheduled run', async () => {
    const job = worker('job', {}, () => 1)
    await failsAt(onStage({ definitions: [job] }), job, { delay: '1h' })
  })

  it('holds for the node that takes over', async () => {
    const store = storeFile()
    const flow = workflow('flow', {}, (ctx) => ctx.step('s', () => deferred<void>().promise))
    const lost = await onStage({ store, definitions: [flow], world: { leaseMs: 200 } })
    const { id } = await lost.troupe.call(flow, undefined, { timeout: '10s' })
    await eventually(async () => (await lost.troupe.get(id))?.state === 'running')
    const clock = new ManualClock(10_500)
    const heir = await onStage({ store, definitions: [flow], clock, world: { leaseMs: 200 } })
    const result = rejection((await heir.troupe.handle(id)).result())
    await clock.advance(500)
    expect(await result).toMatchObject({ code: 'timed_out' })
  })
})
