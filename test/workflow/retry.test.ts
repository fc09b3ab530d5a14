// Trying again: exact pauses, who decides, what is on record, and what a resume knows of it.
import { describe, expect, it } from 'vitest'
import { PermanentError, RetryAfterError, worker, workflow, type RetryOptions } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

/** When each attempt of a step that always fails starts, in ms after the first, and what it ends with. */
async function attemptsOf(
  retry: RetryOptions | undefined,
  fail: (attempt: number) => Error = () => new Error('no'),
): Promise<{ at: number[]; error: Error }> {
  const clock = new ManualClock(1_000)
  const at: number[] = []
  const flow = workflow('flow', {}, (ctx) =>
    ctx.step(
      's',
      ({ attempt }) => {
        at.push(clock.now() - 1_000)
        expect(attempt).toBe(at.length)
        throw fail(attempt)
      },
      retry === undefined ? {} : { retry },
    ),
  )
  const { troupe } = await onStage({ clock, definitions: [flow], world: { leaseMs: 1e9 } })
  const result = rejection(troupe.run(flow))
  let isOver = false
  void result.then(() => (isOver = true))
  for (let ms = 0; !isOver && ms < 3_000; ms++) await clock.advance(1)
  return { at, error: await result }
}

describe('the pause between attempts of a step', () => {
  it('is none with none, and 3 attempts are made unless told', async () => {
    const { at, error } = await attemptsOf({ backoff: 'none' })
    expect(at.length).toBe(3)
    expect(at.at(-1)).toBeLessThanOrEqual(4)
    expect(error.message).toBe('no')
  })

  it.each([
    ['linear', [0, 10, 30, 60, 100]],
    ['exponential', [0, 10, 30, 70, 150]],
    ['fibonacci', [0, 10, 20, 40, 70]],
  ] as const)('is %s', async (backoff, expected) => {
    const { at } = await attemptsOf({ attempts: 5, backoff, base: 10, jitter: 0 })
    expect(at).toEqual(expected)
  })

  it('is no longer than max', async () => {
    expect((await attemptsOf({ attempts: 5, base: 10, max: '25ms', jitter: 0 })).at).toEqual([0, 10, 30, 55, 80])
  })

  it('is what a function says of the failed attempts', async () => {
    expect((await attemptsOf({ attempts: 3, backoff: (failed) => `${failed * 7}ms` })).at).toEqual([0, 7, 21])
  })

  it('strays by its jitter and no further', async () => {
    const { at } = await attemptsOf({ attempts: 2, base: 1_000, jitter: 0.5 })
    expect(at[1]).toBeGreaterThanOrEqual(500)
    expect(at[1]).toBeLessThanOrEqual(1_500)
  })

  it('is what a RetryAfterError asks for', async () => {
    const { at, error } = await attemptsOf({ attempts: 2, base: 10 }, () => new RetryAfterError('busy', '123ms'))
    expect(at).toEqual([0, 123])
    expect(error).toBeInstanceOf(RetryAfterError)
    expect(error).toMatchObject({ delayMs: 123, code: 'retry_after' })
  })
})

describe('a step is not tried again', () => {
  it('after a PermanentError', async () => {
    const { at, error } = await attemptsOf({ attempts: 5, base: 1 }, () => new PermanentError('stolen'))
    expect(at).toEqual([0])
    expect(error).toBeInstanceOf(PermanentError)
  })

  it('when retryIf says so', async () => {
    const { at } = await attemptsOf(
      { attempts: 5, backoff: () => 1, retryIf: (error) => error.message === 'go' },
      (attempt) => new Error(attempt < 3 ? 'go' : 'stop'),
    )
    expect(at).toEqual([0, 1, 2])
  })

  it('when the next attempt would start after maxElapsed', async () => {
    expect((await attemptsOf({ attempts: 9, base: 10, jitter: 0, maxElapsed: 70 })).at).toEqual([0, 10, 30, 70])
    expect((await attemptsOf({ attempts: 9, base: 10, jitter: 0, maxElapsed: 69 })).at).toEqual([0, 10, 30])
  })

  it('when retryIf throws: that is what it fails with', async () => {
    const { at, error } = await attemptsOf({
      attempts: 5,
      retryIf: () => {
        throw new TypeError('retryIf is broken')
      },
    })
    expect(at).toEqual([0])
    expect(error).toMatchObject({ name: 'TypeError', message: 'retryIf is broken' })
  })

  it('when its backoff is not a duration', async () => {
    const { at, error } = await attemptsOf({ attempts: 5, backoff: () => Number.NaN })
    expect(at).toEqual([0])
    expect(error).toMatchObject({ code: 'option_invalid' })
  })
})

describe('a failed attempt', () => {
  it('is on record before anything waits, and counts after a resume (I12)', async () => {
    const store = storeFile()
    const attempts: number[] = []
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step(
        's',
        ({ attempt }) => {
          attempts.push(attempt)
          if (attempt < 4) throw new Error(`no ${attempt}`)
          return attempt
        },
        { retry: { attempts: 4, base: 100, jitter: 0 } },
      ),
    )
    const one = await onStage({ store, definitions: [flow], world: { leaseMs: 300 } })
    const { id } = await one.troupe.call(flow)
    await eventually(async () => (await one.clock.advance(1), attempts.length === 2))
    await turns()
    // The node stands still past its lease while the run rests between attempts.
    const clock = new ManualClock(2_000)
    const two = await onStage({ store, definitions: [flow], clock, world: { leaseMs: 300 } })
    expect(await moving(clock, (await two.troupe.handle(id)).result())).toBe(4)
    expect(attempts).toEqual([1, 2, 3, 4])
    expect(await two.troupe.steps(id)).toMatchObject([{ path: 's', attempt: 4, value: 4 }])
  })

  it('lets the run be parked through a long pause, which holds on another node', async () => {
    const store = storeFile()
    const at: number[] = []
    const clock = new ManualClock(1_000)
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step(
        's',
        ({ attempt }) => {
          at.push(clock.now() - 1_000)
          if (attempt === 1) throw new Error('no')
          return attempt
        },
        { retry: { base: '60s', jitter: 0 } },
      ),
    )
    const one = await onStage({ store, definitions: [flow], clock })
    const { id } = await one.troupe.call(flow)
    await eventually(async () => (await one.troupe.get(id))?.state === 'parked')
    expect((await one.troupe.get(id))?.dueAt).toBe(61_000)
    await one.stop()
    const two = await onStage({ store, definitions: [flow], clock })
    expect(await moving(clock, (await two.troupe.handle(id)).result())).toBe(2)
    expect(at[0]).toBe(0)
    expect(at[1]).toBeGreaterThanOrEqual(60_000)
    expect(at[1]).toBeLessThanOrEqual(60_200)
  })
})

describe('a worker', () => {
  it('is tried once unless told', async () => {
    let calls = 0
    const job = worker('job', {}, () => {
      calls++
      throw new Error('no')
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    expect(await rejection(moving(clock, troupe.run(job)))).toMatchObject({ message: 'no' })
    expect(calls).toBe(1)
  })

  it('is tried again after exact pauses and knows its attempt', async () => {
    const clock = new ManualClock(1_000)
    const seen: string[] = []
    const job = worker('job', { retry: { attempts: 4, base: 200, jitter: 0, backoff: 'linear' } }, (ctx) => {
      seen.push(`${ctx.attempt} at ${clock.now() - 1_000}`)
      if (ctx.attempt < 4) throw new Error('no')
      return ctx.attempt
    })
    const { troupe } = await onStage({ clock, definitions: [job] })
    const result = troupe.run(job)
    await clock.advance(2_000)
    expect(await result).toBe(4)
    expect(seen).toEqual(['1 at 0', '2 at 200', '3 at 600', '4 at 1200'])
  })

  it('is tried again at once when it has no backoff', async () => {
    const clock = new ManualClock(1_000)
    const at: number[] = []
    const job = worker('job', { retry: { attempts: 3, backoff: 'none' } }, () => {
      at.push(clock.now() - 1_000)
      throw new Error('no')
    })
    const { troupe } = await onStage({ clock, definitions: [job] })
    const result = rejection(troupe.run(job))
    await clock.advance(100)
    expect(at.length).toBe(3)
    expect(at.at(-1)).toBeLessThanOrEqual(10)
    expect((await result).message).toBe('no')
  })

  it('fails with what its retryIf throws', async () => {
    const job = worker(
      'job',
      {
        retry: {
          attempts: 3,
          retryIf: () => {
            throw new TypeError('retryIf is broken')
          },
        },
      },
      () => {
        throw new Error('no')
      },
    )
    const { troupe, clock } = await onStage({ definitions: [job] })
    expect(await rejection(moving(clock, troupe.run(job, undefined, { timeout: '1h' })))).toMatchObject({
      name: 'TypeError',
    })
  })

  it('is not tried again after an output that cannot be stored', async () => {
    let calls = 0
    const job = worker('job', { retry: { attempts: 3, backoff: 'none' } }, (): unknown => (calls++, () => 1))
    const large = worker('large', { retry: { attempts: 3, backoff: 'none' } }, () => (calls++, 'x'.repeat(2_000_000)))
    const { troupe, clock } = await onStage({ definitions: [job, large] })
    expect(await rejection(moving(clock, troupe.run(job)))).toMatchObject({ code: 'value_not_storable' })
    expect(await rejection(moving(clock, troupe.run(large)))).toMatchObject({ code: 'value_too_large' })
    expect(calls).toBe(2)
  })
})

describe('a workflow that is tried again', () => {
  it('keeps what its steps returned', async () => {
    let charged = 0
    const flow = workflow('flow', { retry: { attempts: 2, base: 10 } }, async (ctx) => {
      const paid = await ctx.step('charge', () => ++charged)
      if (ctx.attempt === 1) throw new Error('no')
      return { paid, attempt: ctx.attempt }
    })
    const { troupe, clock } = await onStage({ definitions: [flow] })
    expect(await moving(clock, troupe.run(flow))).toEqual({ paid: 1, attempt: 2 })
  })
})

describe('retry options', () => {
  it('are checked where they are written', () => {
    expect(() => worker('w', { retry: { attempts: 0 } }, () => 1)).toThrow(
      'retry.attempts is 0: expected a whole number from 1',
    )
    expect(() => worker('w', { retry: { jitter: 2 } }, () => 1)).toThrow('retry.jitter is 2')
    expect(() => worker('w', { retry: { backoff: 'odd' as never } }, () => 1)).toThrow('retry.backoff is "odd"')
    expect(() => worker('w', { retry: { base: 'soon' } }, () => 1)).toThrow('"soon" is not a duration')
  })
})

it('tells why an attempt failed, which it was and when the next one comes', async () => {
  const flow = workflow('flow', {}, (ctx) =>
    ctx.step(
      'flaky',
      ({ attempt }) => {
        if (attempt < 3) throw attempt === 1 ? new Error('first time fails\nat all') : new TypeError('')
        return attempt
      },
      { retry: { base: '300ms', jitter: 0 } },
    ),
  )
  const job = worker('job', { retry: { attempts: 2, base: '2s', jitter: 0 } }, (ctx) => {
    if (ctx.attempt === 1) throw new Error('no disk')
  })
  const { troupe, clock, log } = await onStage({ definitions: [flow, job] })
  const handle = await troupe.call(flow)
  await moving(clock, handle.result())
  await moving(clock, troupe.run(job))
  expect(log.lines.filter(({ level }) => level === 'info').map(({ message }) => message)).toEqual([
    "step 'flaky' failed (attempt 1 of 3): first time fails; again in 300ms",
    "step 'flaky' failed (attempt 2 of 3): TypeError; again in 600ms",
    "worker 'job' failed (attempt 1 of 2): no disk; again in 2s",
  ])
  expect(log.lines[0]?.fields).toEqual({ run: handle.id, step: 'flaky', attempt: 1 })
  const attempts = await troupe.attempts(handle.id)
  expect(attempts.map(({ path, attempt, error }) => [path, attempt, error.name, error.message])).toEqual([
    ['flaky', 1, 'Error', 'first time fails\nat all'],
    ['flaky', 2, 'TypeError', ''],
  ])
})
