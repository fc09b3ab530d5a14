// Engines that perform what they started themselves, and leave the rest of a store to others.
import { expect, it } from 'vitest'
import { PermanentError, worker, workflow } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)
const mail = worker('mail', { queue: 'mail' }, () => 'sent')
const nap = workflow('nap', {}, async (ctx) => {
  await ctx.sleep('1m')
  return 'awake'
})
const definitions = [double, mail, nap]

it('perform what they started before and after their start, in whatever queue, and nothing that others left', async () => {
  const store = storeFile()
  const { troupe: client } = await onStage({ store, definitions, starts: false })
  const left = await client.call(double, 1)
  const { troupe } = await onStage({ store, definitions, starts: false, performs: 'own' })
  const early = await troupe.call(double, 2)
  await troupe.start()
  expect(await early.result()).toBe(4)
  expect(await troupe.run(mail)).toBe('sent')
  const many = await troupe.callMany(double, [3, 4])
  expect(await Promise.all(many.map((handle) => handle.result()))).toEqual([6, 8])
  await turns()
  expect((await left.status()).state).toBe('ready')
  expect((await client.runs({ state: 'ready' })).map(({ id }) => id)).toEqual([left.id])
})

it('go on with what they started once it is due, and with a run that has the key already', async () => {
  const store = storeFile()
  const clock = new ManualClock(1_000)
  const { troupe: client } = await onStage({ store, clock, definitions, starts: false })
  const keyed = await client.call(double, 5, { idempotencyKey: 'five' })
  const { troupe } = await onStage({ store, clock, definitions, performs: 'own' })
  const attached = await troupe.call(double, 5, { idempotencyKey: 'five' })
  expect([attached.id, await attached.result()]).toEqual([keyed.id, 10])
  const sleeping = await troupe.call(nap)
  const later = await troupe.call(double, 6, { delay: '30s' })
  await eventually(async () => (await sleeping.status()).state !== 'ready')
  expect(await moving(clock, Promise.all([later.result(), sleeping.result()]))).toEqual([12, 'awake'])
})

it('offer nothing to others: no node serves a queue for them, and their schedules do not fire', async () => {
  const store = storeFile()
  const clock = new ManualClock(1_000)
  const { troupe } = await onStage({ store, clock, definitions, performs: 'own' })
  await troupe.schedule('often', { every: '1s' }, double, 1)
  await clock.advance(5_000)
  expect((await troupe.queues()).map(({ name, nodes }) => [name, nodes])).toEqual([['default', 0]])
  expect(await troupe.runs()).toEqual([])
})

it('are told apart by an option of two words', async () => {
  const refused = await rejection(onStage({ performs: 'mine' as 'own' }))
  expect(refused).toMatchObject({ code: 'option_invalid', message: expect.stringContaining('all, own') })
})

it('go on with what they try again, one by one or many at once', async () => {
  let isOpen = false
  const shop = worker('shop', {}, () => (isOpen ? 'open' : Promise.reject(new PermanentError('closed'))))
  const store = storeFile()
  const { troupe: before } = await onStage({ store, definitions: [shop] })
  const failed = await Promise.all([before.call(shop), before.call(shop), before.call(shop)])
  await Promise.all(failed.map((handle) => rejection(handle.result())))
  await before.stop()
  isOpen = true
  const { troupe } = await onStage({ store, definitions: [shop], performs: 'own' })
  const [first, ...others] = failed.map(({ id }) => id)
  const handle = await troupe.retry(first ?? '')
  expect(await handle.result()).toBe('open')
  expect(await troupe.bulk('retry', { state: 'failed' })).toMatchObject({ done: 2 })
  const handles = await Promise.all(others.map((id) => troupe.handle(id)))
  expect(await Promise.all(handles.map((one) => one.result()))).toEqual(['open', 'open'])
})

it('go on with the children of a run that they took over', async () => {
  const store = storeFile()
  const clock = new ManualClock(1_000)
  const done: number[] = []
  const step = worker('step', {}, (_ctx, n: number) => (done.push(n), n))
  const parent = workflow('parent', { idempotencyKey: () => 'one' }, async (ctx) => {
    const first = await ctx.run(step, 1)
    const child = await ctx.call(step, 2, { delay: '10s' })
    return [first, await child.result()]
  })
  const before = await onStage({ store, clock, definitions: [step, parent], performs: 'own' })
  const handle = await before.troupe.call(parent)
  await eventually(async () => (await before.troupe.runs({ name: 'step', state: 'scheduled' })).length === 1)
  await before.stop()
  expect(done).toEqual([1])
  const { troupe } = await onStage({ store, clock, definitions: [step, parent], performs: 'own' })
  const again = await troupe.call(parent)
  expect([again.id, await moving(clock, again.result())]).toEqual([handle.id, [1, 2]])
})
