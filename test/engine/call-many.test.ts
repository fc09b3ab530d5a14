// Many runs by one call: all of them or none is refused, in order, and the event loop keeps turning.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { worker, workflow } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('callMany', () => {
  it('starts a run for each input, in their order, and gives their handles', async () => {
    const double = worker('double', {}, (_ctx, n: number) => n * 2)
    const { troupe } = await onStage({ definitions: [double] })
    const handles = await troupe.callMany(double, [3, 1, 2])
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([6, 2, 4])
    expect(handles.map(({ name }) => name)).toEqual(['double', 'double', 'double'])
    expect((await troupe.runs()).map(({ id }) => id).reverse()).toEqual(handles.map(({ id }) => id))
  })

  it('starts workflows, and what is known by its name alone', async () => {
    const flow = workflow('flow', {}, (ctx, n: number) => ctx.step('add', () => n + 1))
    const { troupe } = await onStage({ definitions: [flow] })
    const handles = await troupe.callMany('flow', [1, 2])
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([2, 3])
  })

  it('gives no handles for no inputs', async () => {
    const { troupe } = await onStage({ definitions: [worker('job', {}, () => 1)] })
    expect(await troupe.callMany('job', [])).toEqual([])
    expect(await troupe.runs()).toEqual([])
  })

  it('B13: has the runs in the store when it returns, whether or not anybody performs them', async () => {
    const store = storeFile()
    const job = worker('job', { queue: 'slow', tags: ['all'] }, (_ctx, n: number) => n)
    const client = await onStage({ store, definitions: [job], starts: false })
    const handles = await client.troupe.callMany(job, [5, 6], { priority: 3, tags: ['bulk'], delay: '1m' })
    await client.stop()
    const { troupe, clock } = await onStage({ store, definitions: [job], queues: ['slow'] })
    expect(await troupe.get(handles[1]?.id ?? '')).toMatchObject({
      state: 'scheduled',
      tags: ['all', 'bulk'],
      input: 6,
    })
    const last = await troupe.handle(handles[1]?.id ?? '')
    expect(await moving(clock, last.result())).toBe(6)
  })

  it('performs ten thousand, each once, and lets the event loop turn meanwhile', async () => {
    const calls = new Map<number, number>()
    const job = worker('job', {}, (_ctx, n: number) => void calls.set(n, (calls.get(n) ?? 0) + 1))
    const { troupe } = await onStage({ definitions: [job] })
    let loops = 0
    let isCounting = true
    const count = (): void => systemClock.soon(() => isCounting && (loops++, count()))
    count()
    const handles = await troupe.callMany(job, numbers(10_000))
    isCounting = false
    await Promise.all(handles.map((handle) => handle.result()))
    expect(new Set(handles.map(({ id }) => id)).size).toBe(10_000)
    expect([calls.size, Math.max(...calls.values())]).toEqual([10_000, 1])
    // Twice a thousand inputs: once to check them, once to write them.
    expect(loops).toBeGreaterThanOrEqual(18)
  })

  it('lets a call of another caller through while it writes', async () => {
    const job = worker('job', {}, (_ctx, n: number) => n)
    const { troupe } = await onStage({ definitions: [job] })
    const order: string[] = []
    const many = troupe.callMany(job, numbers(20_000)).then(() => order.push('many'))
    await eventually(async () => (await troupe.runs({ limit: 1 })).length > 0)
    await troupe.call(job, -1).then(() => order.push('one'))
    await many
    expect(order).toEqual(['one', 'many'])
  })

  it('reads its list before it returns', async () => {
    const job = worker('job', {}, (_ctx, n: number) => n)
    const { troupe } = await onStage({ definitions: [job] })
    const inputs = numbers(2_500)
    const many = troupe.callMany(job, inputs)
    inputs.length = 0
    expect(await many).toHaveLength(2_500)
  })
})

describe('callMany with something wrong', () => {
  const Order = z.object({ id: z.number() })

  it.each([
    ['at once', Order],
    ['later', Order.refine(async ({ id }) => Promise.resolve(id < 1_000_000))],
  ])('names the input that its schema refuses %s, and starts none', async (_when, input) => {
    const job = worker('job', { input }, () => 1)
    const { troupe } = await onStage({ definitions: [job] })
    const inputs = numbers(30).map((id) => (id === 17 ? { id: 'x' } : { id }))
    const refused = await rejection(troupe.callMany('job', inputs))
    expect(refused).toMatchObject({ name: 'ValidationError', code: 'validation_failed', details: { index: 17 } })
    expect(refused.message).toMatch(/^inputs\[17\]: The input of 'job' does not fit its schema: id: /)
    expect(await troupe.runs()).toEqual([])
  })

  it('names the input that cannot be stored, also far down the list', async () => {
    const job = worker('job', {}, (_ctx, input: unknown) => input)
    const { troupe } = await onStage({ definitions: [job] })
    const inputs: unknown[] = numbers(3_000)
    inputs[2_345] = () => 1
    const refused = await rejection(troupe.callMany(job, inputs))
    expect(refused).toMatchObject({ code: 'value_not_storable', details: { index: 2_345 } })
    expect(refused.message).toMatch(/^inputs\[2345\]: /)
    expect(await troupe.runs()).toEqual([])
  })

  it('names the input whose key is none, or could not be made', async () => {
    const job = worker('job', {}, (_ctx, n: number) => n)
    const { troupe } = await onStage({ definitions: [job] })
    const noText = { idempotencyKey: (n: number) => (n === 2 ? '' : `k${n}`) }
    expect(await rejection(troupe.callMany(job, [0, 1, 2], noText))).toMatchObject({
      code: 'option_invalid',
      details: { index: 2 },
    })
    const throwing = {
      idempotencyKey: (): string => {
        throw new RangeError('no key')
      },
    }
    const refused = await rejection(troupe.callMany(job, [0], throwing))
    expect(refused).toMatchObject({ code: 'option_invalid', message: 'inputs[0]: no key', details: { index: 0 } })
    expect(refused.cause).toBeInstanceOf(RangeError)
    expect(await troupe.runs()).toEqual([])
  })

  it('tells how many are started when the store stops in between', async () => {
    const store = storeFile()
    const job = worker('job', {}, (_ctx, n: number) => n)
    const { troupe, clock } = await onStage({ store, definitions: [job], starts: false })
    const other = await intruder(store)
    const started = (): number => (other.prepare('select count(*) as n from run').get() as { n: number }).n
    const refused = rejection(troupe.callMany(job, numbers(10_000)))
    await eventually(() => started() > 0)
    other.exec('begin immediate')
    await clock.advance(65_000)
    const error = await refused
    expect(error).toMatchObject({ code: 'store_busy', retryable: true, details: { started: started() } })
    expect(started()).toBeGreaterThanOrEqual(1_000)
    expect(started()).toBeLessThan(10_000)
    expect(error.message).toContain(`Of the 10,000 runs of this call the first ${started().toLocaleString('en')} are`)
  })

  it('refuses options that make no sense for many, a list that is none, and an engine that has stopped', async () => {
    const job = worker('job', {}, (_ctx, n: number) => n)
    const { troupe, stop } = await onStage({ definitions: [job] })
    for (const options of [
      { onConflict: 'reject' },
      { idempotencyKey: 'one for all' },
      { prioritty: 1 },
      { priority: 0.5 },
      null,
    ]) {
      expect(await rejection(troupe.callMany(job, [1], options as never))).toMatchObject({ code: 'option_invalid' })
    }
    expect(await rejection(troupe.callMany(job, 'abc' as never))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(troupe.callMany('jbo', [1]))).toMatchObject({ code: 'worker_not_registered' })
    await stop()
    expect(await rejection(troupe.callMany(job, [1]))).toMatchObject({ code: 'engine_stopped' })
  })
})

describe('callMany with keys', () => {
  it('gives inputs of one key one run, those of runs before too', async () => {
    const job = worker('job', {}, (_ctx, n: number) => n)
    const { troupe } = await onStage({ definitions: [job] })
    const before = await troupe.call(job, 7, { idempotencyKey: 'odd' })
    const idempotencyKey = (n: number): string => (n % 2 === 0 ? `even-${n % 4}` : 'odd')
    const handles = await troupe.callMany(job, numbers(8), { idempotencyKey })
    const ids = handles.map(({ id }) => id)
    expect([ids[1], ids[3], ids[5], ids[7]]).toEqual(Array.from({ length: 4 }, () => before.id))
    expect([ids[4], ids[6]]).toEqual([ids[0], ids[2]])
    expect(ids[0]).not.toBe(ids[2])
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([0, 7, 2, 7, 0, 7, 2, 7])
  })

  it('makes them as the definition says, unless the call says otherwise', async () => {
    const job = worker('job', { idempotencyKey: (n: number) => `n${n}` }, (_ctx, n: number) => n)
    const { troupe } = await onStage({ definitions: [job], starts: false })
    const byDefinition = await troupe.callMany(job, [1, 1, 2])
    expect(new Set(byDefinition.map(({ id }) => id)).size).toBe(2)
    const byPlace = await troupe.callMany(job, [1, 1, 2], { idempotencyKey: (_n, index) => `at ${index}` })
    expect(new Set(byPlace.map(({ id }) => id)).size).toBe(3)
  })
})

describe('callMany of a worker that is not durable', () => {
  it('starts them here, and none when one is refused', async () => {
    const seen: number[] = []
    const job = worker('job', { durable: false }, (_ctx, n: number) => (seen.push(n), n + 1))
    const { troupe } = await onStage({ definitions: [job] })
    const handles = await troupe.callMany(job, [1, 2])
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([2, 3])
    expect(await rejection(troupe.callMany('job', [1, () => 2]))).toMatchObject({ details: { index: 1 } })
    expect(await rejection(troupe.callMany(job, [1], { tags: ['x'] }))).toMatchObject({ code: 'option_invalid' })
    expect(seen).toEqual([1, 2])
  })

  it('ends those that still wait when it stops', async () => {
    const gate = deferred<void>()
    const job = worker('job', { durable: false }, () => gate.promise)
    const { troupe, stop } = await onStage({ definitions: [job] })
    const handles = await troupe.callMany(job, [undefined, undefined])
    const results = Promise.all(handles.map((handle) => rejection(handle.result())))
    await stop()
    expect((await results).map(({ code }) => code)).toEqual(['engine_stopped', 'engine_stopped'])
  })
})
