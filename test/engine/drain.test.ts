// Draining a node from elsewhere: it takes no more work, what it performs ends or is given back, and it stops.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)

describe('drain', () => {
  it('lets what runs there end, and nothing more begin: another node goes on', async () => {
    const store = storeFile()
    const gates = [deferred<string>(), deferred<string>()]
    const performed: string[] = []
    const by = (node: string) =>
      worker('job', {}, (_ctx, n: number) => (performed.push(`${n} on ${node}`), gates[n]?.promise))
    const clock = new ManualClock(1_000)
    const one = await onStage({ store, clock, definitions: [by('one')], node: 'one' })
    const client = await onStage({ store, clock, definitions: [by('client')], starts: false })
    const first = await client.troupe.call('job', 0)
    await moving(
      clock,
      eventually(() => performed.length === 1),
    )
    expect(await client.troupe.drain('one', { by: 'ann' })).toBe(true)
    expect(await client.troupe.drain('one')).toBe(false)
    const nodes = async () => (await client.troupe.nodes()).map(({ name, state }) => [name, state])
    expect(await nodes()).toEqual([['one', 'draining']])
    // No hint is awaited on a clock that a test moves: the beat brings it.
    for (let step = 0; step < 60; step++) await clock.advance(100)
    expect(await rejection(one.troupe.call('job', 1))).toMatchObject({ code: 'engine_stopped' })
    const second = await client.troupe.call('job', 1)
    await clock.advance(6_000)
    expect(performed).toEqual(['0 on one'])
    expect(await nodes()).toEqual([['one', 'draining']])
    gates[0]?.resolve('ended')
    await moving(clock, one.troupe.drained)
    expect(await first.status()).toMatchObject({ state: 'succeeded', output: 'ended', deliveries: 0 })
    expect(await nodes()).toEqual([])
    await onStage({ store, clock, definitions: [by('two')], node: 'two' })
    gates[1]?.resolve('by two')
    expect(await moving(clock, second.result())).toBe('by two')
    expect(performed).toEqual(['0 on one', '1 on two'])
    expect(await client.troupe.audit()).toMatchObject([
      { by: 'ann', action: 'drain node', target: 'one', details: { number: 1 } },
    ])
    expect(one.log.lines.filter(({ level }) => level === 'info')).toEqual([
      {
        level: 'info',
        fields: { node: 1 },
        message: 'this node is drained: it takes no more work, and stops',
      },
    ])
  })

  it('gives back, uncounted, what does not end within the time that the node gives a stop', async () => {
    const store = storeFile()
    let calls = 0
    const job = worker('job', {}, () => (calls++, deferred<void>().promise))
    const clock = new ManualClock(1_000)
    const { troupe } = await onStage({ store, clock, definitions: [job], stopWithin: '2s' })
    const client = await onStage({ store, clock, definitions: [job], starts: false })
    const { id } = await troupe.call(job)
    await eventually(() => calls === 1)
    const before = clock.monotonic()
    await troupe.drain('test')
    await moving(clock, troupe.drained)
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(2_000)
    expect(clock.monotonic() - before).toBeLessThan(3_000)
    expect(await client.troupe.get(id)).toMatchObject({ state: 'ready', deliveries: 0, attempt: 1 })
  })

  it('gives a workflow back as soon as its executing step is recorded', async () => {
    const store = storeFile()
    const gate = deferred<string>()
    const flow = workflow('flow', {}, async (ctx) => {
      const first = await ctx.step('first', () => gate.promise)
      return ctx.step('second', () => `${first} and second`)
    })
    const clock = new ManualClock(1_000)
    const { troupe } = await onStage({ store, clock, definitions: [flow] })
    const client = await onStage({ store, clock, definitions: [flow], starts: false })
    const handle = await client.troupe.call(flow)
    await moving(
      clock,
      eventually(async () => (await handle.status()).state === 'running'),
    )
    await troupe.drain('test')
    await turns()
    gate.resolve('first')
    await moving(clock, troupe.drained)
    expect(await client.troupe.steps(handle.id)).toMatchObject([{ path: 'first', value: 'first' }])
    expect((await handle.status()).state).toBe('ready')
  })

  it('finds a node by its number where several have its name', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const nodes = [await onStage({ store, clock, node: 'same' }), await onStage({ store, clock, node: 'same' })]
    const client = await onStage({ store, clock, starts: false })
    expect(await rejection(client.troupe.drain('same'))).toMatchObject({
      code: 'option_invalid',
      message: 'node is "same": expected one of the numbers of those that have this name: 1, 2.',
    })
    expect(await client.troupe.drain(2)).toBe(true)
    await moving(clock, nodes[1]?.troupe.drained ?? Promise.reject(new Error('No second node')))
    expect((await client.troupe.nodes()).map(({ number, state }) => [number, state])).toEqual([[1, 'serving']])
  })

  it.each<[string | number]>([['tset'], [7]])('refuses %j, which is no node, with those there are', async (typed) => {
    const { troupe } = await onStage({ definitions: [double] })
    const error = await rejection(troupe.drain(typed))
    expect(error).toMatchObject({ code: 'option_invalid', details: { option: 'node', name: String(typed) } })
    expect(error.message).toContain(`The node '${typed}' is not known.`)
    expect(error.message).toContain('Known are test.')
  })

  it('means no node whose lease has ended', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    await onStage({ store, clock, node: 'gone' })
    const later = await onStage({ store, clock: new ManualClock(60_000), starts: false })
    expect((await later.troupe.nodes()).map(({ state }) => state)).toEqual(['expired'])
    expect(await rejection(later.troupe.drain('gone'))).toMatchObject({ code: 'option_invalid' })
  })

  it('is over when its program has stopped the engine meanwhile', async () => {
    const { troupe, stop } = await onStage({ definitions: [double] })
    await troupe.drain('test')
    await stop()
    await troupe.drained
    expect((await troupe.health()).status).toBe('failing')
  })
})

it('leaves drained open while nobody drains the node, also when it stops', async () => {
  const { troupe, stop } = await onStage({ definitions: [double] })
  let isDrained = false
  void troupe.drained.then(() => (isDrained = true))
  await stop()
  await turns()
  expect(isDrained).toBe(false)
})

it.each([['soon'], [-1], [{}]])('refuses %j for stopWithin', async (stopWithin) => {
  expect(await rejection(onStage({ stopWithin: stopWithin as string }))).toMatchObject({ code: 'option_invalid' })
})
