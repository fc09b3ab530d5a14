// What is stored goes through codecs: nothing of it can be read without them, all of it with them, and what was changed is told.
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { aesGcm, compress, limiter, worker, workflow, type ValueCodec } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { journalOf } from '../../src/testing/testing.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { plainIn } from '../store/plain-text.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, rejection, storeFile } from './stage.ts'

noUnhandledRejections()

const a = 'aa'.repeat(32)
const b = 'bb'.repeat(32)
const underA = aesGcm({ keys: { a }, current: 'a' })
const needle = 'needle-in-a-haystack'

const child = worker('child', {}, (_ctx, text: string) => `child of ${text}`)
const refuse = worker('refuse', {}, (_ctx, text: string) => {
  throw Object.assign(new RangeError(`refused ${text}`), { cause: new Error(`because of ${text}`), code: 'no_room' })
})
const list = worker('list', {}, (_ctx, items: string[]) => items)
const cached = worker('cached', { cache: { ttl: '1h' } }, (_ctx, text: string) => `${text}!`)

const pathOf = (store: string): string => store.slice('sqlite:'.length)

/** Every way in which data of a program comes into a store; gives what can be seen of it. */
async function everything(store: string, codec: ValueCodec | readonly ValueCodec[] | undefined): Promise<unknown> {
  const bank = await openDriver(join(dirname(pathOf(store)), 'bank.db'))
  onTestFinished(() => bank.close())
  let tries = 0
  const flow = workflow('flow', {}, async (ctx, text: string) => {
    ctx.info(`saw ${text}`, { text })
    ctx.emit({ emitted: text })
    ctx.answer('what', (asked: string) => `${asked} ${text}`)
    const step = await ctx.step('twice', () => {
      if (++tries < 2) throw new Error(`not with ${text}`)
      return { got: text, at: new Date(5) }
    })
    const bad = await ctx
      .step('bad', () => Promise.reject(new Error(`never ${text}`)), { retry: { attempts: 1 } })
      .catch(String)
    const kept = await ctx.tx('kept', bank, () => `kept ${text}`)
    const looped = await ctx.loop('loop', { text, n: 0 }, async (state) =>
      state.n === 1 ? { done: state.text } : { again: { ...state, n: 1 } },
    )
    const ran = await ctx.run(child, text)
    const failed = await ctx.run(refuse, text).catch((error: Error) => [error.name, error.message])
    const told = await ctx.receive('tell')
    return { step, bad, kept, looped, ran, failed, told }
  })
  const keeps = worker('keeps', { retry: { attempts: 2, base: '1s' } }, async (ctx, text: string) => {
    const before = await ctx.getState('text')
    await ctx.setState('text', text)
    if (before === undefined) throw new Error(`again ${text}`)
    return before
  })
  const waits = worker('waits', {}, async (ctx) => void (await ctx.later()))
  const definitions = [flow, child, refuse, keeps, list, cached, waits]
  const { troupe, clock } = await onStage({ store, definitions, ...(codec && { codec }) })
  const events: unknown[] = []
  await troupe.subscribe('event', (payload) => void events.push(payload))
  await troupe.publish('event', { text: needle })
  const handle = await troupe.call(flow, needle)
  await eventually(async () => (await handle.status()).reason?.kind === 'message' || (await clock.advance(100), false))
  const answer = await moving(clock, handle.ask('what', `asked ${needle}`))
  await handle.tell('tell', { told: needle })
  await troupe.schedule('nightly', { cron: '0 3 * * *' }, child, needle)
  const waiting = await troupe.call(waits, undefined, { delay: '1m' })
  await waiting.tell('unread', needle)
  const unread = await troupe.unread(waiting.id)
  await troupe.cancel(waiting.id, { reason: `cancelled for ${needle}`, by: 'ann' })
  await troupe.investigate(waiting.id, { notes: `seen to by ${needle}`, by: 'ann' })
  await troupe.retry(waiting.id, { reason: `again for ${needle}` })
  await troupe.cancel(waiting.id, `cancelled for ${needle}`)
  const output = await moving(clock, handle.result())
  const messages: unknown[] = []
  for await (const message of handle) messages.push(message)
  const logs: unknown[] = []
  for await (const { text, fields } of handle.logs()) logs.push({ text, fields })
  const first = await troupe.call(list, [needle], { append: { period: '1m' } })
  await troupe.call(list, [`${needle} too`], { append: { period: '1m' } })
  const cache = [await troupe.run(cached, needle), await troupe.run(cached, needle)]
  const seen = {
    output,
    answer,
    unread: unread.map(({ payload }) => payload),
    events,
    messages,
    logs,
    kept: await moving(clock, troupe.run(keeps, needle)),
    appended: await moving(clock, first.result()),
    cache,
    cacheRuns: (await troupe.runs({ name: 'cached' })).length,
    cancelled: (await rejection(waiting.result())).message,
    investigated: (await troupe.investigations({ runId: waiting.id })).map(({ notes, state }) => [notes, state]),
    audited: (await troupe.audit()).map(({ by, details }) => [by, details['reason']]),
    scheduled: (await troupe.schedules()).map(({ input }) => input),
    steps: (await troupe.steps(handle.id)).map(({ path, kind, value, error }) => ({
      path,
      kind,
      value,
      error: error?.message,
    })),
    attempts: (await troupe.attempts(handle.id)).map(({ error }) => error.message),
    status: await troupe.get(handle.id).then((run) => [run?.input, run?.output]),
    refused: (await troupe.runs({ code: 'no_room' })).map(({ error, input }) => [
      error?.message,
      (error?.cause as Error | undefined)?.message,
      input,
    ]),
    journal: (await journalOf(troupe, handle.id)).steps.map(({ value }) => value),
  }
  return JSON.parse(JSON.stringify(seen, (_key, value: unknown) => value)) as unknown
}

describe('with a codec', () => {
  it('all is as it is without, and nothing of it stands in the files', async () => {
    const [open, shut] = [storeFile(), storeFile()]
    const plain = await everything(open, undefined)
    expect(plainIn(pathOf(open), [needle])).toEqual([needle])
    expect(JSON.stringify(plain).split(needle).length).toBeGreaterThan(30)
    const coded = await everything(shut, [compress({ above: 100 }), underA])
    const withoutIds = (text: string): string => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>')
    expect(JSON.parse(withoutIds(JSON.stringify(coded)))).toEqual(JSON.parse(withoutIds(JSON.stringify(plain))))
    expect(plainIn(pathOf(shut), [needle])).toEqual([])
    expect(plainIn(join(dirname(pathOf(shut)), 'bank.db'), [needle])).toEqual([])
    expect(plainIn(join(dirname(pathOf(open)), 'bank.db'), [needle])).toEqual([needle])
  })

  it('names, error codes and the key of a value can be read by everybody', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ store, definitions: [refuse], codec: underA })
    await rejection(troupe.run(refuse, needle))
    const db = await intruder(store)
    const row = db.prepare('select name, input, value from runs').get() as Record<string, string>
    expect(row['name']).toBe('refuse')
    expect(row['input']).toMatch(/^xaes-gcm\(a\):[\w+/]+=*$/)
    expect(JSON.parse(row['value'] ?? '')).toEqual({
      name: 'RangeError',
      code: 'no_room',
      message: "(encrypted, key 'a')",
      coded: expect.stringMatching(/^xaes-gcm\(a\):/),
    })
  })

  it('the key of a cache is no hash of the input, and that of a schedule is the same', async () => {
    const keyOf = async (codec?: ValueCodec): Promise<unknown> => {
      const store = storeFile()
      const { troupe } = await onStage({ store, definitions: [cached], ...(codec && { codec }) })
      await troupe.run(cached, needle)
      await troupe.schedule('daily', { every: '1d' }, cached, needle)
      const db = await intruder(store)
      const { key } = db.prepare('select key from keyed').get() as { key: string }
      const { start_key: kept } = db.prepare('select start_key from schedule').get() as { start_key: string }
      expect((JSON.parse(kept) as { key: string }).key).toBe(key)
      return key
    }
    const [plain, again, coded, other] = [
      await keyOf(),
      await keyOf(),
      await keyOf(underA),
      await keyOf(aesGcm({ keys: { b }, current: 'b' })),
    ]
    expect(plain).toBe(again)
    expect(new Set([plain, coded, other]).size).toBe(3)
  })
})

/** How often a text begins a value, or a part of one, in any column of any table. */
async function countIn(store: string, form: string): Promise<number> {
  const db = await intruder(store)
  const tables = db.prepare("select name from sqlite_schema where type = 'table' and name <> 'coding'").all() as {
    name: string
  }[]
  const rows = tables.flatMap(({ name }) => db.prepare(`select * from ${name}`).all() as Record<string, unknown>[])
  return rows.flatMap((row) => Object.values(row)).reduce<number>((sum, value) => sum + countOf(value, form), 0)
}

function countOf(value: unknown, form: string): number {
  if (typeof value !== 'string') return 0
  return (value.startsWith(form) ? 1 : 0) + value.split(`":"${form}`).length - 1
}

describe('keys change', () => {
  it('the keys that all is stored under are told, without any of them', async () => {
    const store = storeFile()
    await everything(store, [compress({ above: 100 }), underA])
    const under = await onStage({
      store,
      definitions: [child, refuse],
      codec: aesGcm({ keys: { a, b }, current: 'b' }),
    })
    await rejection(moving(under.clock, under.troupe.run(refuse, needle)))
    const { troupe } = await onStage({ store, codec: underA, starts: false })
    const keys = await troupe.codecKeys()
    expect(keys).toEqual([
      { codec: 'aes-gcm', key: 'a', values: await countIn(store, 'xaes-gcm(a)') },
      { codec: 'aes-gcm', key: 'b', values: await countIn(store, 'xaes-gcm(b)') },
    ])
    expect(keys[0]?.values).toBeGreaterThan(30)
    expect(keys[1]?.values).toBe(2)
  })

  it('no key is told where there is none, and of what is only compressed', async () => {
    const { troupe } = await onStage({ definitions: [child], codec: compress({ above: 0 }) })
    await troupe.run(child, needle.repeat(20))
    expect(await troupe.codecKeys()).toEqual([])
  })

  it('old values are read and new ones written under the current key', async () => {
    const store = storeFile()
    const flow = workflow('flow', {}, async (ctx, text: string) => {
      const first = await ctx.step('first', () => `${text} first`)
      await ctx.sleep('1m')
      return [first, await ctx.step('second', () => `${text} second`)]
    })
    const before = await onStage({ store, definitions: [flow], codec: underA })
    const { id } = await before.troupe.call(flow, needle)
    await eventually(async () => (await before.troupe.get(id))?.state === 'parked')
    await before.stop()
    const after = await onStage({ store, definitions: [flow], codec: aesGcm({ keys: { a, b }, current: 'b' }) })
    await after.clock.advance(60_000)
    expect(await moving(after.clock, (await after.troupe.handle(id)).result())).toEqual([
      `${needle} first`,
      `${needle} second`,
    ])
    const db = await intruder(store)
    const rows = db
      .prepare("select path, substr(value, 1, 12) as form from step where kind = 'step' order by seq")
      .all()
    expect(rows.map((row) => ({ ...(row as object) }))).toEqual([
      { path: 'first', form: 'xaes-gcm(a):' },
      { path: 'second', form: 'xaes-gcm(b):' },
    ])
  })

  it('what was written without a codec is read with one', async () => {
    const store = storeFile()
    const before = await onStage({ store, definitions: [child] })
    const { id } = await before.troupe.call(child, needle, { delay: '1m' })
    await before.stop()
    const after = await onStage({ store, definitions: [child], codec: [compress({ above: 0 }), underA] })
    await after.clock.advance(60_000)
    expect(await moving(after.clock, (await after.troupe.handle(id)).result())).toBe(`child of ${needle}`)
  })

  it('a process without the key does not serve, says which it needs, and can look', async () => {
    const store = storeFile()
    const before = await onStage({ store, definitions: [child], codec: underA })
    const { id } = await before.troupe.call(child, needle, { delay: '1m' })
    const withB = await onStage({
      store,
      definitions: [child],
      codec: aesGcm({ keys: { b }, current: 'b' }),
      starts: false,
    })
    expect(await rejection(withB.troupe.start())).toMatchObject({
      code: 'value_unreadable',
      retryable: true,
      message:
        "The stored input is encrypted under key 'a', and aesGcm was given 'b' alone: give it key 'a' too, for as long as something written with it is kept.",
    })
    expect(await withB.troupe.get(id)).toMatchObject({
      id,
      name: 'child',
      state: 'scheduled',
      input: undefined,
      error: { message: expect.stringContaining("encrypted under key 'a'") },
    })
  })

  it('a run whose key a process lacks is set aside, and goes on in one that has it', async () => {
    const store = storeFile()
    const both = aesGcm({ keys: { a, b }, current: 'b' })
    const old = await onStage({ store, definitions: [child], codec: underA, node: 'old' })
    const client = await onStage({ store, definitions: [child], codec: both, starts: false, clock: old.clock })
    const handle = await client.troupe.call(child, needle)
    await eventually(async () => (await handle.status()).state === 'parked' || (await old.clock.advance(100), false))
    expect((await handle.status()).reason).toMatchObject({
      kind: 'diverged',
      divergence: { unread: expect.stringContaining("under key 'b'") },
    })
    expect(old.log.lines.some(({ message }) => message.startsWith('a run was set aside, as it cannot be read'))).toBe(
      true,
    )
    await old.stop()
    const fresh = await onStage({ store, definitions: [child], codec: both, clock: old.clock, node: 'new' })
    expect(await moving(fresh.clock, (await fresh.troupe.handle(handle.id)).result())).toBe(`child of ${needle}`)
  })
})

describe('a process that lacks a key', () => {
  const both = aesGcm({ keys: { a, b }, current: 'b' })

  it('loses no message that it cannot read: whoever has the key receives it', async () => {
    const store = storeFile()
    const flow = workflow('flow', {}, (ctx) => ctx.receive('tell'))
    const old = await onStage({ store, definitions: [flow], codec: underA, node: 'old' })
    const { id } = await old.troupe.call(flow)
    await eventually(async () => (await old.troupe.get(id))?.reason?.kind === 'message')
    const client = await onStage({ store, definitions: [flow], codec: both, starts: false, clock: old.clock })
    await client.troupe.tell(id, 'tell', needle)
    const setAside = (): boolean => old.log.lines.some(({ message }) => message.startsWith('a run was set aside'))
    await eventually(async () => setAside() || (await old.clock.advance(100), false))
    await old.stop()
    const fresh = await onStage({ store, definitions: [flow], codec: both, clock: old.clock, node: 'new' })
    expect(await moving(fresh.clock, (await fresh.troupe.handle(id)).result())).toBe(needle)
  })

  it('leaves a run its place before a limiter, however often it takes that run', async () => {
    const store = storeFile()
    const one = limiter('one', { concurrency: 1 })
    const gate = deferred<void>()
    const hog = workflow('hog', {}, (ctx) => ctx.step('hold', () => gate.promise, { limits: [one] }))
    const printed: string[] = []
    const print = workflow('print', {}, async (ctx, name: string) => {
      const told = ctx.receive('tell')
      await ctx.step('print', () => void printed.push(name), { limits: [one] })
      return told
    })
    const old = await onStage({ store, definitions: [print], codec: underA, node: 'old' })
    const { clock } = old
    const others = { store, codec: both, clock, global: false }
    const holds = await onStage({ ...others, definitions: [hog], node: 'holds' })
    const held = await holds.troupe.call(hog)
    await eventually(async () => (await holds.troupe.limiters())[0]?.slots === 1)
    const prints = await onStage({ ...others, definitions: [print], node: 'prints' })
    const isInLine = async (id: string): Promise<boolean> =>
      (await holds.troupe.get(id))?.reason?.kind === 'limiter' || (await clock.advance(100), false)
    const start = (name: string) => prints.troupe.call(print, name)
    const [first, second] = [await start('first'), await start('second')]
    for (const { id } of [first, second]) await eventually(() => isInLine(id))
    await prints.stop()
    await holds.troupe.tell(first.id, 'tell', needle)
    const isAside = async (): Promise<boolean> => (await holds.troupe.get(first.id))?.reason?.kind === 'diverged'
    await eventually(async () => (await isAside()) || (await clock.advance(100), false))
    await (await holds.troupe.handle(first.id)).resume()
    expect(await isAside()).toBe(false)
    await eventually(async () => (await isAside()) || (await clock.advance(100), false))
    await old.stop()
    const fresh = await onStage({ ...others, definitions: [print], node: 'fresh' })
    await eventually(() => isInLine(first.id))
    gate.resolve()
    await (await holds.troupe.handle(held.id)).result()
    await eventually(async () => printed.length === 2 || (await clock.advance(10), false))
    expect(printed).toEqual(['first', 'second'])
    expect(await moving(clock, (await fresh.troupe.handle(first.id)).result())).toBe(needle)
  })

  it('takes in nothing that came with a token and that it cannot read: whoever has the key does', async () => {
    const store = storeFile()
    const tokens: string[] = []
    const flow = workflow('flow', {}, (ctx) => ctx.step('ask', async ({ later }) => void tokens.push(await later())))
    const old = await onStage({ store, definitions: [flow], codec: underA, node: 'old' })
    const { clock } = old
    const { id } = await old.troupe.call(flow)
    await eventually(async () => (await old.troupe.get(id))?.reason?.kind === 'completion')
    const client = await onStage({ store, definitions: [flow], codec: both, starts: false, clock })
    expect(await client.troupe.complete(tokens[0] ?? '', needle)).toBe('accepted')
    const isAside = async (): Promise<boolean> => (await client.troupe.get(id))?.reason?.kind === 'diverged'
    await eventually(async () => (await isAside()) || (await clock.advance(100), false))
    await old.stop()
    const fresh = await onStage({ store, definitions: [flow], codec: both, clock, node: 'new' })
    expect(await moving(clock, (await fresh.troupe.handle(id)).result())).toBe(needle)
    expect(tokens).toHaveLength(1)
  })

  it('remembers no result of a child that it cannot read: whoever has the key does', async () => {
    const store = storeFile()
    const parent = workflow('parent', {}, (ctx) => ctx.run('child', 'x', { name: 'one' }))
    const old = await onStage({ store, definitions: [parent], codec: underA, node: 'old' })
    const elsewhere = await onStage({
      store,
      definitions: [child],
      codec: both,
      clock: old.clock,
      node: 'other',
      global: false,
    })
    const handle = await old.troupe.call(parent)
    const isAside = async (): Promise<boolean> => (await old.troupe.get(handle.id))?.reason?.kind === 'diverged'
    await eventually(async () => (await isAside()) || (await old.clock.advance(100), false))
    await old.stop()
    await elsewhere.stop()
    const fresh = await onStage({ store, definitions: [parent, child], codec: both, clock: old.clock, node: 'new' })
    expect(await moving(fresh.clock, (await fresh.troupe.handle(handle.id)).result())).toBe('child of x')
  })
})

describe('what was changed in the store', () => {
  it.each([
    ['one bit', (text: string) => flipped(text)],
    ['another value of the same run', (_text: string, other: string) => other],
    ['a part', (text: string) => text.slice(0, -8)],
    ['nothing but its form', (text: string) => `${text.slice(0, text.indexOf(':') + 1)}`],
    ['another key', (text: string) => text.replace('(a)', '(b)')],
  ])('fails the run and is told: %s', async (_what, change) => {
    const store = storeFile()
    const codec = aesGcm({ keys: { a, b }, current: 'a' })
    const { troupe, clock } = await onStage({ store, definitions: [child], codec })
    const done = await troupe.call(child, needle)
    await done.result()
    const handle = await troupe.call(child, needle, { delay: '1m' })
    const db = await intruder(store)
    const input = (db.prepare("select input from runs where state = 'scheduled'").get() as { input: string }).input
    const output = (db.prepare("select value from runs where state = 'succeeded'").get() as { value: string }).value
    const changed = change(input, output)
    expect(changed).not.toBe(input)
    db.prepare('update run set input = ? where public_id = ?').run(changed, handle.id)
    await clock.advance(60_000)
    const error = await rejection(moving(clock, handle.result()))
    expect(error).toMatchObject({ code: 'value_unreadable', retryable: false })
    expect(error.message).toContain('The stored input was changed since it was encrypted')
    expect(await troupe.get(handle.id)).toMatchObject({ state: 'failed', code: 'value_unreadable', input: undefined })
  })

  it('a damaged result of a step does not come into the code', async () => {
    const store = storeFile()
    const seen: unknown[] = []
    const flow = workflow('flow', {}, async (ctx) => {
      const value = await ctx.step('one', () => needle).catch((error: unknown) => error)
      await ctx.sleep('1m')
      seen.push(value)
    })
    const { troupe, clock } = await onStage({ store, definitions: [flow], codec: underA })
    const handle = await troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    const db = await intruder(store)
    const { value } = db.prepare("select value from step where path = 'one'").get() as { value: string }
    db.prepare("update step set value = ? where path = 'one'").run(flipped(value))
    await clock.advance(60_000)
    expect(await rejection(moving(clock, handle.result()))).toMatchObject({ code: 'value_unreadable' })
    expect(seen).toEqual([])
    expect((await troupe.steps(handle.id)).find(({ path }) => path === 'one')?.error?.message).toContain(
      "The stored step 'one' was changed",
    )
  })
})

describe('the option codec', () => {
  it.each([
    [{ codec: 'aes' }, 'codec is "aes"'],
    [{ codec: [underA, underA] }, 'each codec once'],
    [{ codec: { name: 'Mine', encode: nothing, decode: () => new Uint8Array() } }, 'The name of a codec'],
    [{ codec: { name: 'mine', encode: nothing } }, "decode of codec 'mine'"],
    [{ codec: own({ encode: (bytes) => bytes }) }, "What encode of codec 'mine' gave is"],
    [{ codec: own({ encode: () => 'text' }) }, 'What encode of codec \'mine\' gave is "text": expected { bytes'],
    [{ codec: own({ encode: (bytes) => Promise.resolve({ bytes }) }) }, "What encode of codec 'mine' gave is"],
    [{ codec: own({ encode: (bytes) => ({ bytes, key: 'a)' }) }) }, "The key that encode of codec 'mine' gave"],
    [{ codec: own({ encode: (bytes) => ({ bytes: bytes.subarray(1) }) }) }, "What codec 'mine' wrote"],
    [{ codec: own({ decode: () => 'text' }) }, 'What decode of codec \'mine\' gave is "text"'],
  ])('is checked where it is given: %j', async (options, told) => {
    const error = await rejection(onStage(options as object))
    expect(error).toMatchObject({ code: 'option_invalid' })
    expect(error.message).toContain(told)
  })

  it('may be one of your own', async () => {
    const places = new Set<string>()
    const rot: ValueCodec = {
      name: 'turned',
      encode: (bytes, place) => (places.add(place), { bytes: bytes.map((byte) => byte ^ 1) }),
      decode: ({ bytes }) => bytes.map((byte) => byte ^ 1),
    }
    const { troupe } = await onStage({ definitions: [child], codec: rot })
    expect(await troupe.run(child, needle)).toBe(`child of ${needle}`)
    expect([...places]).toEqual(['value', 'input', 'outcome'])
  })
})

function nothing(): undefined {
  return undefined
}

function flipped(text: string): string {
  const at = text.length - 20
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}

function own(functions: { readonly encode?: (bytes: Uint8Array) => unknown; readonly decode?: () => unknown }): object {
  return {
    name: 'mine',
    encode: (bytes: Uint8Array) => ({ bytes }),
    decode: ({ bytes }: { readonly bytes: Uint8Array }) => bytes,
    ...functions,
  }
}
