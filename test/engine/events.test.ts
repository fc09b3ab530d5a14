// Events: who subscribed hears of them, whoever fails harms nobody, and what is durable outlives processes.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const rowsOf = async (store: string) => {
  const other = await intruder(store)
  return other.prepare('select name from event order by id').all() as { name: string }[]
}

describe('a subscriber hears', () => {
  it('of durable events that its pattern means, in order, with their names', async () => {
    const { troupe } = await onStage()
    const seen: unknown[] = []
    await troupe.subscribe('order.*', (payload, { name, attempt }) => void seen.push([name, payload, attempt]))
    for (const name of ['order.made', 'invoice.made', 'order.paid']) await troupe.publish(name, { of: name })
    await eventually(() => seen.length === 2)
    expect(seen).toEqual([
      ['order.made', { of: 'order.made' }, 1],
      ['order.paid', { of: 'order.paid' }, 1],
    ])
  })

  it('of fast events before publish resolves, and nothing is kept', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ store })
    const seen: unknown[] = []
    await troupe.subscribe('*', (payload) => void seen.push(payload), { group: 'all' })
    await troupe.publish('order.paid', 7, { mode: 'fast' })
    expect(seen).toEqual([7])
    expect(await rowsOf(store)).toEqual([])
  })

  it('of broadcasts in every process, also within one group', async () => {
    const store = storeFile()
    const [left, right] = [await onStage({ store }), await onStage({ store, node: 'right' })]
    const seen: string[] = []
    await left.troupe.subscribe('news', () => void seen.push('left'), { group: 'all' })
    await right.troupe.subscribe('news', () => void seen.push('right'), { group: 'all' })
    await left.troupe.publish('news', 1, { mode: 'broadcast' })
    await eventually(() => seen.includes('left'))
    await moving(
      right.clock,
      eventually(() => seen.length === 2),
    )
    expect(seen.toSorted()).toEqual(['left', 'right'])
  })

  it('no more once it has unsubscribed', async () => {
    const { troupe } = await onStage()
    const seen: unknown[] = []
    const unsubscribe = await troupe.subscribe('*', (payload) => void seen.push(payload))
    await unsubscribe()
    await unsubscribe()
    await troupe.publish('order.paid', 1)
    await troupe.publish('order.paid', 2, { mode: 'fast' })
    await turns()
    expect(seen).toEqual([])
  })
})

describe('a group', () => {
  it('shares durable events: each goes to one of it, and each group has all', async () => {
    const store = storeFile()
    const [left, right] = [await onStage({ store }), await onStage({ store, node: 'right' })]
    const seen: string[] = []
    await left.troupe.subscribe('order.*', (n) => void seen.push(`billing ${n}`), { group: 'billing' })
    await right.troupe.subscribe('order.*', (n) => void seen.push(`billing ${n}`), { group: 'billing' })
    await right.troupe.subscribe('order.*', (n) => void seen.push(`mail ${n}`), { group: 'mail' })
    for (let n = 0; n < 3; n++) await left.troupe.publish('order.paid', n)
    await moving(
      right.clock,
      eventually(() => seen.length === 6),
    )
    await moving(right.clock, turns())
    expect(seen.toSorted()).toEqual([0, 1, 2].flatMap((n) => [`billing ${n}`, `mail ${n}`]).toSorted())
  })

  it('finds what happened while none of it was there', async () => {
    const store = storeFile()
    const first = await onStage({ store })
    await first.troupe.subscribe('order.*', () => {}, { group: 'billing' })
    await first.stop()
    const second = await onStage({ store })
    await second.troupe.publish('order.paid', 'kept')
    expect(await rowsOf(store)).toEqual([{ name: 'order.paid' }])
    const heard = deferred<unknown>()
    await second.troupe.subscribe('order.*', (payload) => heard.resolve(payload), { group: 'billing' })
    expect(await heard.promise).toBe('kept')
    await eventually(async () => (await rowsOf(store)).length === 0)
  })
})

describe('what waits for one of a group that leaves', () => {
  it.each(['unsubscribes', 'stops'])('is for the others at once, in order and untried: it %s', async (how) => {
    const store = storeFile()
    const [one, two] = [await onStage({ store }), await onStage({ store, node: 'two' })]
    const gate = deferred<void>()
    const called = deferred<void>()
    const slow = async (): Promise<void> => {
      called.resolve()
      await gate.promise
    }
    const unsubscribe = await one.troupe.subscribe('*', slow, { group: 'billing' })
    for (let n = 1; n <= 120; n++) await one.troupe.publish('order.paid', n)
    await called.promise
    await eventually(async () => (await one.troupe.status()).events.depth === 99)
    await (how === 'stops' ? one.stop() : unsubscribe())
    const heard: unknown[] = []
    const again = (payload: unknown, { attempt }: { readonly attempt: number }): void =>
      void heard.push([payload, attempt])
    await two.troupe.subscribe('*', again, { group: 'billing' })
    await eventually(() => heard.length === 119)
    expect(heard).toEqual(Array.from({ length: 119 }, (_, index) => [index + 2, 1]))
    gate.resolve()
    if (how === 'unsubscribes') await eventually(async () => (await rowsOf(store)).length === 0)
  })
})

describe('a subscriber that', () => {
  it('throws is called again later, and given up after five times; the others go on', async () => {
    const { troupe, clock, log } = await onStage()
    const attempts: number[] = []
    const seen: unknown[] = []
    await troupe.subscribe('*', (_payload, { attempt }) => {
      attempts.push(attempt)
      throw new Error('no')
    })
    await troupe.subscribe('*', (payload) => void seen.push(payload))
    await troupe.publish('order.paid', 1)
    await eventually(() => seen.length === 1)
    for (let second = 0; second < 40; second++) await clock.advance(1_000)
    expect(attempts).toEqual([1, 2, 3, 4, 5])
    expect((await troupe.status()).events).toEqual({
      enabled: true,
      subscriptions: 2,
      published: 1,
      durable: 1,
      fast: 0,
      broadcast: 0,
      dropped: 0,
      dispatched: 6,
      delivered: 1,
      failed: 5,
      dead: 1,
      depth: 0,
      lastEventAt: 16_001,
    })
    expect(log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      "event 'order.paid' is given up after 5 attempts and kept",
    ])
  })

  it('is slow holds up neither the publisher nor the others', async () => {
    const gate = deferred<void>()
    const { troupe } = await onStage()
    const seen: unknown[] = []
    await troupe.subscribe('*', () => gate.promise)
    await troupe.subscribe('*', (payload) => void seen.push(payload))
    await troupe.publish('a', 1)
    await troupe.publish('b', 2)
    await eventually(() => seen.length === 2)
    expect(seen).toEqual([1, 2])
    gate.resolve()
  })

  it('is slow hears once of what waited for longer than a call may take, and in order', async () => {
    const { troupe, clock } = await onStage()
    const seen: unknown[] = []
    const last = deferred<void>()
    const slow = async (payload: unknown): Promise<void> => {
      seen.push(payload)
      if (payload === 119) last.resolve()
      await new Promise<void>((resolve) => clock.after(payload === 0 ? 90_000 : 1_000, resolve))
    }
    await troupe.subscribe('*', slow, { group: 'slow' })
    for (let n = 0; n < 120; n++) await troupe.publish('a', n)
    await moving(clock, last.promise)
    await clock.advance(120_000)
    expect(seen).toEqual(Array.from({ length: 120 }, (_, n) => n))
  })

  it('I15: is slow has a hundred events in memory, and the rest in the store', async () => {
    const gate = deferred<void>()
    const { troupe, clock } = await onStage()
    const seen: unknown[] = []
    await troupe.subscribe('*', async (payload) => {
      await gate.promise
      seen.push(payload)
    })
    for (let n = 0; n < 250; n++) await troupe.publish('a', n)
    await clock.advance(3_000)
    await turns()
    // One of the hundred is under way.
    expect((await troupe.status()).events.depth).toBe(99)
    gate.resolve()
    await moving(
      clock,
      eventually(() => seen.length === 250),
    )
    expect(seen).toEqual(Array.from({ length: 250 }, (_, n) => n))
    expect((await troupe.status()).events.depth).toBe(0)
  })
})

describe('the engine', () => {
  const double = worker('double', {}, (_ctx, n: number) => n * 2)
  const fails = worker('fails', { retry: { attempts: 2, base: 1, jitter: 0 } }, () => Promise.reject(new Error('no')))

  it('D12: tells what becomes of runs, with their ids, when somebody wants to know', async () => {
    const { troupe, clock } = await onStage({ definitions: [double, fails] })
    const seen: unknown[] = []
    await troupe.subscribe('run.*', (payload, { name }) => void seen.push([name, payload]))
    const good = await troupe.call(double, 1)
    await good.result()
    const bad = await troupe.call(fails)
    await rejection(moving(clock, bad.result()))
    const later = await troupe.call(double, 1, { delay: '1h' })
    await later.cancel()
    await moving(
      clock,
      eventually(() => seen.length >= 6),
    )
    const told = seen as [string, { runId: string; name: string }][]
    expect(told.map(([name, { runId }]) => [name, runId])).toEqual([
      ['run.started', good.id],
      ['run.succeeded', good.id],
      ['run.started', bad.id],
      ['run.retried', bad.id],
      ['run.failed', bad.id],
      ['run.cancelled', later.id],
    ])
    expect(told[0]?.[1].name).toBe('double')
  })

  it('keeps no event that nobody wants', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ definitions: [double], store })
    await troupe.subscribe('order.*', () => {}, { group: 'billing' })
    await troupe.run(double, 1)
    await troupe.publish('invoice.made', 1)
    expect(await rowsOf(store)).toEqual([])
  })
})

describe('a process', () => {
  it('that was held up for so long that it was forgotten hears again', async () => {
    const store = storeFile()
    const { troupe, clock } = await onStage({ store })
    const seen: unknown[] = []
    await troupe.subscribe('*', (payload) => void seen.push(payload))
    const other = await intruder(store)
    other.exec('delete from subscription')
    await clock.advance(21_000)
    await troupe.publish('a', 1)
    await eventually(() => seen.length === 1)
  })

  it('that stops leaves nothing behind but its groups', async () => {
    const store = storeFile()
    const { troupe, stop } = await onStage({ store })
    await troupe.subscribe('alone', () => {})
    await troupe.subscribe('together', () => {}, { group: 'all' })
    await stop()
    const other = await intruder(store)
    expect(other.prepare('select pattern, group_name from subscription').all()).toEqual([
      { pattern: 'together', group_name: 'all' },
    ])
  })
})

describe('C27: there is one bus', () => {
  it('whoever subscribed first or last, here or in another process, hears what runs, programs and the engine publish', async () => {
    const said = workflow('said', {}, (ctx) => ctx.publish('by.run', 1))
    const store = storeFile()
    const heard: string[] = []
    const early = await onStage({ store, definitions: [said] })
    await early.troupe.subscribe('*', (_payload, { name }) => void heard.push(`early ${name}`))
    const late = await onStage({ store, node: 'late', starts: false })
    await late.troupe.subscribe('*', (_payload, { name }) => void heard.push(`late ${name}`))
    await late.troupe.publish('by.program', 1)
    await moving(early.clock, early.troupe.run(said))
    const wanted = ['by.program', 'by.run', 'run.started', 'run.succeeded']
    const all = ['early', 'late'].flatMap((who) => wanted.map((name) => `${who} ${name}`))
    await eventually(async () => {
      await early.clock.advance(100)
      await late.clock.advance(100)
      return heard.length >= all.length
    })
    expect(heard.toSorted()).toEqual(all.toSorted())
  })
})

describe('setEvents', () => {
  it('C21: holds durable events back until they are wanted again', async () => {
    const { troupe } = await onStage()
    const seen: unknown[] = []
    await troupe.subscribe('*', (payload) => void seen.push(payload))
    troupe.setEvents(false)
    await troupe.publish('a', 'kept')
    await troupe.publish('a', 'gone', { mode: 'fast' })
    await turns()
    const { enabled, dropped } = (await troupe.status()).events
    expect([seen, enabled, dropped]).toEqual([[], false, 1])
    troupe.setEvents(true)
    await eventually(() => seen.length === 1)
    await troupe.publish('a', 'now', { mode: 'fast' })
    expect(seen).toEqual(['kept', 'now'])
    expect((await troupe.status()).events).toMatchObject({ enabled: true, durable: 1, fast: 2, delivered: 2 })
  })
})

describe('publish and subscribe refuse', () => {
  it('names, modes, payloads and handlers that cannot be', async () => {
    const { troupe, stop } = await onStage()
    const code = async (promise: Promise<unknown>): Promise<unknown> => (await rejection(promise)).code
    expect(await code(troupe.publish('order.*'))).toBe('option_invalid')
    expect(await code(troupe.publish(''))).toBe('option_invalid')
    expect(await code(troupe.publish('a', 1, { mode: 'slow' as never }))).toBe('option_invalid')
    expect(await code(troupe.publish<unknown>('a', () => 1))).toBe('value_not_storable')
    expect(await code(troupe.publish('a', 'x'.repeat(300_000)))).toBe('value_too_large')
    expect(await code(troupe.subscribe('a', 7 as never))).toBe('option_invalid')
    expect(await code(troupe.subscribe('a', () => {}, { gruop: 'b' } as never))).toBe('option_invalid')
    expect(() => troupe.setEvents('yes' as never)).toThrow('enabled')
    await stop()
    expect(await code(troupe.publish('a'))).toBe('engine_stopped')
    expect(await code(troupe.subscribe('a', () => {}))).toBe('engine_stopped')
  })
})
