// What a definition gives each of its runs: tags, and an idempotency key made of the input.
import { expect, it } from 'vitest'
import { worker } from '../../src/index.ts'
import { noUnhandledRejections, onStage, rejection } from './stage.ts'

noUnhandledRejections()

it('gives every run its tags, and those of the call, each once', async () => {
  const job = worker('job', { tags: ['mail', 'slow'] }, () => 1)
  const { troupe } = await onStage({ definitions: [job], starts: false })
  const plain = await troupe.call(job)
  const more = await troupe.call(job, undefined, { tags: ['slow', 'vip'] })
  expect([(await plain.status()).tags, (await more.status()).tags]).toEqual([
    ['mail', 'slow'],
    ['mail', 'slow', 'vip'],
  ])
})

it('makes the idempotency key of the input, unless the call gives one', async () => {
  const order = worker(
    'order',
    { idempotencyKey: (input: { id: number }) => `order-${input.id}` },
    (_ctx, input: { id: number }) => input,
  )
  const { troupe } = await onStage({ definitions: [order], starts: false })
  const ids = await Promise.all(
    [{ id: 7 }, { id: 7 }, { id: 8 }].map(async (input) => (await troupe.call(order, input)).id),
  )
  expect([ids[0] === ids[1], ids[0] === ids[2]]).toEqual([true, false])
  const own = await troupe.call(order, { id: 7 }, { idempotencyKey: 'mine' })
  expect(own.id).not.toBe(ids[0])
  expect(await rejection(troupe.call(order, { id: 7 }, { onConflict: 'reject' }))).toMatchObject({
    code: 'idempotency_conflict',
    message: expect.stringContaining('order-7') as string,
  })
})

it('refuses a key that is none, and starts nothing', async () => {
  const job = worker('job', { idempotencyKey: () => 7 as unknown as string }, () => 1)
  const { troupe } = await onStage({ definitions: [job], starts: false })
  expect(await rejection(troupe.call(job))).toMatchObject({
    code: 'option_invalid',
    message: expect.stringContaining("What idempotencyKey of 'job' returned is 7") as string,
  })
  expect(await troupe.runs()).toEqual([])
})

it.each([
  ['tags', { tags: 'mail' }],
  ['tags', { tags: Array.from({ length: 101 }, String) }],
  ['idempotencyKey', { idempotencyKey: 'order-7' }],
  ['idempotencyKey', { idempotencyKey: () => 'k', durable: false }],
])('refuses wrong %s where they are written', (option, options) => {
  expect(() => worker('job', options as never, () => 1)).toThrow(
    expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining(option) as string }),
  )
})
