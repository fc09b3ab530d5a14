// How many messages of a run are kept, for whom, and from where a reader goes on.
import { describe, expect, it } from 'vitest'
import { worker, type MessageOptions, type RunMessage, type WorkerContext } from '../../src/index.ts'
import { MessageReader } from '../../src/engine/watch/message-reader.ts'
import type { RunFeed } from '../../src/engine/watch/run-feed.ts'
import { Ear } from '../../src/engine/watch/ear.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { intruder, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const nextTurn = (): Promise<void> => new Promise((resolve) => systemClock.soon(resolve))

async function all(messages: AsyncIterable<RunMessage>): Promise<RunMessage[]> {
  const read: RunMessage[] = []
  for await (const message of messages) read.push(message)
  return read
}

const values = (read: readonly RunMessage[]): unknown[] => read.map(({ message }) => message)

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n)

/** A worker that sends 1, 2, 3 … `count`, some in each turn, and returns how many were taken. */
function talker(messages: MessageOptions, { perTurn = 7, durable = true } = {}) {
  return worker('talker', { messages, durable }, async (ctx, count: number) => {
    let taken = 0
    for (let n = 1; n <= count; n++) {
      if (ctx.emit(n)) taken += 1
      if (n % perTurn === 0) await nextTurn()
    }
    return taken
  })
}

describe('the option messages', () => {
  it.each([
    [{ keep: 0 }, 'messages.keep'],
    [{ keep: 1.5 }, 'messages.keep'],
    [{ keep: 1_000_001 }, 'at most 1000000'],
    [{ overflow: 'drop-latest' }, 'drop-newest'],
    [{ kept: 5 }, 'keep'],
    [5, 'messages'],
  ])('%j is refused where it is given', (messages, told) => {
    expect(() => worker('job', { messages: messages as MessageOptions }, () => 1)).toThrow(
      expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining(told) as string }),
    )
  })

  it('drop-newest keeps the first ones of each attempt, and tells the sender and, once, the log', async () => {
    const { troupe, log } = await onStage({ definitions: [talker({ keep: 5 })] })
    const handle = await troupe.call('talker', 50)
    expect(await handle.result()).toBe(5)
    expect(values(await all(handle.messages()))).toEqual([1, 2, 3, 4, 5])
    expect(log.lines.map(({ level, message }) => `${level} ${message.replace(/^\[.*?\] /, '')}`)).toEqual([
      'warn 5 messages sent: further ones are dropped. The option { messages: { keep, overflow } } sets the bound.',
    ])
  })

  it('drop-oldest keeps the newest, in the store too, and counts for a reader what it missed', async () => {
    const store = storeFile()
    const { troupe, log, stop } = await onStage({
      store,
      definitions: [talker({ keep: 20, overflow: 'drop-oldest' })],
    })
    const handle = await troupe.call('talker', 505)
    expect(await handle.result()).toBe(505)
    const read = await all(handle.messages())
    const first = read[0]?.message as number
    expect(values(read)).toEqual(upTo(505, first))
    expect(first).toBeGreaterThan(505 - 20 - 2)
    expect(first).toBeLessThanOrEqual(505 - 20 + 1)
    expect(read.map(({ missed }) => missed)).toEqual([first - 1, ...Array.from({ length: read.length - 1 })])
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    await stop()
    const rows = await intruder(store)
    expect(rows.prepare('select count(*) as n from emitted').get()).toEqual({ n: read.length })
  })

  it('drop-oldest holds for what is said in one turn, and in a clean-up', async () => {
    const job = worker('job', { messages: { keep: 3, overflow: 'drop-oldest' } }, (ctx) => {
      ctx.defer(() => ctx.emit('cleaned'))
      for (let n = 1; n <= 1_000; n++) ctx.emit(n)
    })
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    await handle.result()
    expect(values(await all(handle.messages()))).toEqual([999, 1_000, 'cleaned'])
  })

  it.each(['drop-newest', 'drop-oldest'] as const)('%s holds for runs that are not stored', async (overflow) => {
    const definitions = [talker({ keep: 5, overflow }, { durable: false })]
    const { troupe } = await onStage({ definitions })
    const handle = await troupe.call('talker', 50)
    await handle.result()
    const read = await all(handle.messages())
    expect(values(read)).toEqual(overflow === 'drop-newest' ? upTo(5) : upTo(50, 46))
    expect(read[0]?.missed).toBe(overflow === 'drop-newest' ? undefined : 45)
  })
})

describe('an offset', () => {
  it.each([true, false])('lets a late reader go on behind a message (durable: %j)', async (durable) => {
    const { troupe } = await onStage({ definitions: [talker({}, { durable })] })
    const handle = await troupe.call('talker', 250)
    for (const odd of [Symbol('x'), Object.create(null), 7])
      expect(() => handle.messages({ from: odd as string })).toThrow('expected the offset of a message or line')
    let from: string | undefined
    for await (const { offset, message } of handle.messages()) {
      from = offset
      if (message === 120) break
    }
    expect(values(await all(handle.messages({ from: from as string })))).toEqual(upTo(250, 121))
    expect(values(await all(handle.messages()))).toEqual(upTo(250))
  })

  it('holds after a restart, in another process, and over attempts', async () => {
    const store = storeFile()
    const job = worker('job', { retry: { attempts: 2, base: '1s', jitter: 0 } }, (ctx) => {
      for (const n of [1, 2]) ctx.emit(`${ctx.attempt}.${n}`)
      if (ctx.attempt === 1) throw new Error('boom')
    })
    const first = await onStage({ store, definitions: [job] })
    const handle = await first.troupe.call(job)
    const reading = handle.messages()
    const { value } = (await reading.next()) as { value: RunMessage }
    expect(value.message).toBe('1.1')
    await turns()
    await first.stop()

    const second = await onStage({ store, definitions: [job] })
    const again = await second.troupe.handle(handle.id)
    await moving(second.clock, again.result())
    expect(values(await all(again.messages({ from: value.offset })))).toEqual(['1.2', '2.1', '2.2'])
    const third = await onStage({ store, starts: false })
    const elsewhere = await third.troupe.handle(handle.id)
    expect(values(await all(elsewhere.messages({ from: value.offset })))).toEqual(['1.2', '2.1', '2.2'])
    expect(values(await all(elsewhere.messages()))).toEqual(['1.1', '1.2', '2.1', '2.2'])
  })

  it('at or past the end gives nothing and ends', async () => {
    const { troupe } = await onStage({ definitions: [talker({})] })
    const handle = await troupe.call('talker', 3)
    const read = await all(handle.messages())
    const last = read.at(-1)?.offset as string
    const past = last.replace(/\d+$/, '99')
    expect([await all(handle.messages({ from: last })), await all(handle.messages({ from: past }))]).toEqual([[], []])
  })

  it.each(['', 'x', '1', '1-', '-1-2', '1-2-3', '1.5-2', 5 as unknown as string])('%j is refused', async (from) => {
    const { troupe } = await onStage({ definitions: [talker({})] })
    const handle = await troupe.call('talker', 1)
    expect(() => handle.messages({ from })).toThrow(expect.objectContaining({ code: 'option_invalid' }))
  })
})

/** A worker that says what it is told to, and hands out its context. */
function puppet(durable = true) {
  const held = deferred<WorkerContext<unknown>>()
  const gate = deferred<void>()
  const job = worker('puppet', { durable }, async (ctx, _input: unknown) => {
    held.resolve(ctx)
    await gate.promise
  })
  return { job, ctx: held.promise, end: gate.resolve }
}

describe('a reading', () => {
  it.each([true, false])('B12: ends with the run though something still holds ctx (durable: %j)', async (durable) => {
    const { job, ctx, end } = puppet(durable)
    const { troupe } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    const read = all(handle.messages())
    const held = await ctx
    held.emit('before')
    end()
    expect(values(await read)).toEqual(['before'])
    expect(held.emit('after')).toBe(false)
    expect(values(await all(handle.messages()))).toEqual(['before'])
  })

  it.each([true, false])('B11: that is dropped or stands still harms no run (durable: %j)', async (durable) => {
    const { troupe } = await onStage({ definitions: [talker({ keep: 100, overflow: 'drop-oldest' }, { durable })] })
    const handle = await troupe.call('talker', 2_000)
    const still = handle.messages()
    const dropped = handle.messages()
    await Promise.all([still.next(), dropped.next()])
    await dropped.return()
    expect(await handle.result()).toBe(2_000)
    const rest = await all(still)
    expect(rest.at(-1)?.message).toBe(2_000)
    const missed = rest.reduce((sum, one) => sum + (one.missed ?? 0), 0)
    expect(missed).toBeGreaterThan(1_000)
    expect(rest.length + missed).toBe(1_999)
  })

  it('ends at its signal, while it waits too, and leaves the run alone', async () => {
    const { job, ctx, end } = puppet()
    const { troupe, clock } = await onStage({ definitions: [job] })
    const handle = await troupe.call(job)
    ;(await ctx).emit('one')
    const controller = new AbortController()
    const read = all(handle.messages({ signal: controller.signal }))
    await turns()
    const waiting = clock.armedTimers
    controller.abort()
    expect(values(await read)).toEqual(['one'])
    expect(clock.armedTimers).toBe(waiting - 1)
    expect(await all(handle.messages({ signal: controller.signal }))).toEqual([])
    end()
    await handle.result()
    expect(() => handle.messages({ signal: 'now' as never })).toThrow(
      expect.objectContaining({ code: 'option_invalid' }),
    )
  })

  it('gives each message once to those who ask at the same time', async () => {
    const rows = upTo(6).map((n) => ({ epoch: 1, n, value: `j${n}` }))
    // A store whose answers overtake each other.
    const delays = [3, 1, 2, 1]
    const feed: RunFeed = {
      id: 'run',
      name: 'talker',
      isHere: false,
      listen: () => new Ear(() => {}, false),
      finished: () => ({ outcome: 'succeeded', value: 'j1' }),
      messages: async ({ n }) => {
        await turns(delays.shift() ?? 1)
        return rows.slice(n, n + 2)
      },
      logs: () => [],
      view: () => undefined,
      tell: () => Promise.resolve(true),
      ask: () => Promise.resolve(),
      cancel: () => Promise.resolve('finished'),
      retry: () => Promise.resolve(),
      wakeSetAside: () => Promise.resolve(),
      resolve: () => Promise.resolve(),
      fork: () => Promise.reject(new Error('is no run')),
    }
    const reader = new MessageReader(feed, new ManualClock())
    const read = await Promise.all(Array.from({ length: 8 }, () => reader.next()))
    expect(read.map((one) => one?.message)).toEqual([...upTo(6), undefined, undefined])
  })

  it('hears of the end when its engine stops', async () => {
    const { job } = puppet()
    const { troupe, stop } = await onStage({ definitions: [job], clock: new ManualClock(1_000) })
    const read = rejection(all((await troupe.call(job)).messages()))
    await turns()
    await stop()
    expect((await read).code).toBe('engine_stopped')
  })
})

it('a million messages of a run take no more memory than those that are kept', async () => {
  const text = 'x'.repeat(200)
  let mostBytes = 0
  const flood = worker('flood', { messages: { keep: 1_000, overflow: 'drop-oldest' } }, async (ctx) => {
    const before = process.memoryUsage().heapUsed
    for (let n = 1; n <= 1_000_000; n++) {
      ctx.emit(`${text}${n}`)
      if (n % 20_000 === 0) await nextTurn()
      if (n % 10_000 === 0) mostBytes = Math.max(mostBytes, process.memoryUsage().heapUsed - before)
    }
  })
  const { troupe } = await onStage({ definitions: [flood], store: storeFile() })
  const handle = await troupe.call(flood)
  await handle.result()
  const read = await all(handle.messages())
  expect(read.at(-1)?.message).toBe(`${text}1000000`)
  expect(read.length).toBeLessThanOrEqual(1_100)
  expect(mostBytes).toBeLessThan(120 * 1_048_576)
}, 60_000)
