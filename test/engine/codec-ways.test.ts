// With a codec: what comes from outside, from other threads and from other runs is read by it too.
import { readFileSync, existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { aesGcm, compress, worker, workflow, type ValueCodec } from '../../src/index.ts'
import { testTroupe } from '../../src/testing/testing.ts'
import * as work from '../worker/thread/work.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const codec = [compress({ above: 50 }), aesGcm({ keys: { a: 'ab'.repeat(32) }, current: 'a' })]
const needle = 'needle-in-a-haystack'

function isSecret(store: string): boolean {
  const path = store.slice('sqlite:'.length)
  return [path, `${path}-wal`].every((file) => !existsSync(file) || !readFileSync(file, 'latin1').includes(needle))
}

it('what finishes runs and steps from outside', async () => {
  const store = storeFile()
  const tokens: string[] = []
  const job = worker('job', {}, async (ctx) => void tokens.push(await ctx.later()))
  const flow = workflow('flow', {}, (ctx) =>
    ctx.step('wait', async ({ later }) => void tokens.push(await later()), { retry: { attempts: 1 } }),
  )
  const { troupe, clock } = await onStage({ store, definitions: [job, flow], codec })
  const handles = [await troupe.call(job), await troupe.call(flow), await troupe.call(flow)]
  await eventually(() => tokens.length === 3)
  expect(await troupe.complete(tokens[0] ?? '', { done: needle })).toBe('accepted')
  expect(await troupe.complete(tokens[1] ?? '', { done: needle })).toBe('accepted')
  expect(await troupe.fail(tokens[2] ?? '', new RangeError(`no ${needle}`))).toBe('accepted')
  expect(await moving(clock, handles[0]?.result() ?? Promise.resolve())).toEqual({ done: needle })
  expect(await moving(clock, handles[1]?.result() ?? Promise.resolve())).toEqual({ done: needle })
  expect((await rejection(moving(clock, handles[2]?.result() ?? Promise.resolve()))).message).toBe(`no ${needle}`)
  expect(isSecret(store)).toBe(true)
})

it('what is forked, resolved and undone by hand', async () => {
  const store = storeFile()
  const undone: unknown[] = []
  const flow = workflow('flow', {}, async (ctx, text: string) => {
    const booked = await ctx.step('book', () => `${text} booked`, { undo: (value) => void undone.push(value) })
    return [
      booked,
      await ctx.step(
        'pay',
        (): string => {
          throw new Error(`no money for ${text}`)
        },
        { retry: { attempts: 1 } },
      ),
    ]
  })
  const { troupe, clock } = await onStage({ store, definitions: [flow], codec })
  const handle = await troupe.call(flow, needle)
  expect((await rejection(moving(clock, handle.result()))).message).toBe(`no money for ${needle}`)
  expect(undone).toEqual([`${needle} booked`])
  const fork = await handle.fork({ from: 'book', input: `${needle} again` })
  expect((await rejection(moving(clock, fork.result()))).message).toBe(`no money for ${needle} again`)
  const stays = workflow('stays', {}, async (ctx, text: string) => {
    const first = await ctx.step('first', () => `first ${text}`)
    return [first, await ctx.step('second', () => Promise.reject(new Error('never')), { retry: { attempts: 1 } })]
  })
  await troupe.register(stays)
  const failed = await troupe.call(stays, needle)
  await rejection(moving(clock, failed.result()))
  const other = await failed.fork({ from: 'second' })
  await rejection(moving(clock, other.result()))
  await other.resolve('second', { output: `by hand ${needle}` })
  expect(await moving(clock, other.result())).toEqual([`first ${needle}`, `by hand ${needle}`])
  expect(isSecret(store)).toBe(true)
})

it('what workers in threads take and give', async () => {
  const store = storeFile()
  const definitions = Object.values(work).filter((one) => typeof one !== 'function')
  const { troupe, clock } = await onStage({ store, definitions, codec })
  const handle = await troupe.call(work.look, new Date(0))
  let seen: unknown
  void handle.result().then((output) => (seen = output))
  while (seen === undefined) await clock.advance(10).then(() => turns(20))
  expect(seen).toMatchObject({ attempt: 2, year: 1970, n: 2 })
  const messages: unknown[] = []
  for await (const message of handle) messages.push(message)
  expect(messages).toEqual([{ at: new Map([[1, 'now']]) }, { at: new Map([[2, 'now']]) }])
})

it('what the test kit shows', async () => {
  const flow = workflow('flow', {}, async (ctx) => {
    ctx.info(`saw ${needle}`)
    return ctx.receive<string>('tell')
  })
  const places = new Set<string>()
  const turned = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 1)
  const seen: ValueCodec = {
    name: 'seen',
    encode: (bytes, place) => (places.add(place), { bytes: turned(bytes) }),
    decode: ({ bytes }) => turned(bytes),
  }
  await using kit = await testTroupe({ definitions: [flow], codec: seen })
  const handle = await kit.troupe.call(flow)
  await kit.whenWaiting(handle, 'tell')
  await handle.tell('tell', needle)
  await kit.troupe.publish('event', needle)
  expect(await handle.result()).toBe(needle)
  expect([kit.told.map(({ payload }) => payload), kit.published.map(({ payload }) => payload)]).toEqual([
    [needle],
    [needle],
  ])
  expect([...places]).toEqual(['input', 'log', 'message:tell', 'event:event', 'step:receive tell', 'outcome'])
  expect(kit.logs.map(({ text }) => text)).toEqual([`saw ${needle}`])
})
