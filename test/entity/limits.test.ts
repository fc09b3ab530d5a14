// Limiters of entities: messages of all keys pass them one by one, in the slots that there are, and what waits for one is neither lost nor handled twice.
import { expect, it } from 'vitest'
import { entity, limiter, type EntityContext } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

interface Seen {
  inside: number
  most: number
  readonly order: string[]
}

/** Handles a message when its gate opens, and counts who is inside at once. */
function guarded(limits: Parameters<typeof entity>[1]['limits'], gate: () => Promise<void>) {
  const seen: Seen = { inside: 0, most: 0, order: [] }
  const desk = entity(
    'desk',
    { state: () => ({ n: 0 }), limits: limits ?? [] },
    {
      async serve(ctx: EntityContext<{ n: number }>, who: string): Promise<number> {
        seen.inside += 1
        seen.most = Math.max(seen.most, seen.inside)
        seen.order.push(who)
        await gate()
        seen.inside -= 1
        return (ctx.state.n += 1)
      },
    },
  )
  return { desk, seen }
}

it('lets so many messages of all keys be handled at once, and frees the slot of each', async () => {
  const one = limiter('one', { concurrency: 1 })
  const { desk, seen } = guarded([one], () => new Promise((resolve) => setImmediate(resolve)))
  const { troupe, clock, stop } = await onStage({ definitions: [desk] })
  const keys = ['ann', 'bob', 'cas', 'ann']
  const served = keys.map((key) => troupe.entity(desk, key).ask('serve', key))
  expect(await moving(clock, Promise.all(served))).toEqual([1, 1, 1, 2])
  expect(seen.most).toBe(1)
  expect(seen.order.toSorted()).toEqual(['ann', 'ann', 'bob', 'cas'])
  await stop()
})

it('makes the key of a limiter of the message, and tells who asks why it cannot', async () => {
  const each = limiter('each', {
    concurrency: 1,
    key: ({ key, message, args }: { key: string; message: string; args: readonly unknown[] }) => {
      if (args[0] === 'nobody') throw new Error('who is nobody')
      return `${key} ${message}`
    },
  })
  const gate = deferred<void>()
  const { desk, seen } = guarded([each], () => gate.promise)
  const { troupe, clock, stop } = await onStage({ definitions: [desk] })
  const served = ['ann', 'bob'].map((key) => troupe.entity(desk, key).ask('serve', key))
  await moving(
    clock,
    eventually(() => seen.inside === 2),
  )
  gate.resolve()
  expect(await moving(clock, Promise.all(served))).toEqual([1, 1])
  const refused = await rejection(moving(clock, troupe.entity(desk, 'cas').ask('serve', 'nobody')))
  expect(refused.message).toMatch(/limiter 'each'.*a message of entity 'desk'.*who is nobody/)
  await stop()
})

it('leaves to the next engine what waited for a slot when this one stopped', async () => {
  const one = limiter('one', { concurrency: 1 })
  const gate = deferred<void>()
  const { desk, seen } = guarded([one], () => gate.promise)
  const store = storeFile()
  const first = await onStage({ definitions: [desk], store })
  const { clock } = first
  await first.troupe.entity(desk, 'ann').tell('serve', 'ann')
  await moving(
    clock,
    eventually(() => seen.inside === 1),
  )
  await first.troupe.entity(desk, 'bob').tell('serve', 'bob')
  await moving(
    clock,
    eventually(async () => (await first.troupe.limiters()).some(({ waiting }) => waiting === 1)),
  )
  const stopped = first.stop(60_000)
  // Who waits is given back before who has the slot is done.
  await turns(50)
  gate.resolve()
  await moving(clock, stopped)
  expect(seen.order).toEqual(['ann'])
  const second = await onStage({ definitions: [desk], store, clock })
  await moving(
    clock,
    eventually(() => seen.order.length === 2),
  )
  const last = await moving(clock, second.troupe.entity(desk, 'bob').ask('serve', 'bob'))
  expect([last, seen.order]).toEqual([2, ['ann', 'bob', 'bob']])
  await second.stop()
})

it('refuses what is no limiter', () => {
  const limits = [{ concurrency: 1 }] as never
  expect(() => guarded(limits, async () => {})).toThrow(/limits of 'desk'/)
})
