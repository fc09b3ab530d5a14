// The three times a run can be given: to begin, for each attempt, and in all; and what else a call says of its run alone.
import { describe, expect, it } from 'vitest'
import { PermanentError, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

describe('expires', () => {
  it('fails a run that nobody began in time, told apart from one that took too long', async () => {
    const job = worker('job', {}, () => 'done')
    const { troupe, clock } = await onStage({ definitions: [job], queues: ['other'] })
    const handle = await troupe.call(job, undefined, { expires: '5s' })
    const ended = rejection(handle.result())
    await clock.advance(7_000)
    expect(await ended).toMatchObject({ name: 'TroupeError', code: 'expired', details: { name: 'job', waitMs: 5_000 } })
    expect((await ended).message).toMatch(/^Worker 'job' expired: its run was not begun within 5s of its call\./)
    expect(await troupe.stats('job')).toMatchObject({ failed: 1, timedOut: 0 })
  })

  it('tells nobody that nobody waits for a run whose parent does', async () => {
    const job = worker('job', { queue: 'other' }, () => 'done')
    const flow = workflow('flow', {}, async (ctx) => {
      const error = await ctx.run(job, undefined, { expires: '20s' }).catch((caught: unknown) => caught)
      return (error as { code: string }).code
    })
    const { troupe, clock, log } = await onStage({ definitions: [job, flow] })
    expect(await moving(clock, troupe.run(flow))).toBe('expired')
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
    const alone = await troupe.call(job, undefined, { expires: '5s' })
    await clock.advance(6_000)
    await eventually(async () => (await alone.status()).state === 'failed')
    expect(log.lines.filter(({ level }) => level === 'error').length).toBe(1)
  })

  it('leaves a run alone that was begun, however often it is tried', async () => {
    let calls = 0
    const job = worker('job', { retry: { attempts: 3, base: '10s', jitter: 0 } }, () => {
      calls += 1
      if (calls < 3) throw new Error('not yet')
      return calls
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    expect(await moving(clock, troupe.run(job, undefined, { expires: '5s' }))).toBe(3)
  })

  it('counts from the time at which it could begin', async () => {
    const job = worker('job', {}, () => 'done')
    const { troupe, clock } = await onStage({ definitions: [job] })
    expect(await moving(clock, troupe.run(job, undefined, { delay: '1m', expires: '5s' }))).toBe('done')
  })

  it('lets no run begin after its time, though nobody has noticed yet that it is up', async () => {
    const gate = deferred<void>()
    const seen: number[] = []
    const job = worker('job', {}, async (_ctx, n: number) => {
      seen.push(n)
      await gate.promise
    })
    const store = storeFile()
    const { troupe, clock } = await onStage({ store, definitions: [job], pools: { task: { min: 1, max: 1 } } })
    await troupe.call(job, 1)
    await eventually(() => seen.length === 1)
    const client = await onStage({ store, clock, definitions: [job], starts: false, node: 'client' })
    const late = await client.troupe.call(job, 2, { expires: 10 })
    await clock.advance(10)
    gate.resolve()
    expect(await moving(clock, rejection(late.result()))).toMatchObject({ code: 'expired' })
    expect(seen).toEqual([1])
  })
})

describe('a run that its node claimed ahead and gave back', () => {
  it('expires like any other, as nobody has begun it', async () => {
    const gate = deferred<void>()
    const job = worker('job', {}, async (_ctx, isLong: boolean) => {
      if (isLong) await gate.promise
    })
    const { troupe, clock } = await onStage({ definitions: [job], pools: { task: { min: 1, max: 1 } } })
    for (let n = 0; n < 50; n++) await troupe.run(job, false)
    await troupe.call(job, true)
    const late = await troupe.call(job, false, { expires: '10s' })
    await eventually(async () => (await late.status()).state === 'running')
    expect((await late.status()).startedAt).toBe(undefined)
    await clock.advance(5_000)
    await eventually(async () => (await late.status()).state === 'ready')
    const ended = rejection(late.result())
    await clock.advance(6_000)
    expect(await ended).toMatchObject({ code: 'expired' })
    gate.resolve()
  })
})

describe('what a call says of its run alone', () => {
  it('retries as the call says, and as the definition says where it is silent', async () => {
    const times: number[] = []
    const job = worker('job', { retry: { attempts: 2, backoff: 'linear', base: '2s', jitter: 0 } }, () => {
      times.push(clock.now())
      throw new Error('always')
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    await moving(clock, rejection(troupe.run(job, undefined, { retry: { attempts: 3 } })))
    expect([times[1]! - times[0]!, times[2]! - times[1]!, times.length]).toEqual([2_000, 4_000, 3])
    times.length = 0
    await moving(clock, rejection(troupe.run(job, undefined, { retry: { backoff: 'none' } })))
    expect([times[1]! - times[0]!, times.length]).toEqual([0, 2])
  })

  it('keeps the functions of the definition, and what is never tried again', async () => {
    let calls = 0
    const job = worker('job', { retry: { retryIf: (error) => error.message !== 'stop' } }, (_ctx, text: string) => {
      calls += 1
      throw text === 'permanent' ? new PermanentError(text) : new Error(text)
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    for (const text of ['stop', 'permanent']) {
      await moving(clock, rejection(troupe.run(job, text, { retry: { attempts: 5 } })))
    }
    expect(calls).toBe(2)
  })

  it('tells its correlation id to its code and in its status', async () => {
    const job = worker('job', {}, (ctx) => ctx.correlationId)
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job, undefined, { correlationId: 'request-7' })
    expect([await handle.result(), (await handle.status()).correlationId]).toEqual(['request-7', 'request-7'])
    expect(await troupe.run(job)).toBeUndefined()
    const [many] = await troupe.callMany(job, [undefined], { correlationId: 'bulk', delay: 1 })
    expect(await many?.status()).toMatchObject({ correlationId: 'bulk' })
  })
})

describe('B15: the timeout of an engine', () => {
  it('is that of every run whose call has none, also by run and callMany', async () => {
    const job = worker('job', {}, (ctx) => ctx.sleep('1h'))
    const { troupe, clock } = await onStage({ definitions: [job], timeout: '5s' })
    const startedAt = clock.now()
    const endsAfter = async (run: Promise<unknown>): Promise<number> => {
      expect(await moving(clock, rejection(run))).toMatchObject({ code: 'timed_out' })
      return Math.floor((clock.now() - startedAt) / 1_000)
    }
    const [many] = await troupe.callMany(job, [undefined])
    const longer = troupe.run(job, undefined, { timeout: '20s' })
    const kept = rejection(longer)
    expect(await endsAfter(troupe.run(job))).toBe(5)
    expect(await endsAfter(many!.result())).toBe(5)
    expect(await moving(clock, kept)).toMatchObject({ code: 'timed_out', details: { timeoutMs: 20_000 } })
    expect(await rejection(onStage({ timeout: 'soon' }))).toMatchObject({ code: 'option_invalid' })
  })
})
