// Starting runs: keys, times, order, queues, names, schemas and values that cannot be stored.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)

describe('an idempotency key', () => {
  it('is one run for callers at the same time and later, also when it has finished', async () => {
    let calls = 0
    const job = worker('job', {}, (_ctx, n: number) => (calls++, n))
    const { troupe } = await onStage({ definitions: [job] })
    const handles = await Promise.all(
      Array.from({ length: 20 }, (_, n) => troupe.call(job, n, { idempotencyKey: 'k' })),
    )
    expect(new Set(handles.map(({ id }) => id)).size).toBe(1)
    const results = await Promise.all(handles.map((handle) => handle.result()))
    expect(new Set(results).size).toBe(1)
    const later = await troupe.call(job, 99, { idempotencyKey: 'k' })
    expect(later.id).toBe(handles[0]?.id)
    expect(await later.result()).toBe(results[0])
    expect(calls).toBe(1)
  })

  it('belongs to its definition', async () => {
    const other = worker('other', {}, () => 1)
    const { troupe } = await onStage({ definitions: [double, other] })
    const one = await troupe.call(double, 1, { idempotencyKey: 'k' })
    const two = await troupe.call(other, undefined, { idempotencyKey: 'k' })
    expect(one.id).not.toBe(two.id)
  })

  it('is refused the second time when told so, naming the run that has it', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    const options = { idempotencyKey: 'k', onConflict: 'reject' as const }
    const settled = await Promise.allSettled([1, 2, 3].map((n) => troupe.call(double, n, options)))
    const [winner] = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const losers = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    expect(losers).toHaveLength(2)
    for (const loser of losers)
      expect(loser).toMatchObject({
        code: 'idempotency_conflict',
        details: { name: 'double', key: 'k', runId: winner?.id },
      })
  })

  it('is one run for two processes', async () => {
    const store = storeFile()
    const one = await onStage({ store, definitions: [double] })
    const two = await onStage({ store, definitions: [double] })
    const handles = await Promise.all([
      one.troupe.call(double, 1, { idempotencyKey: 'k' }),
      two.troupe.call(double, 2, { idempotencyKey: 'k' }),
    ])
    expect(handles[0].id).toBe(handles[1].id)
  })
})

describe('the time of a call', () => {
  it('is later with delay and at, and at once with a past at', async () => {
    const clock = new ManualClock(1_000)
    const when = worker('when', {}, () => clock.now())
    const { troupe } = await onStage({ clock, definitions: [when] })
    const delayed = await troupe.call(when, undefined, { delay: '2s' })
    const dated = await troupe.call(when, undefined, { at: new Date(2_500) })
    const numbered = await troupe.call(when, undefined, { at: 2_600 })
    const past = await troupe.call(when, undefined, { at: 5 })
    expect(await past.result()).toBe(1_000)
    expect(await delayed.status()).toMatchObject({ state: 'scheduled', dueAt: 3_000 })
    await clock.advance(2_500)
    expect(await Promise.all([delayed, dated, numbered].map((handle) => handle.result()))).toEqual([
      3_000, 2_500, 2_600,
    ])
  })

  it('may be of a part of a millisecond', async () => {
    const { troupe, clock } = await onStage({ definitions: [double] })
    const handles = await Promise.all(
      [{ delay: 0.5 }, { delay: '1.7ms' }, { at: 1_000.5 }, { timeout: 5_000.5 }].map((options) =>
        troupe.call(double, 1, options),
      ),
    )
    await clock.advance(1_100)
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([2, 2, 2, 2])
  })

  it('is refused when it is none or two', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    for (const options of [
      { delay: 1, at: 1 },
      { at: new Date('never') },
      { delay: -1 },
      { timeout: 'soon' },
      { priority: 1.5 },
      { priority: 101 },
      { priority: -101 },
      { tags: 'a' },
      { idempotencyKey: '' },
      { onConflict: 'ignore' },
      { prio: 1 },
    ]) {
      expect(await rejection(troupe.call(double, 1, options as object))).toMatchObject({ code: 'option_invalid' })
    }
    expect(await troupe.runs()).toEqual([])
  })
})

describe('the order of ready runs', () => {
  it('is by priority, then by age', async () => {
    const gate = deferred<void>()
    const seen: string[] = []
    const job = worker('job', {}, async (_ctx, name: string) => {
      if (name === 'first') await gate.promise
      seen.push(name)
    })
    const urgent = worker('urgent', { priority: 5 }, (_ctx, name: string) => void seen.push(name))
    const { troupe } = await onStage({ definitions: [job, urgent], pools: { task: { min: 1, max: 1 } } })
    await troupe.call(job, 'first')
    await troupe.call(job, 'old')
    await troupe.call(job, 'young')
    await troupe.call(job, 'low', { priority: -1 })
    await troupe.call(job, 'high', { priority: 9 })
    const last = await troupe.call(urgent, 'urgent')
    gate.resolve()
    await last.result()
    await eventually(() => seen.length === 6)
    expect(seen).toEqual(['first', 'high', 'urgent', 'old', 'young', 'low'])
  })

  it('gives each eighth place to the oldest, so that it does not wait for ever while urgent ones keep coming', async () => {
    let later = 0
    const seen: string[] = []
    const job = worker('job', {}, async (_ctx, name: string) => {
      seen.push(name)
      if (name === 'old') return
      // There is always one that is more urgent.
      if (later < 50) await troupe.call('job', `urgent ${++later}`, { priority: 100 })
    })
    const { troupe } = await onStage({ definitions: [job], pools: { task: { min: 1, max: 1 } }, starts: false })
    const old = await troupe.call(job, 'old', { priority: -100 })
    await troupe.call(job, 'urgent 0', { priority: 100 })
    await troupe.start()
    await old.result()
    expect(seen.indexOf('old')).toBeLessThan(9)
  })
})

describe('a queue', () => {
  it('that no node serves keeps its runs ready until one does', async () => {
    const store = storeFile()
    const job = worker('job', { queue: 'gpu' }, (ctx) => ctx.workerName)
    const one = await onStage({ store, definitions: [job, double], queues: ['default'] })
    const handle = await one.troupe.call(job)
    expect(await one.troupe.run(double, 2)).toBe(4)
    const elsewhere = await one.troupe.call(double, 2, { queue: 'gpu' })
    await one.clock.advance(3_000)
    expect(await handle.status()).toMatchObject({ state: 'ready', queue: 'gpu' })
    expect(await elsewhere.status()).toMatchObject({ state: 'ready', queue: 'gpu' })
    const two = await onStage({
      store,
      definitions: [job, double],
      queues: ['gpu', 'other'],
      clock: new ManualClock(4_000),
    })
    expect(await (await two.troupe.handle(handle.id)).result()).toBe('job')
    expect(await (await two.troupe.handle(elsewhere.id)).result()).toBe(4)
  })

  it('is refused without a name', async () => {
    await expect(onStage({ queues: [] })).rejects.toMatchObject({ code: 'option_invalid' })
    await expect(onStage({ queues: [''] })).rejects.toMatchObject({ code: 'option_invalid' })
  })
})

describe('a definition', () => {
  it('D4: that is not known is named with what is', async () => {
    const { troupe } = await onStage({ definitions: [double, worker('add', {}, () => 1)] })
    expect(await rejection(troupe.run('duoble'))).toMatchObject({
      code: 'worker_not_registered',
      message:
        "Worker 'duoble' not registered. Did you mean 'double'? Registered are: add, double. Pass its definition to Troupe.open({ definitions }), or put its file into a folder and name that in { workers }: none was searched. Or open an engine with it on this store once: from then on all that use the store know its name.",
      details: { name: 'duoble' },
    })
    const empty = await onStage()
    expect((await rejection(empty.troupe.call(double, 1))).message).toContain('Nothing is registered yet')
  })

  it('D4: that is missing on a node keeps its runs ready and harms no others', async () => {
    const store = storeFile()
    const gone = worker('gone', {}, () => 'found')
    const client = await onStage({ store, definitions: [gone], starts: false })
    const { id } = await client.troupe.call(gone)
    const { troupe, clock } = await onStage({ store, definitions: [double] })
    expect(await troupe.run(double, 4)).toBe(8)
    await clock.advance(5_000)
    expect((await troupe.get(id))?.state).toBe('ready')
    await troupe.register(gone)
    await clock.advance(1_100)
    expect(await (await troupe.handle(id)).result()).toBe('found')
  })

  it('of the same name and version exists already, unless it replaces', async () => {
    const again = worker('double', {}, (_ctx, n: number) => n * 20)
    const { troupe } = await onStage({ definitions: [double] })
    expect(await rejection(troupe.register(again))).toMatchObject({
      code: 'definition_exists',
      details: { name: 'double', version: '1' },
    })
    await troupe.register(double)
    await troupe.register(again, { replace: true })
    expect(await troupe.run('double', 1)).toBe(20)
    expect(await troupe.run(double, 1)).toBe(20)
    await expect(onStage({ definitions: [double, again] })).rejects.toMatchObject({ code: 'definition_exists' })
    expect(troupe.definitions()).toEqual(['double'])
  })

  it('of another version is beside the first, and its name starts the last one', async () => {
    const v2 = worker('double', { version: '2' }, (_ctx, n: number) => `v2 ${n}`)
    const { troupe } = await onStage({ definitions: [double, v2] })
    expect(await troupe.run('double', 1)).toBe('v2 1')
    expect(await troupe.run(double, 1)).toBe(2)
    expect((await troupe.runs()).map(({ version }) => version)).toEqual(['1', '2'])
  })

  it('of a version that is not registered starts none of another, and one of the same is the same', async () => {
    const v2 = worker('double', { version: '2' }, () => 'v2')
    const copy = worker('double', {}, () => 'a copy')
    const { troupe } = await onStage({ definitions: [double] })
    expect(await rejection(troupe.run(v2))).toMatchObject({
      code: 'worker_not_registered',
      message: expect.stringContaining("Version 2 of worker 'double' is not registered: there is 1."),
      details: { name: 'double', version: '2' },
    })
    expect(await rejection(troupe.run(worker('other', {}, () => 1)))).toMatchObject({
      code: 'worker_not_registered',
      details: { name: 'other' },
    })
    expect(await troupe.runs()).toEqual([])
    expect(await troupe.run(copy)).toBe(NaN)
  })

  it('of one name that two add at the same time is added once', async () => {
    const other = worker('double', {}, () => 0)
    const { troupe } = await onStage()
    const settled = await Promise.allSettled([troupe.register(double), troupe.register(other)])
    expect(settled.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: 'definition_exists' } },
    ])
  })

  it('is refused when it cannot be one', async () => {
    expect(() => worker('', {}, () => 1)).toThrow(expect.objectContaining({ code: 'definition_invalid' }))
    expect(() => worker('w', {}, undefined as never)).toThrow(expect.objectContaining({ code: 'definition_invalid' }))
    expect(() => workflow('w', { retries: 3 } as object, () => 1)).toThrow("Option 'retries' of 'w'")
    expect(() => worker('w', { priority: 0.5 }, () => 1)).toThrow(
      "priority of 'w' is 0.5: expected a whole number from -100 to 100.",
    )
    expect(() => worker('w', { priority: -101 }, () => 1)).toThrow(expect.objectContaining({ code: 'option_invalid' }))
    expect(() => worker('w', { timeout: 'x' }, () => 1)).toThrow(expect.objectContaining({ code: 'option_invalid' }))
    await expect(onStage({ definitions: [(() => 1) as never] })).rejects.toMatchObject({ code: 'definition_invalid' })
    await expect(onStage({ definition: [] } as object)).rejects.toMatchObject({ code: 'option_invalid' })
  })
})

describe('a schema', () => {
  const Email = z.object({
    to: z.email(),
    copies: z.number().int().max(3).default(1),
    tags: z.array(z.string()).optional(),
  })
  const send = worker('send', { input: Email, output: z.object({ id: z.string() }) }, (_ctx, email) => ({
    id: `${email.to} x${email.copies}`,
    extra: 1,
  }))

  it('fills in what is missing, and what it gives back is stored', async () => {
    const { troupe } = await onStage({ definitions: [send] })
    const handle = await troupe.call(send, { to: 'ann@example.org' })
    expect(await handle.result()).toEqual({ id: 'ann@example.org x1' })
    expect((await handle.status()).input).toEqual({ to: 'ann@example.org', copies: 1 })
  })

  it('that an input does not fit names each place, and starts nothing', async () => {
    const { troupe } = await onStage({ definitions: [send] })
    const error = await rejection(troupe.run('send', { to: 'ann', copies: 7, tags: ['a', 5] }))
    expect(error).toMatchObject({
      name: 'ValidationError',
      code: 'validation_failed',
      retryable: false,
      details: { issues: 3 },
    })
    expect(error.message).toMatch(/^The input of 'send' does not fit its schema: to: .+; copies: .+; tags\.1: .+$/)
    expect(await rejection(troupe.run('send'))).toMatchObject({
      code: 'validation_failed',
      message: expect.stringContaining('the value: '),
    })
    expect(await troupe.runs()).toEqual([])
  })

  it('that an output does not fit fails the run, which is not tried again', async () => {
    let calls = 0
    const job = worker(
      'job',
      { output: z.object({ id: z.string() }), retry: { attempts: 3, backoff: 'none' } },
      () => (calls++, { id: 5 }),
    )
    const { troupe } = await onStage({ definitions: [job] })
    expect(await rejection(troupe.run(job))).toMatchObject({
      name: 'ValidationError',
      message: expect.stringMatching(/^The result of 'job' does not fit its schema: id: /),
    })
    expect(calls).toBe(1)
  })

  it('that throws or is asynchronous is waited for', async () => {
    const late = worker(
      'late',
      { input: z.string().refine(async (text) => (await turns(2), text !== 'bad'), 'is bad') },
      (_ctx, text) => text,
    )
    const { troupe } = await onStage({ definitions: [late] })
    expect(await troupe.run(late, 'good')).toBe('good')
    expect((await rejection(troupe.run(late, 'bad'))).message).toContain('the value: is bad')
  })
})

describe('what a call is given', () => {
  const list = z.array(z.number())
  const same = { ...list['~standard'], validate: (value: unknown) => ({ value: value as number[] }) }

  it.each([
    ['no schema', {}],
    ['a schema that copies', { input: list }],
    ['a schema that does not', { input: { '~standard': same } }],
  ])('is stored as it was at the call, with %s', async (_what, options) => {
    const job = worker('job', options, (_ctx, numbers: number[]) => numbers.length)
    const { troupe } = await onStage({ definitions: [job] })
    const numbers = [1, 2, 3]
    const tags = ['a']
    const call = troupe.call(job, numbers, { tags, queue: 'never seen' })
    numbers.length = 0
    tags.push('b')
    const status = await (await call).status()
    expect([status.input, status.tags]).toEqual([[1, 2, 3], ['a']])
  })
})

describe('a value that cannot be stored', () => {
  it('is refused as input before anything is written', async () => {
    const { troupe } = await onStage({ definitions: [worker('any', {}, (_ctx, value: unknown) => value)] })
    expect(await rejection(troupe.run('any', { a: { fn: () => 1 } }))).toMatchObject({
      code: 'value_not_storable',
      message: expect.stringContaining('input.a.fn is a function'),
    })
    expect(await rejection(troupe.run('any', [Promise.resolve(1)]))).toMatchObject({
      code: 'value_not_storable',
      message: expect.stringContaining('await it first'),
    })
    expect(await rejection(troupe.run('any', 'x'.repeat(1_048_576)))).toMatchObject({
      code: 'value_too_large',
      details: { what: 'input' },
    })
    expect(await troupe.runs()).toEqual([])
    expect(await troupe.run('any', 'x'.repeat(1_048_500))).toHaveLength(1_048_500)
  })

  it('fails the run as output', async () => {
    const job = worker('job', {}, (): unknown => ({ at: Symbol('s') }))
    const flow = workflow('flow', {}, () => 'ü'.repeat(600_000))
    const { troupe } = await onStage({ definitions: [job, flow] })
    expect(await rejection(troupe.run(job))).toMatchObject({
      code: 'value_not_storable',
      message: expect.stringContaining('result.at is a symbol'),
    })
    expect(await rejection(troupe.run(flow))).toMatchObject({
      code: 'value_too_large',
      details: { bytes: 1_200_003, maxBytes: 1_048_576 },
    })
  })

  it('keeps undefined undefined as input and output', async () => {
    const job = worker('job', {}, (ctx, input?: string) => [input === undefined, ctx.payload === undefined, undefined])
    const nothing = worker('nothing', {}, () => undefined)
    const { troupe } = await onStage({ definitions: [job, nothing] })
    expect(await troupe.run(job)).toStrictEqual([true, true, undefined])
    expect(await troupe.run(nothing)).toBe(undefined)
  })
})

describe('a run', () => {
  it('tells what it is', async () => {
    const { troupe, clock } = await onStage({ definitions: [double] })
    const handle = await troupe.call(double, 4, { tags: ['a', 'b'], priority: 2 })
    await handle.result()
    await clock.advance(10)
    expect(await troupe.get(handle.id)).toStrictEqual({
      id: handle.id,
      name: 'double',
      version: '1',
      queue: 'default',
      state: 'succeeded',
      code: undefined,
      fingerprint: undefined,
      generation: 1,
      attempt: 1,
      deliveries: 0,
      createdAt: 1_000,
      startedAt: 1_000,
      waitMs: 0,
      finishedAt: 1_000,
      undoing: undefined,
      dueAt: undefined,
      node: undefined,
      tags: ['a', 'b'],
      correlationId: undefined,
      parent: undefined,
      forkedFrom: undefined,
      schedule: undefined,
      scheduledAt: undefined,
      input: 4,
      output: 8,
      error: undefined,
      progress: undefined,
      reason: undefined,
    })
    expect(await troupe.get('nope')).toBe(undefined)
    expect(await rejection(troupe.handle('nope'))).toMatchObject({ code: 'run_not_found', details: { runId: 'nope' } })
    expect(await rejection(troupe.steps('nope'))).toMatchObject({ code: 'run_not_found' })
  })

  it('is found by name, state and number', async () => {
    const bad = worker('bad', {}, () => {
      throw new Error('no')
    })
    const { troupe } = await onStage({ definitions: [double, bad] })
    for (let n = 0; n < 5; n++) await troupe.run(double, n)
    await troupe.run(bad).catch(() => {})
    expect((await troupe.runs({ name: 'double', limit: 2 })).map(({ input }) => input)).toEqual([4, 3])
    expect((await troupe.runs({ state: 'failed' })).map(({ name, error }) => [name, error?.message])).toEqual([
      ['bad', 'no'],
    ])
    expect(await troupe.runs({ name: 'nobody' })).toEqual([])
  })

  it('reads its configuration and environment', async () => {
    const job = worker('job', {}, (ctx) => [
      ctx.config.get('api.url'),
      ctx.config.get('api.none', 'fallback'),
      ctx.config.get('toString'),
      ctx.isProduction,
    ])
    const { troupe } = await onStage({ definitions: [job], config: { api: { url: 'http://x' } } })
    expect(await troupe.run(job)).toEqual(['http://x', 'fallback', undefined, false])
  })

  it('may start and await others', async () => {
    const parent = workflow('parent', {}, async (ctx) => {
      const ids = await ctx.step('start', async () =>
        (await Promise.all([1, 2, 3].map((n) => troupe.call(double, n)))).map(({ id }) => id),
      )
      return ctx.step('await', () => Promise.all(ids.map(async (id) => (await troupe.handle(id)).result())))
    })
    const { troupe } = await onStage({ definitions: [double, parent] })
    expect(await troupe.run(parent)).toEqual([2, 4, 6])
  })
})

describe('result', () => {
  it('gives up after its timeout while the run goes on', async () => {
    const gate = deferred<string>()
    const job = worker('job', {}, () => gate.promise)
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    const result = rejection(handle.result({ timeout: '1s' }))
    await clock.advance(1_000)
    expect(await result).toMatchObject({ code: 'result_timeout', details: { runId: handle.id, timeoutMs: 1_000 } })
    gate.resolve('done')
    expect(await handle.result({ timeout: '1s' })).toBe('done')
  })

  it('is seen by a client that performs nothing, and a dropped handle harms nothing', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const node = await onStage({ store, clock, definitions: [double] })
    const client = await onStage({ store, clock, definitions: [double], starts: false })
    const handle = await client.troupe.call(double, 21)
    await client.troupe.call(double, 1)
    const result = handle.result()
    await clock.advance(200)
    expect(await result).toBe(42)
    expect((await node.troupe.runs({ state: 'succeeded' })).length).toBe(2)
  })

  it('of a failed run is the same error for all, with its class', async () => {
    const bad = worker('bad', {}, () => {
      throw new RangeError('too far', { cause: new Error('why') })
    })
    const { troupe } = await onStage({ definitions: [bad] })
    const handle = await troupe.call(bad)
    const errors = await Promise.all([
      rejection(handle.result()),
      rejection(handle.result()),
      rejection((await troupe.handle(handle.id)).result()),
    ])
    for (const error of errors) {
      expect(error).toBeInstanceOf(RangeError)
      expect(error).toMatchObject({ message: 'too far', cause: { message: 'why' } })
    }
  })
})
