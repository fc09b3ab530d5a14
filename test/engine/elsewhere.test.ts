// Starting by name what other processes perform: a producer has none of their code, and names nobody ever had are refused.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expect, it } from 'vitest'
import { limiter, worker, workflow } from '../../src/index.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, type Stage } from './stage.ts'

noUnhandledRejections()

/** A schema that takes texts of digits and gives numbers: what is checked twice does not fit. */
const digits: StandardSchemaV1<string, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'string' && /^\d+$/.test(value)
        ? { value: Number(value) }
        : { issues: [{ message: 'no digits' }] },
  },
}

/** A process that performs these, and one that has none of them. */
async function pair(
  definitions: NonNullable<Parameters<typeof onStage>[0]>['definitions'],
): Promise<{ server: Stage; producer: Stage }> {
  const store = storeFile()
  const server = await onStage({ store, definitions: definitions ?? [], queues: ['default', 'mail'] })
  const producer = await onStage({ store, clock: server.clock, starts: false })
  return { server, producer }
}

describe('a process without the code', () => {
  it('starts runs by name, with the queue, priority and tags of the definition', async () => {
    const job = worker('job', { queue: 'mail', priority: 7, tags: ['a'] }, (_, n: number) => n * 2)
    const { producer, server } = await pair([job])
    const handle = await producer.troupe.call('job', 21, { tags: ['b'] })
    expect(await moving(server.clock, handle.result())).toBe(42)
    expect(await handle.status()).toMatchObject({ queue: 'mail', tags: ['a', 'b'], version: '1' })
    expect((await producer.troupe.callMany('job', [1, 2])).length).toBe(2)
  })

  it('starts nothing of a name that no process ever had, and names the nearest', async () => {
    const { producer } = await pair([worker('send-email', {}, () => 1)])
    const error = await rejection(producer.troupe.call('send-mail'))
    expect(error.code).toBe('worker_not_registered')
    expect(error.message).toMatch(/^Worker 'send-mail' not registered\. Did you mean 'send-email'\?/)
  })

  it('starts runs of a workflow, and what it gave may be changed at once', async () => {
    const flow = workflow('flow', {}, (ctx, order: { n: number }) => ctx.step('s', () => order.n))
    const { producer, server } = await pair([flow])
    const order = { n: 1 }
    const options = { tags: ['first'] }
    const started = producer.troupe.call('flow', order, options)
    order.n = 2
    options.tags = ['second']
    const handle = await started
    expect([await moving(server.clock, handle.result()), (await handle.status()).tags]).toEqual([1, ['first']])
  })

  it('performs workflows that start runs of it, whose inputs are checked there', async () => {
    const store = storeFile()
    const job = worker('job', { queue: 'mail', input: digits }, (_, n) => n * 2)
    const flow = workflow('flow', {}, async (ctx, digit: string) => {
      const output = await ctx.run('job', digit)
      const refused = await ctx.run('jop').catch((error: { code: string }) => error.code)
      return [output, refused]
    })
    const server = await onStage({ store, definitions: [job], queues: ['mail'] })
    const { troupe } = await onStage({ store, definitions: [flow], clock: server.clock, node: 'other' })
    expect(await moving(server.clock, troupe.run(flow, '21'))).toEqual([42, 'worker_not_registered'])
    const failed = await rejection(moving(server.clock, troupe.run(flow, 'none')))
    expect(failed.code).toBe('validation_failed')
  })

  it('has its inputs checked where the schema is: once, and as it gives them back', async () => {
    const seen: unknown[] = []
    const job = worker('job', { input: digits, retry: { attempts: 3 } }, (ctx, n) => void seen.push(n, ctx.payload))
    const { producer, server } = await pair([job])
    await moving(server.clock, producer.troupe.run('job', '12'))
    await server.troupe.run(job, '13')
    expect(seen).toEqual([12, 12, 13, 13])
    const handle = await producer.troupe.call('job', 'x')
    const error = await rejection(moving(server.clock, handle.result()))
    expect([error.code, error.message]).toEqual([
      'validation_failed',
      "The input of 'job' does not fit its schema: the value: no digits",
    ])
    expect((await handle.status()).attempt).toBe(1)
  })

  it('passes the limiters of the definition', async () => {
    const one = limiter('one', { concurrency: 1 })
    let atOnce = 0
    let most = 0
    const job = worker('job', { limits: [one] }, async () => {
      most = Math.max(most, ++atOnce)
      await new Promise((resolve) => setImmediate(resolve))
      atOnce--
    })
    const { producer, server } = await pair([job])
    const handles = await producer.troupe.callMany('job', [1, 2, 3])
    await moving(server.clock, Promise.all(handles.map((handle) => handle.result())))
    expect(most).toBe(1)
  })

  it('is refused what only the code can say: keys that are made of the input', async () => {
    const keyed = worker('keyed', { idempotencyKey: (id: string) => id }, () => 1)
    const cached = worker('cached', { cache: { ttl: '1m', key: (id: string) => id } }, () => 1)
    const limited = worker('limited', { limits: [limiter('l', { concurrency: 1, key: (id: string) => id })] }, () => 1)
    const { producer } = await pair([keyed, cached, limited])
    const messages: string[] = []
    for (const name of ['keyed', 'cached', 'limited'])
      messages.push((await rejection(producer.troupe.call(name, 'a'))).message.split(', which')[0] ?? '')
    expect(messages).toEqual([
      "Worker 'keyed' not registered in this process, and starting it needs idempotencyKey",
      "Worker 'cached' not registered in this process, and starting it needs cache.key",
      "Worker 'limited' not registered in this process, and starting it needs the key of limiter 'l'",
    ])
    expect((await producer.troupe.call('keyed', 'a', { idempotencyKey: 'a' })).name).toBe('keyed')
  })

  it('starts the version that is served, else the newest', async () => {
    const store = storeFile()
    const second = await onStage({
      store,
      definitions: [worker('job', { version: '2' }, () => 'second')],
      starts: false,
    })
    await second.stop()
    const first = await onStage({ store, definitions: [worker('job', { version: '1' }, () => 'first')] })
    const producer = await onStage({ store, clock: first.clock, starts: false })
    expect(await moving(first.clock, producer.troupe.run('job'))).toBe('first')
    await first.stop()
    const newer = await onStage({ store, definitions: [worker('job', { version: '3' }, () => 'third')], starts: false })
    await newer.stop()
    expect((await (await producer.troupe.call('job')).status()).version).toBe('3')
  })

  it('performs none of them itself, also when it performs others', async () => {
    const store = storeFile()
    const owner = await onStage({ store, definitions: [worker('job', {}, () => 'done')], starts: false })
    await owner.stop()
    const other = await onStage({ store, definitions: [worker('other', {}, () => 1)] })
    const { id } = await other.troupe.call('job')
    expect((await other.troupe.get(id))?.reason).toMatchObject({ kind: 'not_served', missing: 'definition' })
    const back = await onStage({ store, clock: other.clock, definitions: [worker('job', {}, () => 'done')] })
    expect((await eventually(async () => (await back.troupe.get(id))?.state === 'succeeded')) as boolean).toBe(true)
  })
})
