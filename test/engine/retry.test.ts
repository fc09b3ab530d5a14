// Trying again what failed for good: the same run, from what succeeded, with its attempts and its time counted anew.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns, type Stage } from './stage.ts'

noUnhandledRejections()

/** A worker that fails until it is mended. */
function broken() {
  const shop = { isOpen: false, calls: 0 }
  const order = worker('order', {}, (ctx, n: number) => {
    shop.calls++
    ctx.emit(`attempt ${ctx.attempt}`)
    if (!shop.isOpen) throw new Error(`the shop is closed for ${n}`)
    return n * 2
  })
  return { shop, order }
}

async function failed(): Promise<Stage & ReturnType<typeof broken> & { readonly id: string }> {
  const { shop, order } = broken()
  const stage = await onStage({ definitions: [order] })
  const handle = await stage.troupe.call(order, 4, { idempotencyKey: 'order-4' })
  await rejection(handle.result())
  return { ...stage, shop, order, id: handle.id }
}

describe('a run that failed', () => {
  it('goes on as the same run, and its handle waits for the new end', async () => {
    const { troupe, shop, id } = await failed()
    shop.isOpen = true
    const handle = await troupe.handle(id)
    await handle.retry()
    expect(await handle.result()).toBe(8)
    expect(await handle.status()).toMatchObject({ id, state: 'succeeded', generation: 2, attempt: 1, error: undefined })
    expect((await troupe.runs()).map((run) => run.id)).toEqual([id])
  })

  it('D12: shows its old end among its attempts, with its generation', async () => {
    const { troupe, shop, id } = await failed()
    shop.isOpen = true
    await (await troupe.retry(id)).result()
    expect(await troupe.attempts(id)).toEqual([
      expect.objectContaining({
        path: '',
        generation: 1,
        attempt: 1,
        error: expect.objectContaining({ message: 'the shop is closed for 4' }),
      }),
    ])
  })

  it('keeps its key: a call with it gives the same run', async () => {
    const { troupe, order, shop, id } = await failed()
    shop.isOpen = true
    await troupe.retry(id)
    expect((await troupe.call(order, 9, { idempotencyKey: 'order-4' })).id).toBe(id)
  })

  it('is counted by its last end alone', async () => {
    const { troupe, shop, id } = await failed()
    expect(await troupe.stats('order')).toMatchObject({ runs: 1, failed: 1, succeeded: 0, successRate: 0 })
    shop.isOpen = true
    await (await troupe.retry(id)).result()
    expect(await troupe.stats('order')).toMatchObject({ runs: 1, failed: 0, errors: 0, succeeded: 1, successRate: 100 })
  })

  it('may fail again and be tried again', async () => {
    const { troupe, shop, id } = await failed()
    const handle = await troupe.retry(id)
    expect(await rejection(handle.result())).toMatchObject({ message: 'the shop is closed for 4' })
    expect(await troupe.dead()).toMatchObject([{ runs: 1, newest: { id, generation: 2 } }])
    shop.isOpen = true
    await handle.retry()
    expect([await handle.result(), shop.calls]).toEqual([8, 3])
    expect((await troupe.attempts(id)).map(({ generation }) => generation)).toEqual([1, 2])
  })

  it('tells its new messages to whoever had read the old ones', async () => {
    const { troupe, shop, id } = await failed()
    const handle = await troupe.handle(id)
    expect([await handle.recv(), await handle.recv()]).toEqual(['attempt 1', undefined])
    shop.isOpen = true
    await handle.retry()
    expect([await handle.recv(), await handle.recv()]).toEqual(['attempt 1', undefined])
  })

  it('has its attempts anew', async () => {
    const seen: number[] = []
    const flaky = worker('flaky', { retry: { attempts: 2, base: '1s', jitter: 0, maxElapsed: '1m' } }, (ctx) => {
      seen.push(ctx.attempt)
      throw new Error('no')
    })
    const { troupe, clock } = await onStage({ definitions: [flaky] })
    const handle = await troupe.call(flaky)
    await moving(clock, rejection(handle.result()))
    await clock.advance(120_000)
    await handle.retry()
    await moving(clock, rejection(handle.result()))
    expect(seen).toEqual([1, 2, 1, 2])
    expect((await troupe.attempts(handle.id)).map(({ generation, attempt }) => [generation, attempt])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ])
  })

  it('has its time anew', async () => {
    const slow = worker('slow', {}, () => deferred<void>().promise)
    const { troupe, clock } = await onStage({ definitions: [slow] })
    const handle = await troupe.call(slow, undefined, { timeout: '5s' })
    await clock.advance(5_000)
    const first = await rejection(handle.result())
    await clock.advance(60_000)
    await handle.retry()
    await eventually(async () => (await handle.status()).state === 'running')
    await clock.advance(4_900)
    expect((await handle.status()).state).toBe('running')
    await clock.advance(200)
    expect((await rejection(handle.result())).message).toBe(first.message)
    expect(first.message).toContain('timed out after 5s')
  })

  it('goes on with what it kept', async () => {
    let isOpen = false
    const paged = worker('paged', {}, (ctx) => {
      const page = ctx.getState<number>('page') ?? 0
      ctx.setState('page', page + 1)
      if (!isOpen) throw new Error('no')
      return page
    })
    const { troupe } = await onStage({ definitions: [paged] })
    const handle = await troupe.call(paged)
    await rejection(handle.result())
    isOpen = true
    await handle.retry()
    expect(await handle.result()).toBe(1)
  })

  it('repeats no step of a workflow that succeeded', async () => {
    const done: string[] = []
    let isOpen = false
    const ship = workflow('ship', {}, async (ctx) => {
      const paid = await ctx.step('pay', () => done.push('pay'))
      const sent = ctx.step(
        'send',
        () => {
          done.push('send')
          if (!isOpen) throw new Error('no van')
          return 'sent'
        },
        { retry: { attempts: 1 } },
      )
      return [paid, await sent]
    })
    const { troupe } = await onStage({ definitions: [ship] })
    const handle = await troupe.call(ship)
    expect(await rejection(handle.result())).toMatchObject({ message: 'no van' })
    isOpen = true
    await handle.retry()
    expect(await handle.result()).toEqual([1, 'sent'])
    expect(done).toEqual(['pay', 'send', 'send'])
    expect((await troupe.steps(handle.id)).map(({ path }) => path)).toEqual(['pay', 'send'])
  })

  it('is tried again by another process, which tells the one that waits', async () => {
    const store = storeFile()
    const { shop, order } = broken()
    const { troupe, clock } = await onStage({ store, definitions: [order] })
    const handle = await troupe.call(order, 5)
    await rejection(handle.result())
    shop.isOpen = true
    const person = await onStage({ store, clock, node: 'person', starts: false })
    await person.troupe.retry(handle.id, { by: 'ann' })
    expect(await moving(clock, handle.result())).toBe(10)
    expect(await troupe.audit()).toMatchObject([{ by: 'ann', action: 'retry', target: handle.id }])
  })
})

describe('C22: a run', () => {
  it.each([
    ['ready', { queue: 'elsewhere' }],
    ['scheduled', { delay: '1h' }],
    ['running', {}],
  ] as const)('that is %s is not tried again', async (state, options) => {
    const slow = worker('slow', {}, () => deferred<void>().promise)
    const { troupe } = await onStage({ definitions: [slow] })
    const handle = await troupe.call(slow, undefined, options)
    await turns()
    expect(await rejection(handle.retry())).toMatchObject({
      code: 'retry_refused',
      details: { runId: handle.id, state },
      message: expect.stringContaining('only a run that failed or was cancelled is tried again'),
    })
    expect(await handle.status()).toMatchObject({ state, generation: 1 })
    expect(await troupe.audit()).toEqual([])
  })

  it('that succeeded is not tried again', async () => {
    const { troupe, shop, order } = await failed()
    shop.isOpen = true
    const handle = await troupe.call(order, 1)
    await handle.result()
    expect(await rejection(troupe.retry(handle.id))).toMatchObject({
      code: 'retry_refused',
      details: { state: 'succeeded' },
    })
    expect(await handle.result()).toBe(2)
  })

  it('that is not there, or not stored, is not tried again', async () => {
    const local = worker('local', { durable: false }, () => {
      throw new Error('no')
    })
    const { troupe } = await onStage({ definitions: [local] })
    const handle = await troupe.call(local)
    await rejection(handle.result())
    expect(await rejection(handle.retry())).toMatchObject({ code: 'retry_refused', details: { state: 'not_stored' } })
    expect(await rejection(troupe.retry('none'))).toMatchObject({ code: 'run_not_found' })
    expect(await rejection(handle.retry({ who: 'ann' } as object))).toMatchObject({ code: 'option_invalid' })
  })

  it('that was cancelled is tried again, and nobody cancels it anew', async () => {
    let runs = 0
    const slow = worker('slow', {}, () => (runs++ === 0 ? deferred<string>().promise : 'done'))
    const { troupe } = await onStage({ definitions: [slow] })
    const handle = await troupe.call(slow)
    await turns()
    expect(await troupe.cancel(handle.id, 'a mistake', { by: 'bob' })).toBe(true)
    await handle.retry({ by: 'ann' })
    expect(await handle.result()).toBe('done')
    expect((await troupe.audit()).map(({ by, action, details }) => [by, action, details])).toEqual([
      ['ann', 'retry', {}],
      ['bob', 'cancel', { reason: 'a mistake' }],
    ])
    expect(await troupe.stats('slow')).toMatchObject({ runs: 1, cancelled: 0, succeeded: 1 })
  })
})
