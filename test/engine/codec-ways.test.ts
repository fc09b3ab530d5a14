// With a codec: what comes from outside, from other threads and from other runs is read by it too.
import { expect, it } from 'vitest'
import {
  aesGcm,
  checkDeploy,
  compress,
  worker,
  workflow,
  type Definition,
  type TroupeOptions,
  type ValueCodec,
  type WorkflowContext,
} from '../../src/index.ts'
import type { RunFailure } from '../../src/engine/definition/definition.ts'
import { testTroupe } from '../../src/testing/testing.ts'
import { plainIn } from '../store/plain-text.ts'
import * as work from '../worker/thread/work.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const codec = [compress({ above: 50 }), aesGcm({ keys: { a: 'ab'.repeat(32) }, current: 'a' })]
const needle = 'needle-in-a-haystack'

interface Round {
  readonly text: string
  readonly n: number
}

function isSecret(store: string): boolean {
  return plainIn(store.slice('sqlite:'.length), [needle]).length === 0
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

it('what a run goes on with: a new life, turns, a map, another generation, another version', async () => {
  const store = storeFile()
  const failures: string[] = []
  let isBroken = true
  const perform = async (ctx: WorkflowContext<Round>, { text, n }: Round): Promise<unknown> => {
    if (n < 3) return ctx.continueAsNew({ text, n: n + 1 })
    const looped = await ctx.loop('turns', { text, turn: 0 }, async (state) =>
      state.turn === 2 ? { done: state.text } : { again: { ...state, turn: state.turn + 1 } },
    )
    const mapped = await ctx.map('each', [text], async (item) => `mapped ${item}`, { key: () => 'one' })
    const whole = await ctx.step(
      'whole',
      () => {
        if (isBroken) throw new Error(`broken by ${text}`)
        return `whole ${text}`
      },
      { retry: { attempts: 1 } },
    )
    await ctx.sleep('1m')
    return [looped, ...mapped, whole]
  }
  const onFailure = ({ error, input }: RunFailure): void =>
    void failures.push(`${error.message}, ${(input as Round).text}`)
  const first = workflow('flow', { onFailure }, perform)
  const before = await onStage({ store, definitions: [first], codec })
  const handle = await before.troupe.call(first, { text: needle, n: 1 })
  expect((await rejection(moving(before.clock, handle.result()))).message).toBe(`broken by ${needle}`)
  await eventually(async () => failures.length === 1 || (await before.clock.advance(100), false))
  expect(failures).toEqual([`broken by ${needle}, ${needle}`])
  isBroken = false
  await handle.retry()
  await eventually(async () => (await handle.status()).state === 'parked' || (await before.clock.advance(100), false))
  await before.stop()
  const upcast = {
    '1': {
      input: (old: unknown) => ({ ...(old as Round), n: 3 }),
      steps: { whole: (old: unknown) => `${String(old)}, and newer` },
    },
  }
  const second = workflow('flow', { version: '2', upcast }, perform)
  const after = await onStage({ store, definitions: [second], codec })
  await after.clock.advance(60_000)
  expect(await moving(after.clock, (await after.troupe.handle(handle.id)).result())).toEqual([
    needle,
    `mapped ${needle}`,
    `whole ${needle}, and newer`,
  ])
  expect(isSecret(store)).toBe(true)
})

it('what code that was changed ended with, in the reason why its run is set aside', async () => {
  const store = storeFile()
  const code = (step: string): Definition<string> =>
    workflow('flow', {}, async (ctx, text: string) => {
      if (step === 'none') throw new Error(`ended with ${text}`)
      await ctx.step(step, () => text)
      await ctx.sleep('1m')
    })
  const before = await onStage({ store, definitions: [code('one')], codec })
  const handle = await before.troupe.call('flow', needle)
  await eventually(async () => (await handle.status()).state === 'parked' || (await before.clock.advance(100), false))
  await before.stop()
  const after = await onStage({ store, definitions: [code('none')], codec })
  const aside = await after.troupe.handle(handle.id)
  await after.clock.advance(60_000)
  await eventually(
    async () => (await aside.status()).reason?.kind === 'diverged' || (await after.clock.advance(100), false),
  )
  expect(JSON.stringify((await aside.status()).reason)).toContain(`ended with ${needle}`)
  // Its input, its step, and how the changed code ended.
  expect(await after.troupe.codecKeys()).toEqual([{ codec: 'aes-gcm', key: 'a', values: 3 }])
  expect(isSecret(store)).toBe(true)
})

it('what a process without the key would make of runs, before it is deployed', async () => {
  const store = storeFile()
  const flow = workflow('flow', {}, async (ctx, text: string) => {
    await ctx.step('one', () => text)
    await ctx.sleep('1d')
  })
  const later = worker('later', {}, (_ctx, text: string) => text)
  const definitions = [flow, later]
  const { troupe } = await onStage({ store, definitions, codec })
  const handle = await troupe.call(flow, needle)
  await troupe.call(later, needle, { delay: '1d' })
  await eventually(async () => (await handle.status()).state === 'parked')
  const verdicts = async (options: TroupeOptions): Promise<string[][]> => {
    const checks: string[][] = []
    for await (const { name, verdict, text } of checkDeploy({ store, definitions, ...options }))
      checks.push([name, verdict, text.slice(0, 60)])
    return checks.sort()
  }
  expect(await verdicts({ codec })).toEqual([
    ['flow', 'continues', ''],
    ['later', 'continues', ''],
  ])
  const unread = "cannot be read: A stored value was written with the codec 'a"
  expect(await verdicts({})).toEqual([
    ['flow', 'fails', unread],
    ['later', 'fails', unread],
  ])
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
  expect([...places]).toEqual(['value', 'input', 'log', 'message:tell', 'event:event', 'step:receive tell', 'outcome'])
  expect(kit.logs.map(({ text }) => text)).toEqual([`saw ${needle}`])
})
