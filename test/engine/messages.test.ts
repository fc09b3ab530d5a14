// What a run says while it runs: messages, progress and lines, in order, to readers early and late.
import { describe, expect, it } from 'vitest'
import { worker, workflow, type RunHandle } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

async function all(handle: RunHandle): Promise<unknown[]> {
  const messages: unknown[] = []
  for await (const message of handle) messages.push(message)
  return messages
}

describe('messages of a run', () => {
  it('come in order, as they are sent, with their types', async () => {
    const gates = [deferred<void>(), deferred<void>()]
    const job = worker('job', {}, async (ctx) => {
      expect(ctx.emit({ at: new Date(1) })).toBe(true)
      await gates[0]?.promise
      ctx.emit('second')
      ctx.emit(3n)
      await gates[1]?.promise
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    expect(await handle.recv()).toEqual({ at: new Date(1) })
    const second = handle.recv()
    gates[0]?.resolve()
    expect(await second).toBe('second')
    expect(await handle.recv()).toBe(3n)
    const end = handle.recv()
    gates[1]?.resolve()
    expect(await end).toBe(undefined)
    expect(await handle.recv()).toBe(undefined)
  })

  it('are all there for a late reader, and for another handle', async () => {
    const job = worker('job', {}, (ctx) => {
      for (let n = 1; n <= 250; n++) ctx.emit(n)
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await handle.result()
    const expected = Array.from({ length: 250 }, (_, n) => n + 1)
    expect(await all(handle)).toEqual(expected)
    expect(await all(await troupe.handle(handle.id))).toEqual(expected)
  })

  it('are read once each when several read one handle at the same time', async () => {
    const job = worker('job', {}, (ctx) => {
      for (let n = 1; n <= 6; n++) ctx.emit(n)
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await handle.result()
    const read = await Promise.all(Array.from({ length: 7 }, () => handle.recv()))
    expect(read.toSorted()).toEqual([1, 2, 3, 4, 5, 6, undefined])
  })

  it('that are undefined do not end the reading', async () => {
    const job = worker('job', {}, (ctx) => {
      ctx.emit(undefined)
      ctx.emit('after')
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    expect(await all(handle)).toEqual([undefined, 'after'])
  })

  it('may be left unread in the middle', async () => {
    const job = worker('job', {}, (ctx) => {
      for (let n = 1; n <= 5; n++) ctx.emit(n)
      return 'done'
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    for await (const message of handle) if (message === 2) break
    expect(await handle.recv()).toBe(3)
    expect(await handle.result()).toBe('done')
  })

  it('of each attempt follow each other', async () => {
    const job = worker('job', { retry: { attempts: 2, base: 10, jitter: 0 } }, (ctx) => {
      ctx.emit(`attempt ${ctx.attempt}`)
      if (ctx.attempt === 1) throw new Error('no')
    })
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await clock.advance(2_000)
    expect(await all(handle)).toEqual(['attempt 1', 'attempt 2'])
  })

  it('reach a reader in another process', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const gate = deferred<void>()
    const job = worker('job', {}, async (ctx) => {
      ctx.emit('one')
      await gate.promise
      ctx.emit('two')
    })
    const node = await onStage({ store, clock, definitions: [job] })
    const client = await onStage({ store, clock, definitions: [job], starts: false })
    const { id } = await node.troupe.call(job)
    await turns()
    const messages = all(await client.troupe.handle(id))
    gate.resolve()
    await clock.advance(1_000)
    expect(await messages).toEqual(['one', 'two'])
  })

  it('that are too large or cannot be stored are refused where they are sent', async () => {
    const job = worker('job', {}, (ctx) => {
      const codes: unknown[] = []
      const refused: unknown[] = ['x'.repeat(262_145), { fn: () => 1 }]
      for (const message of refused) {
        try {
          ctx.emit(message)
        } catch (error) {
          codes.push((error as { code: string }).code)
        }
      }
      ctx.emit('x'.repeat(262_000))
      return codes
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    expect(await handle.result()).toEqual(['value_too_large', 'value_not_storable'])
    expect((await all(handle)).map((message) => (message as string).length)).toEqual([262_000])
  })

  it('are at most 10,000 an attempt; the rest is dropped and the sender told', async () => {
    const job = worker('job', {}, (ctx) => {
      let sent = 0
      for (let n = 0; n < 10_500; n++) if (ctx.emit(n)) sent += 1
      return sent
    })
    const { troupe, log } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    expect(await handle.result()).toBe(10_000)
    const messages = await all(handle)
    expect([messages.length, messages[0], messages.at(-1)]).toEqual([10_000, 0, 9_999])
    expect(log.lines.filter(({ message }) => message.includes('10000 messages sent'))).toHaveLength(1)
  })
})

describe('progress', () => {
  it('is the newest', async () => {
    const gate = deferred<void>()
    const job = worker('job', {}, async (ctx) => {
      ctx.progress(1, 10)
      ctx.progress(2.5, 10)
      await gate.promise
      ctx.progress(10, 10)
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await eventually(async () => (await handle.status()).progress)
    expect((await handle.status()).progress).toEqual({ done: 2.5, total: 10 })
    gate.resolve()
    await handle.result()
    expect((await handle.status()).progress).toEqual({ done: 10, total: 10 })
  })

  it('is of a hundred unless told', async () => {
    const job = worker('job', {}, (ctx) => ctx.progress(50))
    const flow = workflow('flow', {}, async (ctx) => ctx.progress(25))
    const { troupe } = await onStage({ definitions: [job, flow] })
    for (const [definition, done] of [
      [job, 50],
      [flow, 25],
    ] as const) {
      const handle = await troupe.call(definition)
      await handle.result()
      expect((await handle.status()).progress).toEqual({ done, total: 100 })
    }
  })

  it('is refused when it is no number', async () => {
    const job = worker('job', {}, (ctx) => ctx.progress(Number.NaN, 1))
    const flow = workflow('flow', {}, (ctx) => ctx.progress(1, Infinity))
    const { troupe } = await onStage({ definitions: [job, flow] })
    expect(await rejection(troupe.run(job))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('progress done'),
    })
    expect(await rejection(troupe.run(flow))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('progress total'),
    })
  })
})

describe('lines', () => {
  it('begin with who says them, at their level', async () => {
    const job = worker('job', {}, (ctx) => {
      ctx.debug('a')
      ctx.info('b')
      ctx.warn('c')
      ctx.error('d')
      ctx.log('info', 'e')
    })
    const { troupe, log } = await onStage({ definitions: [job] })
    const { id } = await troupe.call(job)
    await turns()
    const lines = log.lines.filter(({ message }) => message.startsWith('[Worker:'))
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual(
      ['debug a', 'info b', 'warn c', 'error d', 'info e'].map((line) => line.replace(' ', ` [Worker:job run:${id}] `)),
    )
  })
})
