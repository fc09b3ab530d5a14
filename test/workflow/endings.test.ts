// What a workflow had begun to be asked and waited to be told when its code, a scope of it, or its life came to an end.
import { describe, expect, it } from 'vitest'
import { PermanentError, workflow, type RunHandle } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

const parked = (handle: RunHandle): Promise<boolean> =>
  eventually(async () => (await handle.status()).state === 'parked')

describe('an answer that was begun is given', () => {
  it('before the run goes on as a new one, with what it did done once', async () => {
    const done: string[] = []
    const gate = deferred<void>()
    const shop = workflow('shop', {}, async (ctx, life: number) => {
      ctx.answer('pay', async (_item: string, own) => {
        await own.step('charge', () => void done.push(`charge in ${life}`))
        await own.step('mail', () => gate.promise)
        return `paid in ${life}`
      })
      await ctx.receive('next')
      return life === 2 ? 'closed' : ctx.continueAsNew(2)
    })
    const { troupe } = await onStage({ definitions: [shop] })
    const handle = await troupe.call(shop, 1)
    const answer = handle.ask('pay', 'book')
    await eventually(() => done.length === 1)
    await handle.tell('next')
    await eventually(async () => (await troupe.steps(handle.id)).some(({ path }) => path === 'receive next'))
    await turns()
    expect((await handle.status()).generation).toBe(1)
    const later = handle.ask('pay', 'pen')
    gate.resolve()
    expect(await answer).toBe('paid in 1')
    expect(await later).toBe('paid in 2')
    await handle.tell('next')
    expect(await handle.result()).toBe('closed')
    expect(done).toEqual(['charge in 1', 'charge in 2'])
  })

  it('and refuses to go on as a new one in an answer, which would never be given', async () => {
    const shop = workflow('shop', {}, async (ctx, life: number) => {
      ctx.answer('renew', (_: unknown, own) => own.scope('deep', (deep) => deep.continueAsNew(life + 1)))
      await ctx.receive('end')
      return life
    })
    const { troupe } = await onStage({ definitions: [shop] })
    const handle = await troupe.call(shop, 1)
    expect(await rejection(handle.ask('renew'))).toMatchObject({
      code: 'definition_invalid',
      message: expect.stringContaining("in the answer to 'renew'") as string,
    })
    await handle.tell('end')
    expect(await handle.result()).toBe(1)
  })

  it('before the run fails', async () => {
    const gate = deferred<void>()
    const shop = workflow('shop', {}, async (ctx) => {
      ctx.answer('pay', async (_item: string, own) => {
        await own.step('charge', () => gate.promise)
        return 'paid'
      })
      await ctx.receive('fail')
      throw new PermanentError('sold out')
    })
    const { troupe } = await onStage({ definitions: [shop] })
    const handle = await troupe.call(shop)
    await parked(handle)
    const answer = handle.ask('pay', 'book')
    await eventually(async () => (await troupe.steps(handle.id)).length === 1)
    await handle.tell('fail')
    await eventually(async () => (await troupe.steps(handle.id)).length === 2)
    await turns()
    expect((await handle.status()).state).toBe('running')
    gate.resolve()
    expect(await answer).toBe('paid')
    expect(await rejection(handle.result())).toMatchObject({ message: 'sold out' })
  })

  it('before a scope, an item or a turn of it ends that throws', async () => {
    for (const kind of ['scope', 'map', 'loop'] as const) {
      const gate = deferred<void>()
      const shop = workflow('shop', {}, async (ctx) => {
        const work = async (own: typeof ctx): Promise<never> => {
          own.answer('pay', async (_item: string, inner) => {
            await inner.step('charge', () => gate.promise)
            return 'paid'
          })
          await own.receive('fail')
          throw new PermanentError('sold out')
        }
        const ended =
          kind === 'scope'
            ? ctx.scope('a', work)
            : kind === 'map'
              ? ctx.map('a', [1], (_n, own) => work(own))
              : ctx.loop('a', 0, (_n, own) => work(own))
        const message = await ended.catch((error: unknown) => (error as Error).message)
        await ctx.receive('end')
        return message
      })
      const { troupe, stop } = await onStage({ definitions: [shop] })
      const handle = await troupe.call(shop)
      await parked(handle)
      const answer = handle.ask('pay', 'book')
      await eventually(async () => (await troupe.steps(handle.id)).length === 1)
      await handle.tell('fail')
      await eventually(async () => (await troupe.steps(handle.id)).length === 2)
      gate.resolve()
      expect([kind, await answer]).toEqual([kind, 'paid'])
      await parked(handle)
      expect(await rejection(handle.ask('pay', 'pen'))).toMatchObject({ code: 'answer_missing' })
      await handle.tell('end')
      expect(await handle.result()).toBe('sold out')
      await stop()
    }
  })
})

describe('a receive that lost a race takes no message', () => {
  const lost = (ctx: { receive(name: string): Promise<unknown>; sleep(ms: number): Promise<void> }): Promise<unknown> =>
    Promise.race([ctx.receive('m'), ctx.sleep(100).then(() => 'late')])

  const races = {
    scope: workflow('race', {}, async (ctx) => [
      await ctx.scope('s', (own) => lost(own)),
      await ctx.receive('m', { timeout: '1h' }),
    ]),
    'scope in a scope': workflow('race', {}, async (ctx) => [
      await ctx.scope('s', (own) =>
        Promise.race([own.scope('t', (inner) => inner.receive('m')), own.sleep(100).then(() => 'late')]),
      ),
      await ctx.receive('m', { timeout: '1h' }),
    ]),
    'scope that throws': workflow('race', {}, async (ctx) => [
      await ctx
        .scope('s', (own) =>
          Promise.race([
            own.receive('m'),
            own.sleep(100).then(() => {
              throw new Error('late')
            }),
          ]),
        )
        .catch((error: unknown) => (error as Error).message),
      await ctx.receive('m', { timeout: '1h' }),
    ]),
    map: workflow('race', {}, async (ctx) => [
      ...(await ctx.map('items', [1], (_n, own) => lost(own))),
      await ctx.receive('m', { timeout: '1h' }),
    ]),
    'last turn of a loop': workflow('race', {}, async (ctx) => [
      await ctx.loop('l', 0, async (_n, own) => ({ done: await lost(own) })),
      await ctx.receive('m', { timeout: '1h' }),
    ]),
  }

  it.each(Object.entries(races))('once its %s has ended', async (_kind, race) => {
    const { troupe, clock } = await onStage({ definitions: [race] })
    const handle = await troupe.call(race)
    await moving(
      clock,
      eventually(async () => (await troupe.steps(handle.id)).length === 1),
    )
    await handle.tell('m', 'A')
    expect(await handle.result()).toEqual(['late', 'A'])
  })

  it.each(Object.entries(races))('once its %s has ended, also where another process goes on', async (_kind, race) => {
    const store = storeFile()
    const first = await onStage({ definitions: [race], store })
    const handle = await first.troupe.call(race)
    await moving(
      first.clock,
      eventually(async () => (await first.troupe.steps(handle.id)).length === 1),
    )
    await first.stop()
    const second = await onStage({ definitions: [race], store, clock: first.clock })
    await second.troupe.tell(handle.id, 'm', 'A')
    const again = await second.troupe.handle(handle.id)
    expect(await again.result()).toEqual(['late', 'A'])
  })

  const both = (ctx: { receive(name: string): Promise<unknown> }): Promise<unknown> =>
    Promise.race([ctx.receive('a'), ctx.receive('b')])

  const turnsOfRaces = {
    scope: workflow('both', {}, async (ctx) => {
      const got: unknown[] = []
      for (let n = 0; n < 4; n++) got.push(await ctx.scope('s', both))
      return got
    }),
    'scope in a scope': workflow('both', {}, async (ctx) => {
      const inside = (own: typeof ctx): Promise<unknown> =>
        Promise.race([own.scope('t', (inner) => inner.receive('a')), own.receive('b')])
      const got: unknown[] = []
      for (let n = 0; n < 4; n++) got.push(await ctx.scope('s', inside))
      return got
    }),
    'turn of a loop': workflow('both', {}, (ctx) =>
      ctx.loop('l', [] as unknown[], async (got, own) => {
        const all = [...got, await both(own)]
        return all.length === 4 ? { done: all } : { again: all }
      }),
    ),
  }

  it.each(Object.entries(turnsOfRaces))('also when both are told at once to its %s', async (_kind, race) => {
    const { troupe, clock } = await onStage({ definitions: [race] })
    const handle = await troupe.call(race)
    await parked(handle)
    await Promise.all(['a', 'b', 'a', 'b'].map((name, n) => handle.tell(name, `${name}${n}`)))
    await moving(
      clock,
      eventually(async () => (await troupe.unread(handle.id)).length === 0),
    )
    expect(await moving(clock, handle.result({ timeout: '1m' }))).toEqual(['a0', 'a2', 'b1', 'b3'])
  })

  it('also of what another process finds as it goes on', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    const race = workflow('race', {}, async (ctx) => {
      const first = await ctx.scope('s', both)
      await ctx.step('long', () => gate.promise)
      return [first, await ctx.receive('b', { timeout: '1h' })]
    })
    const first = await onStage({ definitions: [race], store })
    const handle = await first.troupe.call(race)
    await handle.tell('a', 'A')
    await eventually(async () => (await first.troupe.steps(handle.id)).length === 1)
    await turns()
    await first.stop()
    gate.resolve()
    const client = await onStage({ definitions: [race], store, clock: first.clock, starts: false })
    await client.troupe.tell(handle.id, 'b', 'B')
    const second = await onStage({ definitions: [race], store, clock: first.clock, node: 'second' })
    const again = await second.troupe.handle(handle.id)
    expect(await moving(second.clock, again.result({ timeout: '2h' }))).toEqual(['A', 'B'])
  })

  it('once the answer that waited for it is given', async () => {
    const desk = workflow('desk', {}, async (ctx) => {
      ctx.answer('wait', (_: unknown, own) => lost(own))
      await ctx.receive('go')
      return ctx.receive('m', { timeout: '1h' })
    })
    const { troupe, clock } = await onStage({ definitions: [desk] })
    const handle = await troupe.call(desk)
    expect(await moving(clock, handle.ask('wait'))).toBe('late')
    await handle.tell('go')
    await eventually(async () => (await troupe.steps(handle.id)).some(({ path }) => path === 'receive go'))
    await handle.tell('m', 'A')
    expect(await handle.result()).toBe('A')
  })
})

describe('an answer that does not settle', () => {
  it('is what the run waits for, as its status says until it is given and the log says once', async () => {
    const gates = { scope: deferred<void>(), end: deferred<void>() }
    const shop = workflow('shop', {}, async (ctx) => {
      await ctx.scope('s', async (own) => {
        own.answer('first', () => gates.scope.promise)
        await own.receive('leave')
      })
      ctx.answer('second', () => gates.end.promise)
      await ctx.receive('end')
      return 'ended'
    })
    const store = storeFile()
    const clock = (await onStage()).clock
    const first = await onStage({ definitions: [shop], store, clock })
    const handle = await first.troupe.call(shop)
    await parked(handle)
    const asked = handle.ask('first', undefined, { timeout: '1h' })
    await eventually(async () => (await first.troupe.steps(handle.id)).length === 1)
    await handle.tell('leave')
    await eventually(async () => (await first.troupe.steps(handle.id)).length === 2)
    await turns()
    expect((await handle.status()).reason).toBe(undefined)
    await clock.advance(5_000)
    const waiting = async (troupe: typeof first.troupe): Promise<unknown> =>
      eventually(async () => (await troupe.get(handle.id))?.reason)
    expect(await waiting(first.troupe)).toEqual({ kind: 'answer', name: 'first' })
    const warnings = (): number =>
      first.log.lines.filter(({ message }) => message.includes("which waits for its answer to 'first'")).length
    expect(warnings()).toBe(1)
    await clock.advance(60_000)
    expect(warnings()).toBe(1)
    asked.catch(() => undefined)
    await first.stop()

    const second = await onStage({ definitions: [shop], store, clock })
    const again = await second.troupe.handle(handle.id)
    await eventually(async () => (await again.status()).state === 'running')
    await turns()
    gates.scope.resolve()
    await parked(again)
    expect(await again.status()).toMatchObject({ reason: { kind: 'message', name: 'end' } })
    const late = again.ask('second', undefined, { timeout: '1h' })
    await eventually(async () => (await second.troupe.steps(handle.id)).some(({ path }) => path === 'answer second'))
    await again.tell('end')
    await eventually(async () => (await second.troupe.steps(handle.id)).some(({ path }) => path === 'receive end'))
    await turns()
    await clock.advance(5_000)
    expect(await waiting(second.troupe)).toEqual({ kind: 'answer', name: 'second' })
    gates.end.resolve()
    await late
    expect(await again.result()).toBe('ended')
  })
})
