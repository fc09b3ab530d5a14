// Results that people record by hand: the first to be recorded stands, and the run goes on with it.
import { describe, expect, it, onTestFinished } from 'vitest'
import { DatabaseSync } from '@photostructure/sqlite'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

/** A workflow whose first step fails as long as the bank is closed. */
function shop(attempts = 5) {
  const done: string[] = []
  const bank = { isOpen: false }
  const order = workflow('order', {}, async (ctx, item: string) => {
    const receipt = await ctx.step(
      'charge',
      (): string => {
        done.push('charge')
        if (!bank.isOpen) throw new Error('the bank is closed')
        return 'receipt of the bank'
      },
      { retry: { attempts, base: '1h' }, undo: (it) => void done.push(`refund ${it}`) },
    )
    await ctx.step(
      'ship',
      () => {
        if (item === 'nothing') throw new Error('nothing to ship')
        done.push(`ship ${item}`)
      },
      { retry: { attempts: 1 } },
    )
    return `${item}, ${receipt}`
  })
  return { done, bank, order }
}

describe('a step that is tried again and again', () => {
  it('has the result that was recorded by hand, and the run goes on', async () => {
    const { done, order } = shop()
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'book')
    await eventually(async () => (await handle.status()).state === 'parked')
    await handle.resolve('charge', { output: 'receipt by hand', by: 'ann' })
    expect(await handle.result()).toBe('book, receipt by hand')
    expect(done).toEqual(['charge', 'ship book'])
    expect(await troupe.steps(handle.id)).toMatchObject([
      { path: 'charge', kind: 'step', attempt: 0, value: 'receipt by hand' },
      { path: 'ship', attempt: 1 },
    ])
    expect(await troupe.audit()).toMatchObject([
      { by: 'ann', action: 'resolve', target: handle.id, details: { step: 'charge' } },
    ])
  })

  it('fails for good when that was recorded', async () => {
    const { order } = shop()
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'book')
    await eventually(async () => (await handle.status()).state === 'parked')
    await handle.resolve('charge', { error: new RangeError('no such card') })
    expect(await rejection(handle.result())).toMatchObject({ name: 'RangeError', message: 'no such card' })
  })
})

describe('a run that failed for good', () => {
  it('goes on in its next generation with the result', async () => {
    const { done, order } = shop(1)
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'book')
    await rejection(handle.result())
    const same = await troupe.resolve(handle.id, 'charge', { output: 'receipt by hand' })
    expect(await same.result()).toBe('book, receipt by hand')
    expect(await handle.status()).toMatchObject({ generation: 2, state: 'succeeded' })
    expect(done).toEqual(['charge', 'ship book'])
    expect(await troupe.attempts(handle.id)).toMatchObject([{ path: '', generation: 1 }])
  })

  it('undoes what was recorded by hand when it fails later, as its code says', async () => {
    const { done, order } = shop(1)
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'nothing')
    await rejection(handle.result())
    await handle.resolve('charge', { output: 'receipt by hand' })
    expect(await rejection(handle.result())).toMatchObject({ message: 'nothing to ship' })
    expect(done).toEqual(['charge', 'refund receipt by hand'])
  })

  it('does again what was undone before the step that was recorded by hand', async () => {
    const done: string[] = []
    const trip = workflow('trip', {}, async (ctx) => {
      const seat = await ctx.step('flight', () => done.push('flight'), { undo: () => void done.push('no flight') })
      const room = await ctx.step('hotel', () => Promise.reject<string>(new Error('full')), { retry: { attempts: 1 } })
      return ctx.step('tell', () => `seat ${seat}, ${room}`)
    })
    const { troupe, clock } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await rejection(handle.result())
    await handle.resolve('hotel', { output: 'room 12' })
    expect(await moving(clock, handle.result())).toBe('seat 3, room 12')
    expect(done).toEqual(['flight', 'no flight', 'flight'])
  })

  it.each(['undoes', 'tells'] as const)(
    '%s what was recorded by hand when it is cut short before its code came to that',
    async (what) => {
      const world = { isOpen: false }
      const undone: string[] = []
      const gate = deferred<void>()
      const trip = workflow('trip', {}, async (ctx) => {
        await ctx.step('flight', () => (world.isOpen ? gate.promise : undefined), { undo: () => undefined })
        // Another way than the one it took before, which led to the hotel.
        if (what === 'tells' && world.isOpen) await ctx.receive('never')
        const full = () => Promise.reject<string>(new Error('full'))
        return ctx.step('hotel', full, { retry: { attempts: 1 }, undo: (room) => void undone.push(room) })
      })
      const { troupe, clock } = await onStage({ definitions: [trip] })
      const handle = await troupe.call(trip)
      await rejection(handle.result())
      world.isOpen = true
      await handle.resolve('hotel', { output: 'room 12' })
      await eventually(async () => (await handle.status()).state === 'running')
      const cancelled = handle.cancel().then(() => handle.result())
      const error = await rejection(moving(clock, cancelled))
      const failed = { code: 'undo_failed', details: { path: 'hotel' } }
      expect(error['errors'] ?? []).toMatchObject(what === 'tells' ? [failed] : [])
      expect([error.code, undone]).toEqual(['run_cancelled', what === 'tells' ? [] : ['room 12']])
    },
  )

  it('undoes nothing of a step that has no undo', async () => {
    const plain = workflow('plain', {}, async (ctx) => {
      await ctx.step('first', () => Promise.reject(new Error('no')), { retry: { attempts: 1 } })
      throw new Error('the end')
    })
    const { troupe } = await onStage({ definitions: [plain] })
    const handle = await troupe.call(plain)
    await rejection(handle.result())
    await handle.resolve('first', { output: undefined })
    const error = await rejection(handle.result())
    expect([error.message, error['errors']]).toEqual(['the end', undefined])
  })
})

describe('a step that waits for a token', () => {
  it('has the result that was recorded by hand; the token means nothing any more', async () => {
    let token = ''
    const ask = workflow('ask', {}, (ctx) => ctx.step('sign', async (step) => void (token = await step.later())))
    const { troupe } = await onStage({ definitions: [ask] })
    const handle = await troupe.call(ask)
    await eventually(async () => (await handle.status()).state === 'parked')
    await handle.resolve('sign', { output: 'on paper' })
    expect(await troupe.complete(token, 'by mail')).toBe('resolved')
    expect(await handle.result()).toBe('on paper')
  })

  it('I8: is not resolved any more once somebody has completed it', async () => {
    let token = ''
    const ask = workflow('ask', {}, (ctx) => ctx.step('sign', async (step) => void (token = await step.later())))
    const store = storeFile()
    const { troupe, clock } = await onStage({ store, definitions: [ask] })
    const handle = await troupe.call(ask)
    await eventually(async () => (await handle.status()).state === 'parked')
    await troupe.pause('default')
    expect(await troupe.complete(token, 'by mail')).toBe('accepted')
    expect(await rejection(handle.resolve('sign', { output: 'on paper' }))).toMatchObject({
      code: 'resolve_refused',
      details: { why: 'completed' },
    })
    await troupe.resume('default')
    expect(await moving(clock, handle.result())).toBe('by mail')
  })
})

describe('a transaction', () => {
  it.each([
    ['backs off', 5],
    ['failed for good', 1],
  ] as const)('that %s has the result that was recorded by hand', async (_how, attempts) => {
    const db = new DatabaseSync(':memory:')
    onTestFinished(() => db.close())
    const retry = { retry: { attempts, base: '1h' } }
    const insert = workflow('insert', {}, (ctx) =>
      ctx.tx('row', db, (tx) => tx.exec('insert into nowhere values (1)'), retry),
    )
    const { troupe } = await onStage({ definitions: [insert] })
    const handle = await troupe.call(insert)
    await eventually(async () => ['parked', 'failed'].includes((await handle.status()).state))
    await handle.resolve('row', { output: 17 })
    expect(await handle.result()).toBe(17)
  })
})

describe('a step that is under way', () => {
  it('is aborted, and what it does is not recorded', async () => {
    const gate = deferred<string>()
    let signal: AbortSignal | undefined
    const slow = workflow('slow', {}, (ctx) =>
      ctx.step('call', (step) => {
        signal = step.signal
        return gate.promise
      }),
    )
    const { troupe, log } = await onStage({ definitions: [slow], pools: { workflow: { min: 1, max: 1 } } })
    const handle = await troupe.call(slow)
    await eventually(() => signal)
    expect(await rejection(handle.resolve('call', { output: 'by hand' }))).toMatchObject({ code: 'step_not_found' })
    await handle.resolve('call', { output: 'by hand', force: true })
    await eventually(() => signal?.aborted)
    gate.resolve('by itself')
    expect(await handle.result()).toBe('by hand')
    expect(await troupe.steps(handle.id)).toHaveLength(1)
    expect((await handle.status()).deliveries).toBe(0)
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'a run was taken away from here, as a step of it was resolved by hand, or as it is stale: what it did here meanwhile is left',
    ])
  })

  it('is aborted on another node too, also when that claims the run again', async () => {
    const gate = deferred<string>()
    const signals: AbortSignal[] = []
    const slow = workflow('slow', {}, async (ctx) => {
      const one = ctx.step('one', ({ signal }) => {
        signals.push(signal)
        return gate.promise
      })
      return [await one, await ctx.step('two', () => 'two')]
    })
    const store = storeFile()
    const { troupe, clock } = await onStage({ store, definitions: [slow] })
    const handle = await troupe.call(slow)
    await eventually(() => signals[0])
    const client = await onStage({ store, starts: false, node: 'client' })
    await client.troupe.resolve(handle.id, 'one', { output: 'by hand', force: true })
    expect(await moving(clock, handle.result())).toEqual(['by hand', 'two'])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it('lets other steps of the run be begun again', async () => {
    const gate = deferred<string>()
    const begun: string[] = []
    const both = workflow('both', {}, (ctx) =>
      Promise.all([
        ctx.step('stuck', () => new Promise<string>(() => void begun.push('stuck'))),
        ctx.step('other', () => {
          begun.push('other')
          return gate.promise
        }),
      ]),
    )
    const { troupe } = await onStage({ definitions: [both] })
    const handle = await troupe.call(both)
    await eventually(() => begun.length === 2)
    await handle.resolve('stuck', { output: 'by hand', force: true })
    await eventually(() => begun.length === 3)
    gate.resolve('by itself')
    expect(await handle.result()).toEqual(['by hand', 'by itself'])
    expect(begun).toEqual(['stuck', 'other', 'other'])
  })
})

describe('a run that undoes', () => {
  it('goes on with an undo that was resolved by hand', async () => {
    const trip = workflow('trip', {}, async (ctx) => {
      await ctx.step('flight', () => 'seat 7A', {
        undo: { run: () => Promise.reject(new Error('line busy')), retry: { attempts: 9, base: '1h' } },
      })
      throw new Error('no car')
    })
    const { troupe } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await rejection(handle.resolve('flight', { output: 1 }))).toMatchObject({ details: { why: 'undoing' } })
    await handle.resolve('flight/undo', { output: undefined })
    const error = await rejection(handle.result())
    expect([error.message, error['errors']]).toEqual(['no car', undefined])
    expect(await troupe.steps(handle.id)).toMatchObject([{ path: 'flight' }, { path: 'flight/undo', kind: 'undo' }])
  })
})

describe('what is refused', () => {
  it('names what is open, and what else would help', async () => {
    const { order } = shop()
    const approve = workflow('approve', {}, async (ctx) => {
      await ctx.step('draft', () => 'a draft')
      return ctx.receive('approval')
    })
    const local = worker('local', { durable: false }, () => deferred<void>().promise)
    const { troupe } = await onStage({ definitions: [order, approve, local] })
    const handle = await troupe.call(order, 'book')
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await rejection(handle.resolve('chrge', { output: 1 }))).toMatchObject({
      code: 'step_not_found',
      message: expect.stringContaining("Did you mean 'charge'? It has 'charge'."),
    })
    const waiting = await troupe.call(approve)
    await eventually(async () => (await waiting.status()).state === 'parked')
    const why = async (step: string) => (await rejection(waiting.resolve(step, { output: 1 })))['details']
    expect(await why('draft')).toMatchObject({ why: 'recorded' })
    expect(await why('receive approval')).toMatchObject({ why: 'message' })
    await waiting.tell('approval', 'yes')
    await waiting.result()
    expect(await why('draft')).toMatchObject({ why: 'succeeded' })
    expect(await rejection(troupe.resolve('nobody', 'draft', { output: 1 }))).toMatchObject({ code: 'run_not_found' })
    const here = await troupe.call(local)
    expect(await rejection(here.resolve('x', { output: 1 }))).toMatchObject({ code: 'resolve_refused' })
    for (const options of [{}, { output: 1, error: new Error('x') }, { output: 1, force: 'yes' }, { outputs: 1 }])
      expect(await rejection(handle.resolve('charge', options as object))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(handle.resolve('charge', { output: () => 1 }))).toMatchObject({ code: 'value_not_storable' })
    expect(await troupe.audit()).toEqual([])
  })
})
