// ctx.call and ctx.run: a workflow starts other runs once, waits for them without holding anything, and takes them with it.
import { describe, expect, expectTypeOf, it } from 'vitest'
import { aesGcm, PermanentError, worker, workflow } from '../../src/index.ts'
import type { WorkflowContext } from '../../src/workflow/context.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)

describe('a workflow', () => {
  it('starts a run and gets its typed result', async () => {
    const flow = workflow('flow', {}, async (ctx, n: number) => {
      const child = await ctx.call(double, n)
      expectTypeOf(child.result).returns.resolves.toEqualTypeOf<number>()
      return [child.name, child.id, await child.result(), await ctx.run(double, 10)]
    })
    const { troupe } = await onStage({ definitions: [double, flow] })
    const output = await troupe.run(flow, 4)
    expect(output).toEqual(['double', expect.any(String), 8, 20])
    const [, id] = output as [string, string]
    expect(await troupe.get(id)).toMatchObject({ name: 'double', state: 'succeeded', output: 8 })
  })

  it('starts each child once, however often its process dies', async () => {
    const performed: number[] = []
    const job = worker('job', {}, (_ctx, n: number) => void performed.push(n))
    const flow = workflow('flow', {}, async (ctx) => {
      for (const n of [1, 2, 3]) await ctx.run(job, n)
      await ctx.sleep('1m')
      return 'done'
    })
    const store = storeFile()
    const first = await onStage({ definitions: [job, flow], store })
    const handle = await first.troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked' && performed.length === 3)
    await first.stop()
    const second = await onStage({ definitions: [job, flow], store })
    await second.clock.advance(60_000)
    const again = await second.troupe.handle(handle.id)
    expect(await moving(second.clock, again.result())).toBe('done')
    expect(performed).toEqual([1, 2, 3])
    expect((await second.troupe.runs({ name: 'job' })).length).toBe(3)
  })

  it('waits for a child without an actor or memory, and is woken by its end', async () => {
    const gate = deferred<string>()
    const slow = worker('slow', {}, () => gate.promise)
    const flow = workflow('flow', {}, (ctx) => ctx.run(slow))
    const { troupe, clock } = await onStage({ definitions: [slow, flow], pools: { workflow: { min: 1, max: 1 } } })
    const handles = await Promise.all([troupe.call(flow), troupe.call(flow)])
    await eventually(async () => (await troupe.runs({ state: 'running', name: 'slow' })).length === 2)
    await clock.advance(6_000)
    await eventually(async () => (await troupe.runs({ state: 'parked', name: 'flow' })).length === 2)
    const [child] = await troupe.runs({ name: 'slow' })
    const reasons = await Promise.all(handles.map(async (handle) => (await handle.status()).reason))
    expect(reasons).toContainEqual({ kind: 'result', runId: child?.id, until: undefined })
    gate.resolve('slow')
    expect(await moving(clock, Promise.all(handles.map((handle) => handle.result())))).toEqual(['slow', 'slow'])
  })

  it('of a node goes on when another node performed its child', async () => {
    const store = storeFile()
    const job = worker('job', { queue: 'far' }, (_ctx, n: number) => n + 1)
    const flow = workflow('flow', {}, (ctx) => ctx.run(job, 1))
    const near = await onStage({ definitions: [job, flow], store, node: 'near' })
    const handle = await near.troupe.call(flow)
    await eventually(async () => (await near.troupe.runs({ name: 'job' })).length === 1)
    const far = await onStage({ definitions: [job], store, queues: ['far'], node: 'far' })
    await eventually(async () => (await far.troupe.runs({ name: 'job', state: 'succeeded' })).length === 1)
    expect(await moving(near.clock, handle.result())).toBe(2)
  })

  it('throws what its child failed with, as the class that it was', async () => {
    const bad = worker('bad', {}, () => Promise.reject(new PermanentError('the card is stolen')))
    const flow = workflow('flow', {}, async (ctx) => {
      const error = await ctx.run(bad).catch((caught: unknown) => caught)
      return [error instanceof PermanentError, (error as Error).message]
    })
    const { troupe } = await onStage({ definitions: [bad, flow] })
    expect(await troupe.run(flow)).toEqual([true, 'the card is stolen'])
  })

  it.each<[string, (ctx: WorkflowContext) => readonly Promise<unknown>[] | Promise<readonly Promise<unknown>[]>]>([
    ['ctx.run', (ctx) => [ctx.run('bad')]],
    ['the result of a run', async (ctx) => [(await ctx.call('bad')).result()]],
    ['ctx.call', (ctx) => [ctx.call('nobody')]],
    ['ctx.scope', (ctx) => [ctx.scope('a', (ctx) => ctx.run('bad'))]],
    ['ctx.loop', (ctx) => [ctx.loop('a', 1, async (_n, ctx) => ({ done: await ctx.run('bad') }))]],
    ['ctx.map', (ctx) => [ctx.map('a', [1], (_n, ctx) => ctx.run('bad'))]],
  ])('may await another thing first: %s that fails meanwhile ends no process', async (_what, begin) => {
    const bad = worker('bad', {}, () => Promise.reject(new PermanentError('no')))
    const slow = worker('slow', {}, () => eventually(async () => (await troupe.runs({ name: 'slow' })).length === 1))
    const flow = workflow('flow', {}, async (ctx) => {
      const [fails = Promise.resolve()] = await begin(ctx)
      await ctx.run(slow)
      await turns()
      return fails.then(
        () => 'succeeded',
        () => 'failed',
      )
    })
    const { troupe } = await onStage({ definitions: [bad, slow, flow] })
    expect(await troupe.run(flow)).toBe('failed')
  })

  it('has no more time for a result than it gives, and may ask again', async () => {
    const gate = deferred<string>()
    const slow = worker('slow', {}, () => gate.promise)
    const flow = workflow('flow', {}, async (ctx) => {
      const child = await ctx.call(slow)
      const error = await child.result({ timeout: '1m' }).catch((caught: unknown) => caught)
      await ctx.step('open', () => gate.resolve('at last'))
      return [(error as { code?: string }).code, await child.result()]
    })
    const { troupe, clock } = await onStage({ definitions: [slow, flow] })
    expect(await moving(clock, troupe.run(flow))).toEqual(['result_timeout', 'at last'])
  })

  it('is told what a run waits for that has not ended in time, and what to do', async () => {
    const nap = workflow('nap', {}, async (ctx) => ctx.receive('wake up'))
    const flow = workflow('flow', {}, async (ctx) => {
      const child = await ctx.call(nap)
      return child
        .result({ timeout: '1m' })
        .catch((error: { message: string; details: object }) => [child.id, error.message, error.details])
    })
    const { troupe, clock } = await onStage({ definitions: [nap, flow] })
    const [runId, message, details] = (await moving(clock, troupe.run(flow))) as [string, string, object]
    expect(message).toBe(
      `Run ${runId} of 'nap' did not finish within the 1m that its result was waited for. It waits for message 'wake up', and goes on: await its result() again, give that a longer { timeout }, or end it with troupe.cancel.`,
    )
    expect(details).toEqual({ runId, name: 'nap', timeoutMs: 60_000, reason: 'message' })
  })

  it('names what runs side by side, and is told so when it does not', async () => {
    const clash = workflow('clash', {}, (ctx) => Promise.all([ctx.run(double, 1), ctx.run(double, 2)]))
    const named = workflow('named', {}, (ctx) =>
      Promise.all([ctx.run(double, 1, { name: 'one' }), ctx.run(double, 2, { name: 'two' })]),
    )
    const mapped = workflow('mapped', {}, (ctx) => ctx.map('each', [1, 2, 3], (n, ctx) => ctx.run(double, n)))
    const { troupe } = await onStage({ definitions: [double, clash, named, mapped] })
    expect(await rejection(troupe.run(clash))).toMatchObject({ code: 'step_name_taken' })
    expect(await troupe.run(named)).toEqual([2, 4])
    expect(await troupe.run(mapped)).toEqual([2, 4, 6])
    expect((await troupe.runs({ name: 'double' })).length).toBe(2 + 3 + 1)
  })

  it('gives each occurrence of a name its own result, in whatever order they are asked for', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const first = await ctx.call(double, 1)
      const second = await ctx.call(double, 2)
      const last = await second.result()
      await ctx.sleep('1m')
      return [await first.result(), last]
    })
    const { troupe, clock } = await onStage({ definitions: [double, flow] })
    expect(await moving(clock, troupe.run(flow))).toEqual([2, 4])
  })

  it('starts a child with its input as it was when it was asked for', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const order = { n: 0 }
      const children = [1, 2].map((n) => {
        order.n = n
        return ctx.run(echo, order, { name: `go ${n}`, queue: n === 1 ? 'default' : 'new' })
      })
      return Promise.all(children)
    })
    const echo = worker('echo', {}, (_ctx, { n }: { n: number }) => n)
    const { troupe } = await onStage({ definitions: [echo, flow], queues: ['default', 'new'] })
    expect(await troupe.run(flow)).toEqual([1, 2])
  })

  it('hands its correlation id on, and gives a child options of its own', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const plain = await ctx.call(double, 1)
      const own = await ctx.call(double, 2, { name: 'own', correlationId: 'theirs', tags: ['x'], priority: 7 })
      return [plain.id, own.id]
    })
    const { troupe } = await onStage({ definitions: [double, flow] })
    const handle = await troupe.call(flow, undefined, { correlationId: 'mine' })
    const [plain = '', own = ''] = (await handle.result()) as string[]
    expect(await troupe.get(plain)).toMatchObject({ correlationId: 'mine', parent: handle.id })
    expect(await troupe.get(own)).toMatchObject({ correlationId: 'theirs', tags: ['x'], parent: handle.id })
    expect((await troupe.runs({ parent: handle.id })).map(({ id }) => id).sort()).toEqual([plain, own].sort())
  })

  it('may recurse, but not for ever', async () => {
    const countdown = workflow('countdown', {}, async (ctx, n: number): Promise<number> => {
      return n === 0 ? 0 : 1 + ((await ctx.run('countdown', n - 1)) as number)
    })
    const { troupe } = await onStage({ definitions: [countdown], pools: { workflow: { min: 2, max: 2 } } })
    expect(await troupe.run(countdown, 32)).toBe(32)
    const error = await rejection(troupe.run(countdown, 33))
    expect(error).toMatchObject({ code: 'recursion_too_deep', details: { name: 'countdown', depth: 32 } })
  })

  it.each([
    [{ idempotencyKey: 'k' }, 'give its definition { idempotencyKey: (input) => … }'],
    [{ detached: 1 }, 'detached is 1: expected true or false'],
    [{ name: '' }, "name of the call of 'double'"],
    [{ delay: 'soon' }, 'delay: "soon"'],
  ])('refuses %j for a child', async (options, message) => {
    const flow = workflow('flow', {}, (ctx) => ctx.run(double, 1, options as object))
    const { troupe } = await onStage({ definitions: [double, flow] })
    const error = await rejection(troupe.run(flow))
    expect(error).toMatchObject({ code: 'option_invalid', message: expect.stringContaining(message) })
    expect(await troupe.runs({ name: 'double' })).toEqual([])
  })

  it('is told of a child that nobody knows, or whose input does not fit', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const unknown = await ctx.run('dobule', 1).catch((error: { code: string }) => error.code)
      const local = await ctx.run(here).catch((error: { code: string }) => error.code)
      return [unknown, local, await ctx.run(double, 3)]
    })
    const here = worker('here', { durable: false }, () => 1)
    const { troupe } = await onStage({ definitions: [double, here, flow] })
    expect(await troupe.run(flow)).toEqual(['worker_not_registered', 'option_invalid', 6])
  })
})

describe('children end with their parent', () => {
  const gate = deferred<void>()
  const job = worker('job', {}, (ctx) => new Promise((_, reject) => ctx.signal.addEventListener('abort', reject)))

  it.each(['returns', 'throws', 'is cancelled'] as const)('when it %s, running and waiting ones alike', async (end) => {
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.call(job)
      await ctx.call(job, undefined, { delay: '1h' })
      await ctx.call(double, 1, { name: 'apart', detached: true, delay: '1m' })
      await ctx.step('wait until it runs', async () => eventually(isRunning))
      if (end === 'throws') throw new PermanentError('no')
      if (end === 'is cancelled') await ctx.step('wait', () => gate.promise)
    })
    const { troupe, clock } = await onStage({ definitions: [double, job, flow] })
    const isRunning = async (): Promise<boolean> => (await troupe.runs({ name: 'job', state: 'running' })).length === 1
    const handle = await troupe.call(flow)
    if (end === 'is cancelled') {
      await eventually(isRunning)
      await handle.cancel('no more')
    } else await handle.result().catch(() => undefined)
    await eventually(async () => (await troupe.runs({ name: 'job', state: 'cancelled' })).length === 2)
    const [child] = await troupe.runs({ name: 'job' })
    expect(child?.error?.message).toContain(`run ${handle.id}, which started it, has ended`)
    await clock.advance(60_000)
    await eventually(async () => (await troupe.runs({ name: 'double', state: 'succeeded' })).length === 1)
  })

  it('also those that it starts as it fails, and the next attempt has what the last one started', async () => {
    const sleeper = worker('sleeper', {}, async (ctx) => ctx.sleep('1h'))
    const fails = workflow('fails', {}, (ctx) => Promise.all([ctx.run(sleeper), ctx.run('unknown')]))
    const again = workflow('again', { retry: { attempts: 2, base: 1, jitter: 0 } }, async (ctx) => {
      await ctx.step('bad', () => Promise.reject(new PermanentError('no'))).catch(() => undefined)
      if (ctx.attempt === 1) await Promise.all([ctx.call(double, 1), ctx.run('unknown')])
      return ctx.run(double, 1)
    })
    const { troupe, clock } = await onStage({ definitions: [sleeper, double, fails, again] })
    await rejection(troupe.run(fails))
    await eventually(async () => (await troupe.runs({ name: 'sleeper', state: 'cancelled' })).length === 1)
    expect(await moving(clock, troupe.run(again))).toBe(2)
    expect((await troupe.runs({ name: 'double' })).length).toBe(1)
  })

  it('but not when another run or caller shares them by their key', async () => {
    const open = deferred<void>()
    const shared = worker('shared', { cache: { ttl: '1h', key: String } }, async (_ctx, n: number) => {
      await open.promise
      return n
    })
    const flow = workflow('flow', {}, (ctx, n: number) => ctx.run(shared, n))
    const { troupe } = await onStage({ definitions: [shared, flow] })
    const first = await Promise.all([1, 2, 3].map((n) => troupe.call(flow, n)))
    await eventually(async () => (await troupe.runs({ name: 'shared', state: 'running' })).length === 3)
    const second = await troupe.call(flow, 1)
    const caller = await troupe.call(shared, 2)
    await eventually(async () => (await troupe.steps(second.id)).length === 1)
    expect(await Promise.all(first.map((handle) => handle.cancel()))).toEqual([true, true, true])
    await eventually(async () => (await troupe.runs({ name: 'shared', state: 'cancelled' })).length === 1)
    open.resolve()
    expect([await second.result(), await caller.result()]).toEqual([1, 2])
    expect((await troupe.runs({ name: 'shared', state: 'cancelled' })).map(({ input }) => input)).toEqual([3])
  })

  it('a thousand of them in their turn, in the same process and after its end', async () => {
    const flow = workflow('flow', {}, async (ctx) => {
      const numbers = Array.from({ length: 500 }, (_, n) => n)
      await ctx.map('each', numbers, (n, ctx) => ctx.call(double, n, { delay: '1h' }), { concurrency: 100 })
      await ctx.receive('never')
    })
    const store = storeFile()
    const { troupe, clock, stop } = await onStage({ store, definitions: [double, flow] })
    const handles = await Promise.all([troupe.call(flow), troupe.call(flow)])
    const left = async ({ queues }: Pick<typeof troupe, 'queues'>) => {
      await clock.advance(1)
      return (await queues())[0]?.scheduled
    }
    await eventually(async () => (await left(troupe)) === 1_000)
    await handles[0]?.cancel()
    await eventually(async () => (await left(troupe)) === 500)
    await stop()
    const client = await onStage({ store, clock, definitions: [double, flow], starts: false })
    await (await client.troupe.handle(handles[1]?.id ?? '')).cancel()
    expect(await left(client.troupe)).toBe(300)
    const later = await onStage({ store, clock, definitions: [double, flow], node: 'later' })
    await eventually(async () => (await left(later.troupe)) === 0)
  }, 60_000)

  it('and so do theirs', async () => {
    const inner = workflow('inner', {}, async (ctx) => ctx.run(job))
    const outer = workflow('outer', {}, async (ctx) => ctx.run(inner))
    const { troupe } = await onStage({ definitions: [job, inner, outer] })
    const handle = await troupe.call(outer)
    await eventually(async () => (await troupe.runs({ name: 'job', state: 'running' })).length === 1)
    expect(await handle.cancel()).toBe(true)
    await eventually(async () => (await troupe.runs({ state: 'cancelled' })).length === 3)
  })
})

describe('a parent that is tried again', () => {
  it('starts the next life of a child that has a key, and has what another got of it', async () => {
    let isOpen = false
    const shop = worker('shop', { idempotencyKey: String }, (_ctx, n: number) => {
      if (!isOpen) throw new PermanentError('closed')
      return n
    })
    const flow = workflow('flow', {}, (ctx, n: number) => ctx.run(shop, n))
    const { troupe } = await onStage({ definitions: [shop, flow] })
    const handle = await troupe.call(flow, 1)
    expect((await rejection(handle.result())).message).toBe('closed')
    expect((await rejection(troupe.run(flow, 1))).message).toBe('closed')
    isOpen = true
    expect((await rejection(troupe.run(flow, 1))).message).toBe('closed')
    await handle.retry()
    expect(await handle.result()).toBe(1)
    expect(await troupe.run(flow, 1)).toBe(1)
    expect((await troupe.runs({ name: 'shop' })).map(({ state, generation }) => [state, generation])).toEqual([
      ['succeeded', 2],
    ])
  })

  it('keeps the children that succeeded, and tries those again that failed', async () => {
    let isOpen = false
    const shop = worker('shop', {}, (_ctx, n: number) => {
      if (n === 2 && !isOpen) throw new PermanentError('closed')
      return n
    })
    const flow = workflow('flow', {}, async (ctx) => [await ctx.run(shop, 1), await ctx.run(shop, 2)])
    const { troupe } = await onStage({ definitions: [shop, flow] })
    const handle = await troupe.call(flow)
    expect((await rejection(handle.result())).message).toBe('closed')
    isOpen = true
    await handle.retry()
    expect(await handle.result()).toEqual([1, 2])
    const runs = await troupe.runs({ name: 'shop' })
    expect(runs.map(({ state, input, generation }) => [input, state, generation]).sort()).toEqual([
      [1, 'succeeded', 1],
      [2, 'succeeded', 2],
    ])
  })

  /** Parents of children that charge, all failed as the bank was closed. */
  async function failedFamilies(count: number) {
    const bank = { isOpen: false, charged: new Array<string>() }
    const charge = workflow('charge', {}, (ctx, n: number) =>
      ctx.step(
        'pay',
        ({ idempotencyKey }) => {
          if (!bank.isOpen) throw new PermanentError('the bank is closed')
          bank.charged.push(idempotencyKey)
          return n
        },
        { retry: { attempts: 1 } },
      ),
    )
    const flow = workflow('flow', {}, async (ctx, n: number) => (await ctx.run(charge, n)) + 1)
    const stage = await onStage({ definitions: [charge, flow] })
    const handles = await stage.troupe.callMany(
      flow,
      Array.from({ length: count }, (_, n) => n),
    )
    await Promise.all(handles.map((handle) => rejection(handle.result())))
    bank.isOpen = true
    return { ...stage, bank, charge, handles }
  }

  it('takes its failed children up, so that nothing of them is left among the dead to be done twice', async () => {
    const { troupe, bank, handles } = await failedFamilies(3)
    expect((await troupe.dead()).map(({ runs }) => runs)).toEqual([3, 3])
    expect(await troupe.bulk('retry', { name: 'flow' })).toMatchObject({ done: 3 })
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([1, 2, 3])
    expect(await troupe.dead()).toEqual([])
    expect(await troupe.bulk('retry', { name: 'charge' })).toMatchObject({ matched: 0 })
    expect(bank.charged).toHaveLength(3)
    const children = await troupe.runs({ name: 'charge' })
    expect(children.map(({ state, generation }) => [state, generation])).toEqual([
      ['succeeded', 2],
      ['succeeded', 2],
      ['succeeded', 2],
    ])
  })

  it.each(['child, parent', 'parent, child'])('is tried once by two people, in the order %s', async (order) => {
    const { troupe, bank, handles } = await failedFamilies(1)
    const [parent] = handles
    const [child] = await troupe.runs({ name: 'charge' })
    const retries = [() => parent?.retry(), () => troupe.retry(child?.id ?? '').catch(() => 'refused')]
    for (const retry of order === 'child, parent' ? retries.toReversed() : retries) await retry()
    expect(await parent?.result()).toBe(1)
    expect([bank.charged.length, (await troupe.runs({ name: 'charge' })).length]).toEqual([1, 1])
    expect(await troupe.dead()).toEqual([])
  })

  it('starts another child where it has another input now, and the one before leaves the dead', async () => {
    const inputs = { of: 1 }
    const child = worker('child', {}, (_ctx, n: number) => {
      if (n === 1) throw new PermanentError('no such card')
      return n
    })
    const flow = workflow('flow', {}, (ctx) => ctx.run(child, inputs.of))
    const { troupe } = await onStage({ definitions: [child, flow] })
    const handle = await troupe.call(flow)
    await rejection(handle.result())
    inputs.of = 2
    await handle.retry()
    expect(await handle.result()).toBe(2)
    expect((await troupe.runs({ name: 'child' })).map(({ state, input }) => [state, input])).toEqual([
      ['succeeded', 2],
      ['failed', 1],
    ])
    expect(await troupe.dead()).toEqual([])
  })

  it('starts another child for what was undone, and after it began anew', async () => {
    const did: string[] = []
    const world = { failures: 2 }
    const child = worker('child', {}, (_ctx, n: number) => did.push(`do ${n}`))
    const flow = workflow('flow', {}, async (ctx, n: number): Promise<unknown> => {
      const undo = (): void => void did.push(`undo ${n}`)
      await ctx.run(child, 7, { undo })
      await ctx.step(
        'last',
        () => {
          if (world.failures-- > 0) throw new PermanentError('no')
        },
        { retry: { attempts: 1 } },
      )
      return n === 1 ? ctx.continueAsNew(2) : 'done'
    })
    const { troupe } = await onStage({ definitions: [child, flow] })
    const handle = await troupe.call(flow, 1)
    for (let turn = 0; turn < 2; turn++) {
      await rejection(handle.result())
      await handle.retry()
    }
    expect(await handle.result()).toBe('done')
    expect(did).toEqual(['do 7', 'undo 1', 'do 7', 'undo 1', 'do 7', 'do 7'])
    expect(await troupe.runs({ name: 'child' })).toHaveLength(4)
  })

  it('starts another child while the one before undoes what it did, whose end is decided', async () => {
    const gate = deferred<void>()
    let isMended = false
    const part = workflow('part', {}, async (ctx) => {
      await ctx.step('book', () => 'booked', { undo: () => gate.promise })
      return isMended ? 'done' : ctx.receive('never')
    })
    const whole = workflow('whole', {}, async (ctx) => {
      const child = await ctx.call(part)
      await ctx.receive('go')
      if (!isMended) throw new PermanentError('not yet')
      return child.result()
    })
    const { troupe, clock } = await onStage({ definitions: [part, whole] })
    const handle = await troupe.call(whole)
    const first = await eventually(async () => (await troupe.runs({ name: 'part', state: 'parked' }))[0])
    await handle.tell('go')
    await moving(clock, rejection(handle.result()))
    await eventually(async () => (await troupe.get(first.id))?.undoing !== undefined)
    isMended = true
    await handle.retry()
    expect(await moving(clock, handle.result())).toBe('done')
    gate.resolve()
    await eventually(async () => (await troupe.get(first.id))?.state === 'cancelled')
    expect((await troupe.runs({ name: 'part' })).map(({ state }) => state)).toEqual(['succeeded', 'cancelled'])
  })

  it('of an encrypted store too', async () => {
    let isOpen = false
    const child = worker('child', {}, (_ctx, n: { card: number }) => {
      if (!isOpen) throw new PermanentError('closed')
      return n.card
    })
    const flow = workflow('flow', {}, (ctx) => ctx.run(child, { card: 4711 }))
    const codec = aesGcm({ keys: { a: new Uint8Array(32).fill(7) }, current: 'a' })
    const { troupe } = await onStage({ definitions: [child, flow], codec })
    const handle = await troupe.call(flow)
    await rejection(handle.result())
    isOpen = true
    await handle.retry()
    expect(await handle.result()).toBe(4711)
    expect(await troupe.runs({ name: 'child' })).toHaveLength(1)
  })
})

it('a thousand children of one parent are all performed, and it wakes for them few times', async () => {
  let activations = 0
  const flow = workflow('flow', {}, async (ctx) => {
    activations += 1
    const numbers = Array.from({ length: 1_000 }, (_, n) => n)
    const outputs = await ctx.map('each', numbers, (n, ctx) => ctx.run(double, n))
    return outputs.reduce((sum, n) => sum + n, 0)
  })
  const { troupe } = await onStage({ definitions: [double, flow] })
  expect(await troupe.run(flow)).toBe(999_000)
  expect(activations).toBeLessThan(10)
}, 60_000)

it('a scope gives names that are its own', async () => {
  const flow = workflow('flow', {}, (ctx) =>
    Promise.all(
      ['a', 'b'].map((name) =>
        ctx.scope(name, async (ctx) => [await ctx.step('go', () => name), await ctx.run(double, 1)]),
      ),
    ),
  )
  const { troupe } = await onStage({ definitions: [double, flow] })
  const handle = await troupe.call(flow)
  expect(await handle.result()).toEqual([
    ['a', 2],
    ['b', 2],
  ])
  const paths = (await troupe.steps(handle.id)).map(({ path, kind }) => `${kind} ${path}`).sort()
  expect(paths).toEqual(
    ['a', 'b'].flatMap((name) => [`child ${name}/double`, `result ${name}/double/result`, `step ${name}/go`]).sort(),
  )
  await turns()
})
