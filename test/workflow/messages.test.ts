// Messages that a workflow declares: each is checked once, where it is told or else where it is received; and those that have a key.
import { expect, it } from 'vitest'
import { z } from 'zod'
import { workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

const Approval = z.object({ by: z.string(), at: z.string().transform((text) => new Date(text)) })

const order = workflow('order', { messages: { approve: Approval, stop: z.number() } }, (ctx) => ctx.receive('approve'))

it('is told what its schema makes of it, once', async () => {
  const { troupe } = await onStage({ definitions: [order] })
  const handle = await troupe.call(order)
  expect(await handle.tell('approve', { by: 'ann', at: '2026-01-02T00:00:00.000Z' })).toBe(true)
  expect(await handle.result()).toEqual({ by: 'ann', at: new Date('2026-01-02T00:00:00.000Z') })
})

it('is not told what does not fit: the error names the run, the message and the place, and nothing is kept', async () => {
  const { troupe } = await onStage({ definitions: [order] })
  const handle = await troupe.call(order)
  const error = await rejection(troupe.tell(handle.id, 'approve', { by: 5, at: 'x' }))
  expect(error.code).toBe('validation_failed')
  expect(error.message).toMatch(new RegExp(`^Message 'approve' to run ${handle.id} does not fit its schema: by: `))
  expect(await troupe.unread(handle.id)).toEqual([])
})

it('is not told what it does not declare, nor does its code wait for that', async () => {
  const { troupe } = await onStage({ definitions: [order] })
  const handle = await troupe.call(order)
  const error = await rejection(troupe.tell(handle.id, 'aprove', 1))
  expect(error.code).toBe('message_unknown')
  expect(error.message).toBe(
    "Message 'aprove' is not among those that workflow 'order' declares: approve, stop. Did you mean 'approve'? Add it to its option { messages }, or correct the name.",
  )
  const slip = workflow('slip', { messages: { go: z.number() } }, (ctx) => ctx.receive('gone' as 'go'))
  await troupe.register(slip)
  expect((await rejection(troupe.run(slip))).code).toBe('message_unknown')
})

it('receives what a process without its code told as its schema makes of it, and refuses what does not fit, waiting on', async () => {
  const store = storeFile()
  const node = await onStage({ definitions: [order], store })
  const stranger = await onStage({ store, starts: false, node: 'stranger' })
  const handle = await node.troupe.call(order)
  await stranger.troupe.tell(handle.id, 'approve', { by: 5 })
  await stranger.troupe.tell(handle.id, 'aprove', 'lost')
  await eventually(async () => (await stranger.troupe.unread(handle.id))[0]?.refused)
  expect(await stranger.troupe.unread(handle.id)).toEqual([
    {
      name: 'approve',
      payload: { by: 5 },
      at: expect.any(Number),
      refused: expect.stringContaining(`Message 'approve' to run ${handle.id} does not fit its schema: by: `),
    },
    { name: 'aprove', payload: 'lost', at: expect.any(Number) },
  ])
  expect(node.log.lines.some(({ message }) => message === 'a message that does not fit was not received')).toBe(true)
  await eventually(async () => (await handle.status()).state === 'parked')
  await stranger.troupe.tell(handle.id, 'approve', { by: 'ann', at: '2026-01-02T00:00:00.000Z' })
  expect(await moving(node.clock, handle.result())).toEqual({ by: 'ann', at: new Date('2026-01-02T00:00:00.000Z') })
})

it('receives by key only what was told with it, and without one whatever was told', async () => {
  const pair = workflow('pair', {}, async (ctx) => {
    const [second, first] = [await ctx.receive('paid', { key: 'b' }), await ctx.receive('paid', { key: 'a' })]
    return [first, second, await ctx.receive('paid'), await ctx.receive('paid', { key: 'c', timeout: '1m' })]
  })
  const { troupe, clock } = await onStage({ definitions: [pair] })
  const handle = await troupe.call(pair)
  await handle.tell('paid', 1, { key: 'a' })
  await eventually(async () => (await handle.status()).state === 'parked')
  await turns()
  expect((await troupe.steps(handle.id)).length).toBe(0)
  await handle.tell('paid', 2, { key: 'b' })
  await handle.tell('paid', 3, { key: 'd' })
  await eventually(async () => (await troupe.steps(handle.id)).length === 3)
  await handle.tell('paid', 4)
  expect(await moving(clock, handle.result())).toEqual([1, 2, 3, null])
  expect((await troupe.unread(handle.id)).map(({ payload, key }) => [payload, key])).toEqual([[4, undefined]])
})

it('gives those who wait for one name and several keys each theirs, in any order of arrival', async () => {
  const keys = Array.from({ length: 20 }, (_, n) => `order-${n}`)
  const all = workflow('all', {}, (ctx) =>
    ctx.map('each', keys, (key, ctx) => ctx.receive('paid', { key }), { key: (key) => key, concurrency: 20 }),
  )
  const { troupe } = await onStage({ definitions: [all] })
  const handle = await troupe.call(all)
  for (const key of keys.toReversed()) await handle.tell('paid', `for ${key}`, { key })
  expect(await handle.result()).toEqual(keys.map((key) => `for ${key}`))
})

it('receives 1,000 messages that were told before, one after another, in one activation', async () => {
  const gate = deferred<void>()
  const many = workflow('many', {}, async (ctx) => {
    await ctx.step('work', () => gate.promise)
    let sum = 0
    for (let n = 0; n < 1_000; n++) sum += (await ctx.receive<number>('go')) ?? 0
    return sum
  })
  const { troupe } = await onStage({ definitions: [many] })
  const handle = await troupe.call(many)
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => handle.tell('go', n)))
  gate.resolve()
  expect(await handle.result()).toBe((1_000 * 999) / 2)
})

it('refuses schemas that are none, and keeps the rules of what is emitted beside them', async () => {
  const bad = { messages: { go: 5 } } as unknown as { messages: { go: z.ZodNumber } }
  expect(() => workflow('bad', bad, async () => 1)).toThrow("message 'go' of 'bad' is 5: expected a Standard Schema")
  const few = workflow('few', { messages: { keep: 2, go: z.number() } }, (ctx) => {
    for (let n = 1; n <= 5; n++) ctx.emit(n)
    return ctx.receive('go')
  })
  const { troupe } = await onStage({ definitions: [few] })
  const handle = await troupe.call(few)
  await handle.tell('go', 1)
  await handle.result()
  const said: unknown[] = []
  for await (const message of handle) said.push(message)
  expect(said).toEqual([1, 2])
  expect((await rejection(handle.tell('go', 1, { kee: 'k' } as object))).code).toBe('option_invalid')
  expect((await rejection(handle.tell('go', 1, { key: '' }))).code).toBe('option_invalid')
})
