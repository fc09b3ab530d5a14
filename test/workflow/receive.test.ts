// ctx.receive: what is told to a workflow reaches it once, whenever it was told and wherever it runs.
import { describe, expect, it } from 'vitest'
import { workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

const order = workflow('order', {}, async (ctx) => ctx.receive('approve'))

describe('a workflow receives', () => {
  it('what was told while it waits, parked without an actor', async () => {
    const { troupe } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect((await handle.status()).reason).toEqual({ kind: 'message', name: 'approve', until: undefined })
    expect(await handle.tell('approve', { by: 'ann' })).toBe(true)
    expect(await handle.result()).toEqual({ by: 'ann' })
  })

  it('what was told before it began, and before it waited', async () => {
    const store = storeFile()
    const client = await onStage({ definitions: [order], store, starts: false, node: 'client' })
    const handle = await client.troupe.call(order)
    expect(await client.troupe.tell(handle.id, 'approve', 'early')).toBe(true)
    const node = await onStage({ definitions: [order], store })
    expect(await moving(client.clock, handle.result())).toBe('early')
    expect(await node.troupe.unread(handle.id)).toEqual([])
  })

  it('what was told while one of its steps ran', async () => {
    const gate = deferred<void>()
    const slow = workflow('slow', {}, async (ctx) => {
      await ctx.step('work', () => gate.promise)
      return ctx.receive('go')
    })
    const { troupe } = await onStage({ definitions: [slow] })
    const handle = await troupe.call(slow)
    await eventually(async () => (await handle.status()).state === 'running')
    await handle.tell('go', 1)
    gate.resolve()
    expect(await handle.result()).toBe(1)
  })

  it('while a step of it runs beside, at once, and on resume again', async () => {
    const gate = deferred<void>()
    const both = workflow('both', {}, async (ctx) => {
      const first = await Promise.race([ctx.receive('go'), ctx.step('work', () => gate.promise.then(() => 'step'))])
      ctx.emit(first)
      await ctx.sleep('1m')
      return first
    })
    const { troupe, clock } = await onStage({ definitions: [both] })
    const handle = await troupe.call(both)
    await eventually(async () => (await handle.status()).state === 'running')
    await turns()
    await handle.tell('go', 'told')
    expect(await handle.recv()).toBe('told')
    gate.resolve()
    expect(await moving(clock, handle.result())).toBe('told')
  })

  it('what another process told, though a step of it runs beside', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    const both = workflow('both', {}, (ctx) => Promise.race([ctx.receive('go'), ctx.step('work', () => gate.promise)]))
    const { troupe, clock } = await onStage({ definitions: [both], store })
    const other = await onStage({ store, starts: false, node: 'other' })
    const handle = await troupe.call(both)
    await eventually(async () => (await handle.status()).state === 'running')
    await turns()
    await other.troupe.tell(handle.id, 'go', 'from afar')
    expect(await moving(clock, handle.result())).toBe('from afar')
    gate.resolve()
  })

  it('in the order in which it was told, each message once, also after its process has died', async () => {
    const store = storeFile()
    const three = workflow('three', {}, async (ctx) => {
      const seen: unknown[] = []
      for (let n = 0; n < 3; n++) seen.push(await ctx.receive('go'))
      return seen
    })
    const first = await onStage({ definitions: [three], store })
    const handle = await first.troupe.call(three)
    await handle.tell('go', 1)
    await handle.tell('go', 2)
    await eventually(async () => (await first.troupe.steps(handle.id)).length === 2)
    await first.stop()
    const second = await onStage({ definitions: [three], store })
    await second.troupe.tell(handle.id, 'go', 3)
    expect(await (await second.troupe.handle(handle.id)).result()).toEqual([1, 2, 3])
  })

  it('names apart, and two at the same time in the order in which they asked', async () => {
    const pair = workflow('pair', {}, (ctx) => Promise.all([ctx.receive('a'), ctx.receive('b'), ctx.receive('a')]))
    const { troupe } = await onStage({ definitions: [pair] })
    const handle = await troupe.call(pair)
    await handle.tell('b', 'b1')
    await handle.tell('a', 'a1')
    await handle.tell('a', 'a2')
    expect(await handle.result()).toEqual(['a1', 'b1', 'a2'])
  })

  it('null when the time is up, and leaves what comes later', async () => {
    const late = workflow('late', {}, async (ctx) => {
      const first = await ctx.receive('go', { timeout: '1m' })
      ctx.emit(first)
      return [first, await ctx.receive('go')]
    })
    const { troupe, clock } = await onStage({ definitions: [late] })
    const handle = await troupe.call(late)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await moving(clock, handle.recv())).toBe(null)
    await handle.tell('go', 'late')
    expect(await moving(clock, handle.result())).toEqual([null, 'late'])
  })

  it('what was told in time, though its process was away until after that', async () => {
    const store = storeFile()
    const flow = workflow('flow', {}, (ctx) =>
      Promise.all([ctx.step('before', () => 'done'), ctx.receive('answer', { timeout: '1h' })]),
    )
    const first = await onStage({ definitions: [flow], store })
    const handle = await first.troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    await first.stop()
    const client = await onStage({ definitions: [flow], store, clock: first.clock, starts: false })
    await client.troupe.tell(handle.id, 'answer', 'in time')
    await first.clock.advance(7_200_000)
    const second = await onStage({ definitions: [flow], store, clock: first.clock, node: 'second' })
    const again = await second.troupe.handle(handle.id)
    expect(await moving(first.clock, again.result())).toEqual(['done', 'in time'])
  })

  it('undefined and null as they were told', async () => {
    const two = workflow('two', {}, async (ctx) => [await ctx.receive('go'), await ctx.receive('go')])
    const { troupe } = await onStage({ definitions: [two] })
    const handle = await troupe.call(two)
    await handle.tell('go')
    await handle.tell('go', null)
    expect(await handle.result()).toEqual([undefined, null])
  })
})

describe('a run that is over', () => {
  it('makes a dead letter of what it is told, and of what it did not receive', async () => {
    const done = workflow('done', {}, (ctx) => ctx.step('work', () => 1))
    const { troupe, clock } = await onStage({ definitions: [done] })
    const handle = await troupe.call(done)
    await handle.tell('go', 1)
    await handle.result()
    const late = await rejection(troupe.tell(handle.id, 'go', 2))
    expect(late).toMatchObject({ code: 'run_ended', details: { runId: handle.id, message: 'go' } })
    expect(late.message).toBe(
      `Run ${handle.id} has ended, so nobody receives 'go': it is kept as a dead letter alone, as troupe.unread() shows. Start another run, or try this one again if it failed, and tell it then.`,
    )
    expect(await troupe.unread(handle.id)).toEqual([
      { name: 'go', payload: 1, at: expect.any(Number) },
      { name: 'go', payload: 2, at: expect.any(Number), refused: 'the run had ended' },
    ])
    expect(clock.now()).toBeGreaterThan(0)
  })
})

it('a run that is tried again receives what was accepted before its end, and not what was refused after it', async () => {
  let isOpen = false
  const order = workflow('order', {}, async (ctx) => {
    await ctx.step('work', () => (isOpen ? 1 : Promise.reject(new Error('closed'))), { retry: { attempts: 1 } })
    return [await ctx.receive('go'), await ctx.receive('go')]
  })
  const { troupe } = await onStage({ definitions: [order] })
  const handle = await troupe.call(order, undefined, { delay: '1h' })
  await handle.tell('go', 'accepted')
  await handle.cancel()
  expect(await rejection(handle.tell('go', 'refused'))).toMatchObject({ code: 'run_ended' })
  isOpen = true
  await handle.retry()
  await handle.tell('go', 'sent again')
  expect(await handle.result()).toEqual(['accepted', 'sent again'])
  expect(await troupe.unread(handle.id)).toMatchObject([{ payload: 'refused', refused: 'the run had ended' }])
})

describe('tell refuses', () => {
  it('a run that is not there, names and payloads that cannot be kept, and a stopped engine', async () => {
    const { troupe, stop } = await onStage({ definitions: [order] })
    const handle = await troupe.call(order)
    expect((await rejection(troupe.tell('none', 'go'))).code).toBe('run_not_found')
    expect((await rejection(handle.tell('', 1))).code).toBe('option_invalid')
    expect((await rejection(handle.tell('go', (() => 1) as unknown))).code).toBe('value_not_storable')
    expect((await rejection(handle.tell('go', 'x'.repeat(300_000)))).code).toBe('value_too_large')
    await stop()
    expect((await rejection(handle.tell('go', 1))).code).toBe('engine_stopped')
  })
})
