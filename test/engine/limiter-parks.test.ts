// Long waits at limiters: a run that waits there holds nothing, keeps its turn, and passes with all it needs at once.
import { describe, expect, it } from 'vitest'
import { limiter, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile, type Stage } from './stage.ts'

noUnhandledRejections()

async function slotsOf({ troupe }: Stage): Promise<string> {
  return String((await troupe.limiters()).map(({ name, slots, waiting }) => [name, slots, waiting]))
}

const one = limiter('one', { concurrency: 1 })
const two = limiter('two', { concurrency: 1 })

describe('a step that waits long at a limiter', () => {
  const job = workflow('job', {}, async (ctx, name: string) => ctx.step('a', () => name, { limits: [one] }))

  it('sets its run aside without an actor, says why, and keeps its turn', async () => {
    const passed: string[] = []
    const [gate, gateOfRun] = [deferred<void>(), deferred<void>()]
    const kept = workflow('kept', {}, async (ctx, name: string) =>
      ctx.step('a', () => void passed.push(name), { limits: [one] }),
    )
    const held = workflow('held', {}, async (ctx) => ctx.step('h', () => gateOfRun.promise, { limits: [one] }))
    const definitions = [kept, held, job]
    const stage = await onStage({ definitions, pools: { workflow: { min: 2, max: 2 } } })
    const holder = await stage.troupe.call(held)
    await eventually(async () => (await slotsOf(stage)) === 'one,1,0')
    const first = await stage.troupe.call(kept, 'first')
    await eventually(async () => (await slotsOf(stage)) === 'one,1,1')
    const between = one.run(() => (passed.push('between'), gate.promise))
    const last = await stage.troupe.call(kept, 'last')
    await eventually(async () => (await slotsOf(stage)) === 'one,1,3')
    await stage.clock.advance(6_000)
    await eventually(async () => (await stage.troupe.runs({ state: 'parked' })).length === 2)
    const reason = { kind: 'limiter', limiter: 'one', key: '', step: 'a', bound: 'concurrency', holders: [holder.id] }
    expect((await first.status()).reason).toEqual(reason)
    expect(await slotsOf(stage)).toBe('one,1,3')
    gateOfRun.resolve()
    await eventually(() => passed.length === 2)
    expect(passed).toEqual(['first', 'between'])
    gate.resolve()
    await moving(stage.clock, Promise.all([between, first.result(), last.result()]))
    expect(passed).toEqual(['first', 'between', 'last'])
    await eventually(async () => (await slotsOf(stage)) === 'one,0,0')
  })

  it('is woken by what else its run waits for, and has its turn then too', async () => {
    const gate = deferred<void>()
    const flow = workflow('flow', {}, async (ctx) => {
      const step = ctx.step('a', () => 'passed', { limits: [one] })
      const told = await ctx.receive('go')
      return [told, await step]
    })
    const stage = await onStage({ definitions: [flow] })
    const held = one.run(() => gate.promise)
    await eventually(async () => (await slotsOf(stage)) === 'one,1,0')
    const handle = await stage.troupe.call(flow)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect((await handle.status()).reason).toMatchObject({ kind: 'limiter', step: 'a' })
    const behind = one.run(() => 'behind')
    await eventually(async () => (await slotsOf(stage)) === 'one,1,2')
    await handle.tell('go', 'told')
    await eventually(async () => (await handle.status()).state === 'running')
    gate.resolve()
    expect(await moving(stage.clock, Promise.all([handle.result(), held, behind]))).toEqual([
      ['told', 'passed'],
      undefined,
      'behind',
    ])
  })

  it('of several that wait passes each in its turn', async () => {
    const gate = deferred<void>()
    const flow = workflow('flow', {}, async (ctx) => {
      const items = Array.from({ length: 10 }, (_, n) => n)
      return ctx.map('each', items, (n, ctx) => ctx.step('a', () => n, { limits: [n % 2 === 0 ? one : two] }))
    })
    const stage = await onStage({ definitions: [flow] })
    const held = [one.run(() => gate.promise), two.run(() => gate.promise)]
    await eventually(async () => (await slotsOf(stage)) === 'one,1,0,two,1,0')
    const handle = await stage.troupe.call(flow)
    await eventually(async () => (await slotsOf(stage)) === 'one,1,5,two,1,5')
    await stage.clock.advance(6_000)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await slotsOf(stage)).toBe('one,1,5,two,1,5')
    gate.resolve()
    expect(await moving(stage.clock, handle.result())).toEqual(Array.from({ length: 10 }, (_, n) => n))
    await Promise.all(held)
    await eventually(async () => (await slotsOf(stage)) === 'one,0,0,two,0,0')
  })

  it('leaves its line when its run is cancelled meanwhile', async () => {
    const gate = deferred<void>()
    const stage = await onStage({ definitions: [job] })
    const held = one.run(() => gate.promise)
    await eventually(async () => (await slotsOf(stage)) === 'one,1,0')
    const handle = await stage.troupe.call(job, 'x')
    await eventually(async () => (await slotsOf(stage)) === 'one,1,1')
    await stage.clock.advance(6_000)
    await eventually(async () => (await handle.status()).state === 'parked')
    await handle.cancel()
    expect(await slotsOf(stage)).toBe('one,1,0')
    gate.resolve()
    await held
  })

  it('passes on another node', async () => {
    const store = storeFile()
    const here = await onStage({ store, definitions: [job] })
    const gate = deferred<void>()
    const held = worker('held', { limits: [one] }, () => gate.promise)
    const there = await onStage({ store, definitions: [held], node: 'second', clock: here.clock })
    const holder = await there.troupe.call(held)
    await eventually(async () => (await slotsOf(there)) === 'one,1,0')
    const handle = await here.troupe.call(job, 'x')
    await eventually(async () => (await slotsOf(there)) === 'one,1,1')
    await here.stop()
    expect(await there.troupe.get(handle.id)).toMatchObject({ state: 'parked' })
    expect(await slotsOf(there)).toBe('one,1,1')
    await there.troupe.register(job)
    gate.resolve()
    expect(await moving(there.clock, (await there.troupe.handle(handle.id)).result())).toBe('x')
    await holder.result()
  })
})

describe('a run that has a slot and waits', () => {
  it('crosswise with another for what that has holds nothing up: it gives its slot back, and takes both at once', async () => {
    const both = deferred<void>()
    let begun = 0
    const work = (name: string, own: typeof one, other: typeof one) =>
      workflow(name, { limits: [own] }, async (ctx) => {
        await ctx.step('begin', async () => {
          if (++begun === 2) both.resolve()
          await both.promise
        })
        return ctx.step('a', () => name, { limits: [other] })
      })
    const [left, right] = [work('left', one, two), work('right', two, one)]
    const stage = await onStage({ definitions: [left, right] })
    const handles = await Promise.all([stage.troupe.call(left), stage.troupe.call(right)])
    const startedAt = stage.clock.now()
    expect(await moving(stage.clock, Promise.all(handles.map((handle) => handle.result())))).toEqual(['left', 'right'])
    expect(stage.clock.now() - startedAt).toBeLessThan(1_000)
    await eventually(async () => (await slotsOf(stage)) === 'one,0,0,two,0,0')
  })

  it('for a child that needs it gives it back at once', async () => {
    const countdown = workflow('countdown', { limits: [one] }, async (ctx, n: number): Promise<number> => {
      return n === 0 ? 0 : 1 + ((await ctx.run('countdown', n - 1)) as number)
    })
    const stage = await onStage({ definitions: [countdown] })
    const startedAt = stage.clock.now()
    expect(await moving(stage.clock, stage.troupe.run(countdown, 5))).toBe(5)
    expect(stage.clock.now() - startedAt).toBeLessThan(1_000)
  })

  it('for a child that needs nothing of it stays in memory', async () => {
    let activations = 0
    const double = worker('double', {}, (_ctx, n: number) => n * 2)
    const flow = workflow('flow', { limits: [one] }, async (ctx) => {
      activations += 1
      return ctx.run(double, 2)
    })
    const { troupe } = await onStage({ definitions: [double, flow] })
    expect([await troupe.run(flow), activations]).toEqual([4, 1])
  })
})
