// Forks: another run that begins with what one did up to a step, while that one stays as it is.
import assert from 'node:assert/strict'
import { describe, expect, it } from 'vitest'
import { workflow, worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

noUnhandledRejections()

/** A workflow of named steps that counts what each of them did. */
function shop() {
  const done: string[] = []
  const world = { hasVan: true }
  const order = workflow('order', {}, async (ctx, item: string) => {
    const receipt = await ctx.step('charge', () => {
      done.push(`charge ${item}`)
      return `receipt for ${item}`
    })
    const parcel = await ctx.step(
      'pack',
      () => {
        done.push(`pack ${item}`)
        return `parcel with ${item}`
      },
      { undo: (it) => void done.push(`unpack ${it}`) },
    )
    await ctx.step(
      'ship',
      () => {
        if (!world.hasVan) throw new Error('no van')
        done.push(`ship ${parcel}`)
      },
      { retry: { attempts: 1 } },
    )
    return { receipt, parcel, item }
  })
  return { done, world, order }
}

describe('a fork', () => {
  it('remembers what was before the step, does that and the rest anew, and leaves the other run as it was', async () => {
    const { done, order } = shop()
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'book', { tags: ['shop'], correlationId: 'c-1', priority: 7 })
    await handle.result()
    const before = await handle.status()
    done.length = 0
    const fork = await handle.fork({ from: 'pack', by: 'ann' })
    expect(await fork.result()).toEqual({ receipt: 'receipt for book', parcel: 'parcel with book', item: 'book' })
    expect(done).toEqual(['pack book', 'ship parcel with book'])
    expect(fork.id).not.toBe(handle.id)
    expect(await fork.status()).toMatchObject({
      forkedFrom: handle.id,
      generation: 1,
      tags: ['shop'],
      correlationId: 'c-1',
      input: 'book',
    })
    expect(await handle.status()).toEqual(before)
    expect((await troupe.steps(fork.id)).map(({ path }) => path)).toEqual(['charge', 'pack', 'ship'])
    expect(await troupe.audit()).toMatchObject([
      { by: 'ann', action: 'fork', target: handle.id, details: { to: fork.id, from: 'pack' } },
    ])
  })

  it('goes on with another input, checked by its schema', async () => {
    const { done, order } = shop()
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'book')
    await handle.result()
    done.length = 0
    const fork = await troupe.fork(handle.id, { from: 'pack', input: 'pen' })
    expect(await fork.result()).toEqual({ receipt: 'receipt for book', parcel: 'parcel with pen', item: 'pen' })
    expect((await handle.status()).input).toBe('book')
  })

  it('of a run that failed goes on without a step as retry would, under an id of its own', async () => {
    const { done, world, order } = shop()
    const { troupe } = await onStage({ definitions: [order] })
    world.hasVan = false
    const handle = await troupe.call(order, 'book', { idempotencyKey: 'order-1' })
    await rejection(handle.result())
    world.hasVan = true
    done.length = 0
    const fork = await troupe.fork(handle.id)
    await fork.result()
    // It was unpacked when the run failed, and so it is packed again.
    expect(done).toEqual(['pack book', 'ship parcel with book'])
    expect((await handle.status()).state).toBe('failed')
    expect((await troupe.call(order, 'book', { idempotencyKey: 'order-1' })).id).toBe(handle.id)
  })

  it('undoes what it did itself and never what the other run did', async () => {
    const { done, world, order } = shop()
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'book')
    await handle.result()
    world.hasVan = false
    done.length = 0
    await rejection((await handle.fork({ from: 'ship' })).result())
    expect(done).toEqual([])
    await rejection((await handle.fork({ from: 'pack' })).result())
    expect(done).toEqual(['pack book', 'unpack parcel with book'])
  })

  it('does again what is being undone', async () => {
    const done: string[] = []
    const gate = deferred<void>()
    const world = { fails: true }
    const trip = workflow('trip', {}, async (ctx) => {
      await ctx.step('flight', () => void done.push('flight'), { undo: () => void done.push('no flight') })
      await ctx.step('hotel', () => void done.push('hotel'), { undo: () => gate.promise })
      if (world.fails) throw new Error('no car')
    })
    const { troupe } = await onStage({ definitions: [trip] })
    const handle = await troupe.call(trip)
    await eventually(async () => (await handle.status()).undoing !== undefined)
    world.fails = false
    done.length = 0
    const fork = await handle.fork()
    await fork.result()
    expect(done).toEqual(['flight', 'hotel'])
    gate.resolve()
    await rejection(handle.result())
    expect(done).toEqual(['flight', 'hotel', 'no flight'])
  })

  it('keeps a failure that the code went on from when that was before the step', async () => {
    const done: string[] = []
    const careful = workflow('careful', {}, async (ctx) => {
      const how = await ctx
        .step(
          'by card',
          (): string => {
            done.push('card')
            throw new Error('no card')
          },
          { retry: { attempts: 1 } },
        )
        .catch(() => ctx.step('by bill', () => 'billed'))
      return ctx.step('ship', () => `shipped, ${how}`)
    })
    const { troupe } = await onStage({ definitions: [careful] })
    const handle = await troupe.call(careful)
    await handle.result()
    const fork = await handle.fork({ from: 'ship' })
    expect(await fork.result()).toBe('shipped, billed')
    expect(done).toEqual(['card'])
    expect((await fork.status()).generation).toBe(1)
  })

  it('of parallel steps keeps those that were recorded before the step, whatever they are named', async () => {
    const gates = { a: deferred<void>(), b: deferred<void>(), c: deferred<void>() }
    const done: string[] = []
    const three = workflow('three', {}, (ctx) =>
      Promise.all(
        (['a', 'b', 'c'] as const).map((name) =>
          ctx.step(name, async () => {
            await gates[name].promise
            done.push(name)
            return name
          }),
        ),
      ),
    )
    const { troupe } = await onStage({ definitions: [three] })
    const handle = await troupe.call(three)
    for (const name of ['c', 'a', 'b'] as const) {
      gates[name].resolve()
      await eventually(async () => (await troupe.steps(handle.id)).some(({ path }) => path === name))
    }
    await handle.result()
    done.length = 0
    expect(await (await handle.fork({ from: 'a' })).result()).toEqual(['a', 'b', 'c'])
    expect(done.toSorted()).toEqual(['a', 'b'])
  })

  it('of a run that is parked leaves it waiting, and does the wait anew itself', async () => {
    const approved = workflow('approved', {}, async (ctx) => {
      const draft = await ctx.step('draft', () => 'a draft')
      return `${draft}, approved by ${await ctx.receive('approve')}`
    })
    const { troupe } = await onStage({ definitions: [approved] })
    const handle = await troupe.call(approved)
    await eventually(async () => (await handle.status()).state === 'parked')
    const fork = await handle.fork()
    await eventually(async () => (await fork.status()).state === 'parked')
    await fork.tell('approve', 'bob')
    expect(await fork.result()).toBe('a draft, approved by bob')
    expect((await handle.status()).state).toBe('parked')
    await handle.tell('approve', 'ann')
    expect(await handle.result()).toBe('a draft, approved by ann')
  })

  it('has what was received before the step, and no other message of that run', async () => {
    const chat = workflow('chat', {}, async (ctx) => {
      const first = await ctx.receive('say')
      await ctx.step('note', () => first)
      return [first, await ctx.receive('say', { timeout: '1s' })]
    })
    const { troupe, clock } = await onStage({ definitions: [chat] })
    const handle = await troupe.call(chat)
    for (const word of ['one', 'two', 'three']) await handle.tell('say', word)
    expect(await handle.result()).toEqual(['one', 'two'])
    const fork = await handle.fork({ from: 'note' })
    await eventually(async () => (await troupe.steps(fork.id)).some(({ path }) => path === 'note'))
    await clock.advance(2_000)
    expect(await fork.result()).toEqual(['one', null])
  })

  it('has the children of the other run, which are not started again', async () => {
    let built = 0
    const build = worker('build', {}, () => ++built)
    const release = workflow('release', {}, async (ctx) => {
      const n = await ctx.run(build)
      return ctx.step('publish', () => `build ${n}`)
    })
    const { troupe } = await onStage({ definitions: [build, release] })
    const handle = await troupe.call(release)
    await handle.result()
    expect(await (await handle.fork({ from: 'publish' })).result()).toBe('build 1')
    expect(await (await handle.fork({ from: 'build/result' })).result()).toBe('build 1')
    expect(await (await handle.fork({ from: 'build' })).result()).toBe('build 2')
  })

  it('shares a child that is under way, which then ends with neither', async () => {
    const gate = deferred<string>()
    const build = worker('build', {}, () => gate.promise)
    const release = workflow('release', {}, async (ctx) => ctx.run(build))
    const { troupe } = await onStage({ definitions: [build, release] })
    const handle = await troupe.call(release)
    await eventually(async () => (await troupe.runs({ parent: handle.id })).length === 1)
    const fork = await handle.fork()
    await handle.cancel()
    gate.resolve('built')
    expect(await fork.result()).toBe('built')
    expect(await troupe.runs({ name: 'build' })).toHaveLength(1)
  })

  it('starts a child anew that was cancelled with the other run', async () => {
    const world = { isHeard: false, builds: 0 }
    const build = worker('build', {}, () => {
      world.builds += 1
      return world.isHeard ? 'built' : deferred<string>().promise
    })
    const announce = { retry: { attempts: 1 } }
    const release = workflow('release', {}, async (ctx) => {
      const child = await ctx.call(build)
      await ctx.step('announce', () => assert.ok(world.isHeard), announce)
      return child.result()
    })
    const { troupe } = await onStage({ definitions: [build, release] })
    const handle = await troupe.call(release)
    await rejection(handle.result())
    await eventually(async () => (await troupe.runs({ name: 'build', state: 'cancelled' })).length === 1)
    world.isHeard = true
    const fork = await handle.fork({ from: 'announce' })
    expect(await fork.result()).toBe('built')
    expect((await troupe.runs({ parent: fork.id })).length).toBe(1)
  })

  it('of a loop begins with its last turn, and anew when its state is not kept', async () => {
    const turns: number[] = []
    const count = workflow('count', {}, async (ctx) => {
      await ctx.step('first', () => 1)
      const last = await ctx.loop('turn', 0, async (n, ctx) => {
        await ctx.step('add', () => void turns.push(n))
        return n === 3 ? { done: n } : { again: n + 1 }
      })
      return ctx.step('last', () => last)
    })
    const { troupe } = await onStage({ definitions: [count] })
    const handle = await troupe.call(count)
    await handle.result()
    turns.length = 0
    expect(await (await handle.fork({ from: 'last' })).result()).toBe(3)
    expect(turns).toEqual([])
    const inTurn = (await troupe.steps(handle.id)).find(({ path }) => path.endsWith('/add'))?.path ?? ''
    expect(await (await handle.fork({ from: inTurn })).result()).toBe(3)
    expect(turns).toEqual([3])
    turns.length = 0
    expect(await (await handle.fork({ from: 'first' })).result()).toBe(3)
    expect(turns).toEqual([0, 1, 2, 3])
    expect(await rejection(handle.fork({ from: 'turn[0]/add' }))).toMatchObject({
      code: 'step_not_found',
      message: expect.stringContaining('turns that are over'),
    })
  })

  it('begins behind continueAsNew with the input that it has since', async () => {
    const stage = workflow('stage', {}, async (ctx, n: number) => {
      await ctx.step('do', () => n)
      return n < 3 ? ctx.continueAsNew(n + 1) : ctx.step('end', () => n)
    })
    const { troupe } = await onStage({ definitions: [stage] })
    const handle = await troupe.call(stage, 1)
    expect(await handle.result()).toBe(3)
    const fork = await handle.fork({ from: 'end' })
    expect(await fork.result()).toBe(3)
    expect((await fork.status()).input).toBe(3)
  })

  it('of a plain worker is a run of its own with the same input', async () => {
    const double = worker('double', {}, (_ctx, n: number) => n * 2)
    const { troupe } = await onStage({ definitions: [double] })
    const handle = await troupe.call(double, 4)
    await handle.result()
    expect(await (await handle.fork()).result()).toBe(8)
    expect(await (await handle.fork({ input: 5 })).result()).toBe(10)
  })

  it('goes on from a step that is tried again and again, with attempts of its own', async () => {
    const tries: string[] = []
    const flaky = workflow('flaky', {}, async (ctx) => {
      await ctx.step('first', () => 1)
      return ctx.step(
        'second',
        ({ attempt }) => {
          tries.push(`${ctx.runId === tries[0] ? 'first' : 'fork'} ${attempt}`)
          if (tries.length < 3) throw new Error('not yet')
          return 'done'
        },
        { retry: { attempts: 5, base: '1h' } },
      )
    })
    const { troupe } = await onStage({ definitions: [flaky] })
    const handle = await troupe.call(flaky)
    await eventually(async () => (await handle.status()).state === 'parked')
    const fork = await handle.fork({ from: 'second' })
    await eventually(async () => (await fork.status()).state === 'parked')
    expect(tries).toEqual(['fork 1', 'fork 1'])
    expect((await troupe.steps(fork.id)).map(({ path }) => path)).toEqual(['first'])
  })
})

describe('what is refused', () => {
  it('is the same one under the same key, and another under another', async () => {
    const { order } = shop()
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'book')
    await handle.result()
    const [one, same] = await Promise.all(
      ['pack', 'ship'].map((from) => handle.fork({ from, idempotencyKey: 'ticket 7', by: 'ann' })),
    )
    expect(same?.id).toBe(one?.id)
    expect((await handle.fork({ idempotencyKey: 'ticket 7' })).id).toBe(one?.id)
    const other = await troupe.fork(handle.id, { idempotencyKey: 'ticket 8' })
    expect(other.id).not.toBe(one?.id)
    expect((await other.fork({ idempotencyKey: 'ticket 7' })).id).not.toBe(one?.id)
    expect((await troupe.audit()).map(({ details }) => details['idempotencyKey'])).toEqual([
      'ticket 7',
      'ticket 8',
      'ticket 7',
    ])
    expect(await rejection(handle.fork({ idempotencyKey: '' }))).toMatchObject({ code: 'option_invalid' })
  })

  it('names a step that is not there, with the nearest', async () => {
    const { order } = shop()
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order, 'book')
    await handle.result()
    expect(await rejection(handle.fork({ from: 'shipp' }))).toMatchObject({
      code: 'step_not_found',
      details: { runId: handle.id, path: 'shipp' },
      message: expect.stringContaining("Did you mean 'ship'? It has 'charge', 'pack', 'ship'."),
    })
    expect(await troupe.runs()).toHaveLength(1)
    expect(await troupe.audit()).toEqual([])
  })

  it('refuses a run that is not there, one that is not stored, and options that mean nothing', async () => {
    const local = worker('local', { durable: false }, () => deferred<void>().promise)
    const { troupe } = await onStage({ definitions: [local] })
    expect(await rejection(troupe.fork('nobody'))).toMatchObject({ code: 'run_not_found' })
    const handle = await troupe.call(local)
    expect(await rejection(handle.fork())).toMatchObject({ code: 'fork_refused' })
    const { order } = shop()
    const other = await onStage({ definitions: [order] })
    const run = await other.troupe.call(order, 'book')
    expect(await rejection(run.fork({ step: 'pack' } as object))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(run.fork({ from: 3 as unknown as string }))).toMatchObject({ code: 'option_invalid' })
    expect(await rejection(run.fork({ from: 'charge', input: () => 1 }))).toMatchObject({ code: 'value_not_storable' })
  })

  it('lets whoever performs the fork check its input, where its code is elsewhere', async () => {
    const positive = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (n: unknown) => (Number(n) > 0 ? { value: Number(n) } : { issues: [{ message: 'not above zero' }] }),
      },
    } as const
    const root = workflow('root', { input: positive }, async (_ctx, n: number) => Math.sqrt(n))
    const store = storeFile()
    const { troupe, clock } = await onStage({ store, definitions: [root] })
    const handle = await troupe.call(root, 4)
    await handle.result()
    expect(await rejection(handle.fork({ input: -1 }))).toMatchObject({ code: 'validation_failed' })
    const client = await onStage({ store, starts: false, node: 'client' })
    const refused = await client.troupe.fork(handle.id, { input: -1 })
    const taken = await client.troupe.fork(handle.id, { input: 9 })
    const here = async (id: string) => moving(clock, (await troupe.handle(id)).result())
    expect(await here(taken.id)).toBe(3)
    expect(await rejection(here(refused.id))).toMatchObject({ code: 'validation_failed' })
  })
})
