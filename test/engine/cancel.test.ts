// Cancelling: a run in any state, exactly one end, and code that is told why.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const cancelled = (reason: string) => ({
  code: 'run_cancelled',
  message: expect.stringMatching(new RegExp(`was cancelled: ${reason}$`)),
  details: expect.objectContaining({ reason }),
})

describe('cancel', () => {
  it('ends a ready run before it begins', async () => {
    let calls = 0
    const job = worker('job', { queue: 'elsewhere' }, () => calls++)
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    const result = rejection(handle.result())
    expect(await handle.cancel('too late')).toBe(true)
    expect(await result).toMatchObject(cancelled('too late'))
    expect(await handle.status()).toMatchObject({ state: 'cancelled', error: { code: 'run_cancelled' } })
    expect(calls).toBe(0)
  })

  it('ends a scheduled run and it never starts', async () => {
    let calls = 0
    const job = worker('job', {}, () => calls++)
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job, undefined, { delay: '1s' })
    expect(await troupe.cancel(handle.id, 'no')).toBe(true)
    await clock.advance(5_000)
    expect(calls).toBe(0)
    expect(await rejection(handle.result())).toMatchObject(cancelled('no'))
  })

  it('ends a parked run', async () => {
    const flow = workflow('flow', {}, (ctx) => ctx.sleep('30d'))
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await handle.cancel('enough')).toBe(true)
    expect(await rejection(handle.result())).toMatchObject(cancelled('enough'))
  })

  it('ends a running worker, whose signal tells why', async () => {
    const reasons: unknown[] = []
    const job = worker('job', {}, async (ctx) => {
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      await deferred<void>().promise
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await turns()
    expect(await handle.cancel('stop it')).toBe(true)
    expect(reasons).toEqual([expect.objectContaining(cancelled('stop it'))])
    expect((await handle.status()).state).toBe('cancelled')
  })

  it('ends a running workflow, whose step is told why and whose result is ignored', async () => {
    const reasons: unknown[] = []
    const gate = deferred<string>()
    const flow = workflow('flow', {}, (ctx) =>
      ctx.step('slow', ({ signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason))
        return gate.promise
      }),
    )
    const { troupe } = await onStage({ definitions: [flow] })
    const handle = await troupe.call(flow)
    await turns()
    expect(await handle.cancel('stop it')).toBe(true)
    expect(reasons).toEqual([expect.objectContaining(cancelled('stop it'))])
    gate.resolve('late')
    await turns()
    expect(await troupe.steps(handle.id)).toEqual([])
    expect((await handle.status()).state).toBe('cancelled')
  })

  it('keeps a step from starting that waits for a free actor', async () => {
    const calls: string[] = []
    const gate = deferred<void>()
    const flow = workflow('flow', {}, (ctx) =>
      Promise.all([
        ctx.step('first', () => (calls.push('first'), gate.promise)),
        ctx.step('second', () => calls.push('second')),
      ]),
    )
    const { troupe } = await onStage({ definitions: [flow], pools: { task: { min: 1, max: 1 } } })
    const handle = await troupe.call(flow)
    await eventually(() => calls.length === 1)
    expect(await handle.cancel()).toBe(true)
    gate.resolve()
    await turns()
    expect(calls).toEqual(['first'])
  })

  it('ends a run that rests between two attempts', async () => {
    let calls = 0
    const job = worker('job', { retry: { attempts: 5, base: '1s', jitter: 0 } }, () => {
      calls++
      throw new Error('no')
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).state === 'scheduled')
    expect(await handle.cancel('enough')).toBe(true)
    await clock.advance(10_000)
    expect(calls).toBe(1)
  })

  it('tells that it lost against an end that came first (I11)', async () => {
    const job = worker('job', {}, () => 'done')
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await handle.result()
    expect(await handle.cancel('too late')).toBe(false)
    expect(await handle.result()).toBe('done')
    expect((await handle.status()).state).toBe('succeeded')
  })

  it('has one winner when it meets the end of the run, and all see the same (I11)', async () => {
    const gates: ReturnType<typeof deferred<void>>[] = []
    const job = worker('job', {}, async () => {
      const gate = deferred<void>()
      gates.push(gate)
      await gate.promise
      return 'done'
    })
    const { troupe } = await onStage({ definitions: [job] })
    const winners = new Set<string>()
    for (let lead = 0; lead < 12; lead++) {
      const handle = await troupe.call(job)
      await eventually(() => gates.length === lead + 1)
      const isFirst = lead % 2 === 0
      if (isFirst) gates[lead]?.resolve()
      for (let turn = 0; turn < lead / 2; turn++) await Promise.resolve()
      const answers = Promise.all([handle.cancel('a'), handle.cancel('b')])
      if (!isFirst) gates[lead]?.resolve()
      const [first, second] = await answers
      const [result] = await Promise.allSettled([handle.result()])
      const { state } = await handle.status()
      expect(first).toBe(state === 'cancelled')
      expect(second && state !== 'cancelled').toBe(false)
      expect(result.status).toBe(state === 'cancelled' ? 'rejected' : 'fulfilled')
      winners.add(state)
    }
    expect([...winners].every((state) => state === 'cancelled' || state === 'succeeded')).toBe(true)
  })

  it('told twice is told the same', async () => {
    const job = worker('job', {}, () => deferred<void>().promise)
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    expect(await handle.cancel('one')).toBe(true)
    expect(await rejection(handle.result())).toMatchObject(cancelled('one'))
  })

  it('of a run that is not there says so', async () => {
    const { troupe } = await onStage()
    const id = '00000000-0000-7000-8000-000000000000'
    expect(await rejection(troupe.cancel(id))).toMatchObject({ code: 'run_not_found', details: { runId: id } })
  })

  it('from another process reaches the node that runs it', async () => {
    const store = storeFile()
    const reasons: string[] = []
    const job = worker('job', {}, async (ctx) => {
      ctx.signal.addEventListener('abort', () => reasons.push((ctx.signal.reason as { code: string }).code))
      await deferred<void>().promise
    })
    const clock = new ManualClock(1_000)
    const node = await onStage({ store, clock, definitions: [job] })
    const client = await onStage({ store, clock, definitions: [job], starts: false })
    const { id } = await node.troupe.call(job)
    await eventually(async () => (await node.troupe.get(id))?.state === 'running')
    const answer = (await client.troupe.handle(id)).cancel('from afar')
    await clock.advance(100)
    expect(await answer).toBe(true)
    expect(reasons).toEqual(['run_cancelled'])
    expect((await client.troupe.get(id))?.state).toBe('cancelled')
  })

  it('from another process reaches a run that parks before its node has heard of it', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.step('first', () => 1)
      await gate.promise
      await ctx.sleep('30d')
    })
    const clock = new ManualClock(1_000)
    const node = await onStage({ store, clock, definitions: [flow] })
    const client = await onStage({ store, clock, definitions: [flow], starts: false })
    const { id } = await node.troupe.call(flow)
    await eventually(async () => (await node.troupe.steps(id)).length === 1)
    const answer = (await client.troupe.handle(id)).cancel('from afar')
    await turns(5)
    gate.resolve()
    await eventually(async () => (await node.troupe.get(id))?.state !== 'running')
    await clock.advance(5_000)
    expect((await node.troupe.get(id))?.state).toBe('cancelled')
    expect(await answer).toBe(true)
  })

  it('from another process reaches a run that fails and is to be tried again', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    let calls = 0
    const job = worker('job', { retry: { attempts: 2, base: '1h', jitter: 0 } }, async () => {
      calls += 1
      await gate.promise
      throw new Error('no')
    })
    const clock = new ManualClock(1_000)
    const node = await onStage({ store, clock, definitions: [job] })
    const client = await onStage({ store, clock, definitions: [job], starts: false })
    const { id } = await node.troupe.call(job)
    await eventually(() => calls === 1)
    const answer = (await client.troupe.handle(id)).cancel('from afar')
    await turns(5)
    gate.resolve()
    await eventually(async () => (await node.troupe.get(id))?.state !== 'running')
    await clock.advance(5_000)
    expect((await node.troupe.get(id))?.state).toBe('cancelled')
    expect(await answer).toBe(true)
    expect(calls).toBe(1)
  })
})
