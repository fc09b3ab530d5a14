// Limiters on steps: a step waits for its slots before each attempt, in line with all else, and holds nothing meanwhile.
import { describe, expect, it } from 'vitest'
import { limiter, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { reasonText } from '../../src/model/reason.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { gauge } from './gauge.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns, type Stage } from './stage.ts'

noUnhandledRejections()

async function slotsOf({ troupe }: Stage): Promise<[string, number, number][]> {
  return (await troupe.limiters()).map(({ name, slots, waiting }) => [name, slots, waiting])
}

const one = limiter('one', { concurrency: 1 })

describe('a step with limits', () => {
  it('is executed once it may pass, and gives its slot back', async () => {
    const job = workflow('job', {}, async (ctx) => ctx.step('a', () => 42, { limits: [one] }))
    const stage = await onStage({ definitions: [job] })
    expect(await stage.troupe.run(job)).toBe(42)
    await eventually(async () => String(await slotsOf(stage)) === 'one,0,0')
  })

  it('takes a slot for each step of Promise.all and map', async () => {
    const { work, seen } = gauge(2)
    const two = limiter('two', { concurrency: 2 })
    const job = workflow('job', {}, async (ctx) => {
      const steps = ['a', 'b', 'c', 'd'].map((name) => ctx.step(name, work, { limits: [two] }))
      const mapped = ctx.map('each', [1, 2, 3], (_item, ctx) => ctx.step('one', work, { limits: [two] }))
      await Promise.all([...steps, mapped])
    })
    const stage = await onStage({ definitions: [job] })
    await stage.troupe.run(job)
    expect(seen).toEqual({ most: 2, all: 7 })
    await eventually(async () => String(await slotsOf(stage)) === 'two,0,0')
  })

  it('is never one over, with two engines on one file and runs and functions beside it', async () => {
    const store = storeFile()
    const { work, seen } = gauge(2)
    const make = () => {
      const three = limiter('three', { concurrency: 3 })
      const flow = workflow('flow', {}, async (ctx) => {
        await Promise.all(['a', 'b'].map((name) => ctx.step(name, work, { limits: [three] })))
      })
      return { three, definitions: [flow, worker('job', { limits: [three] }, work)] }
    }
    const [here, there] = [make(), make()]
    const first = await onStage({ store, definitions: here.definitions })
    await onStage({ store, definitions: there.definitions, node: 'second', clock: first.clock })
    const handles = [
      ...(await first.troupe.callMany('flow', Array.from({ length: 20 }))),
      ...(await first.troupe.callMany('job', Array.from({ length: 20 }))),
    ]
    const others = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? here : there).three.run(work))
    await moving(first.clock, Promise.all([...others, ...handles.map((handle) => handle.result())]))
    expect(seen).toEqual({ most: 3, all: 80 })
    await eventually(async () => String(await slotsOf(first)) === 'three,0,0')
  })

  it('takes all of its limiters at once: while it waits for one it holds no slot of the others', async () => {
    const gate = deferred<void>()
    const other = limiter('other', { concurrency: 1 })
    const both = workflow('both', {}, async (ctx) => ctx.step('a', () => 'both', { limits: [other, one] }))
    const alone = workflow('alone', {}, async (ctx) => ctx.step('a', () => 'alone', { limits: [other] }))
    const stage = await onStage({ definitions: [both, alone] })
    const held = one.run(() => gate.promise)
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,0')
    const waiting = await stage.troupe.call(both)
    await eventually(async () => (await waiting.status()).reason?.kind === 'limiter')
    expect(await slotsOf(stage)).toEqual([
      ['one', 1, 1],
      ['other', 0, 0],
    ])
    expect(await stage.troupe.run(alone)).toBe('alone')
    gate.resolve()
    expect([await waiting.result(), await held]).toEqual(['both', undefined])
    await eventually(async () => String(await slotsOf(stage)) === 'one,0,0,other,0,0')
  })

  it('passes a second limiter that refused it after the first let it pass', async () => {
    const [gate, gateOfOther] = [deferred<void>(), deferred<void>()]
    const other = limiter('other', { concurrency: 1 })
    const both = workflow('both', {}, async (ctx) => ctx.step('a', () => 'both', { limits: [other, one] }))
    const stage = await onStage({ definitions: [both] })
    const held = [one.run(() => gate.promise), other.run(() => gateOfOther.promise)]
    await eventually(async () => (await stage.troupe.limiters()).every(({ slots }) => slots === 1))
    const waiting = await stage.troupe.call(both)
    await eventually(async () => (await waiting.status()).reason?.kind === 'limiter')
    gateOfOther.resolve()
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,1,other,0,0')
    gate.resolve()
    expect(await waiting.result()).toBe('both')
    await Promise.all(held)
  })

  it('gives its slot back while it backs off, and takes one for each attempt', async () => {
    let attempts = 0
    const job = workflow('job', {}, async (ctx) =>
      ctx.step('a', () => ((attempts += 1) < 2 ? Promise.reject(new Error('not yet')) : 'done'), {
        limits: [one],
        retry: { attempts: 2, backoff: 'linear', base: '1s', jitter: 0 },
      }),
    )
    const stage = await onStage({ definitions: [job] })
    const run = await stage.troupe.call(job)
    await eventually(async () => attempts === 1 && String(await slotsOf(stage)) === 'one,0,0')
    const gate = deferred<void>()
    const held = one.run(() => gate.promise)
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,0')
    await stage.clock.advance(2_000)
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,1')
    expect(attempts).toBe(1)
    gate.resolve()
    expect([await run.result(), await held, attempts]).toEqual(['done', undefined, 2])
  })

  it('does not count its wait into its timeout, which frees the slot', async () => {
    const gate = deferred<void>()
    const job = workflow('job', {}, async (ctx) =>
      ctx.step('a', () => new Promise(() => {}), { limits: [one], timeout: '1s', retry: { attempts: 1 } }),
    )
    const stage = await onStage({ definitions: [job] })
    const held = one.run(() => gate.promise)
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,0')
    const run = await stage.troupe.call(job)
    const failed = rejection(run.result())
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,1')
    await stage.clock.advance(3_000)
    expect((await run.status()).state).toBe('running')
    gate.resolve()
    expect(await moving(stage.clock, failed)).toMatchObject({ code: 'timed_out' })
    await held
    await eventually(async () => String(await slotsOf(stage)) === 'one,0,0')
  })

  it('leaves its line when its run is cancelled or out of time, and its slot when it is executed', async () => {
    const gate = deferred<void>()
    const job = workflow('job', {}, async (ctx) => ctx.step('a', () => gate.promise, { limits: [one] }))
    const stage = await onStage({ definitions: [job] })
    const first = await stage.troupe.call(job)
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,0')
    const second = await stage.troupe.call(job)
    const third = await stage.troupe.call(job, undefined, { timeout: '1s' })
    const ends = [first, second, third].map((handle) => rejection(handle.result()))
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,2')
    await second.cancel('enough')
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,1')
    await stage.clock.advance(1_000)
    await eventually(async () => String(await slotsOf(stage)) === 'one,1,0')
    await first.cancel('enough')
    await eventually(async () => String(await slotsOf(stage)) === 'one,0,0')
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual(['run_cancelled', 'run_cancelled', 'timed_out'])
  })

  it('says in the reason of its run which limiter holds it up, and who has the slots', async () => {
    const gate = deferred<void>()
    const keyed = limiter('keyed', { concurrency: 1, key: (order: { tenant: string }) => order.tenant })
    const job = workflow('job', {}, async (ctx, _order: { tenant: string }) =>
      ctx.step('a', () => gate.promise, { limits: [keyed] }),
    )
    const stage = await onStage({ definitions: [job] })
    const holder = await stage.troupe.call(job, { tenant: 'ann' })
    await eventually(async () => String(await slotsOf(stage)) === 'keyed,1,0')
    const waiting = await stage.troupe.call(job, { tenant: 'ann' })
    await eventually(async () => String(await slotsOf(stage)) === 'keyed,1,1')
    const status = await waiting.status()
    expect([status.state, (await holder.status()).reason]).toEqual(['running', undefined])
    expect(status.reason).toEqual({
      kind: 'limiter',
      limiter: 'keyed',
      key: 'ann',
      step: 'a',
      bound: 'concurrency',
      holders: [holder.id],
    })
    expect(status.reason && reasonText(status.reason)).toBe(
      `limiter 'keyed' for 'ann' before step 'a': its slots are taken by ${holder.id}`,
    )
    gate.resolve()
    await waiting.result()
  })

  it('has the key it is given, or that of the input of its run', async () => {
    const gate = deferred<void>()
    const keyed = limiter('keyed', { concurrency: 1, key: (tenant: string) => tenant })
    const begun: string[] = []
    const job = workflow('job', {}, async (ctx, _tenant: string) => {
      const work = (name: string) => () => (begun.push(name), gate.promise)
      await Promise.all([
        ctx.step('a', work('a'), { limits: [keyed] }),
        ctx.step('b', work('b'), { limits: [{ limiter: keyed, key: 'bob' }] }),
        ctx.step('c', work('c'), { limits: [{ limiter: keyed, key: 'ann' }] }),
      ])
    })
    const { troupe } = await onStage({ definitions: [job] })
    const run = await troupe.call(job, 'ann')
    await eventually(() => begun.length === 2)
    await turns()
    expect(begun).toEqual(['a', 'b'])
    gate.resolve()
    await run.result()
    expect(begun).toEqual(['a', 'b', 'c'])
  })

  it('keeps the pace of a rate', async () => {
    const paced = limiter('paced', { rate: { limit: 2, per: '1s', burst: 1 } })
    const passes: number[] = []
    const clock = new ManualClock(1_000)
    const job = workflow('job', {}, async (ctx) => {
      const work = (): void => void passes.push(clock.now() - 1_000)
      await Promise.all(['a', 'b', 'c'].map((name) => ctx.step(name, work, { limits: [paced] })))
    })
    const { troupe } = await onStage({ definitions: [job], clock })
    await moving(clock, troupe.run(job))
    expect(passes).toEqual([0, 500, 1_000])
  })

  it('gives the run back with its place in the line when its node stops', async () => {
    const store = storeFile()
    const job = () => workflow('job', {}, async (ctx) => ctx.step('a', () => 'done', { limits: [one] }))
    const first = await onStage({ store, definitions: [job()] })
    const second = await onStage({ store, definitions: [worker('other', { limits: [one] }, () => 1)], node: 'second' })
    const gate = deferred<void>()
    const held = second.troupe.call('other')
    await (await held).result()
    const hold = workflow('hold', {}, async (ctx) => ctx.step('h', () => gate.promise, { limits: [one] }))
    await second.troupe.register(hold)
    const holding = await second.troupe.call(hold)
    await eventually(async () => String(await slotsOf(second)) === 'one,1,0')
    const run = await first.troupe.call('job')
    await eventually(async () => String(await slotsOf(second)) === 'one,1,1')
    await first.stop()
    expect(await slotsOf(second)).toEqual([['one', 1, 1]])
    expect(await second.troupe.get(run.id)).toMatchObject({ state: 'parked' })
    await second.troupe.register(job())
    gate.resolve()
    expect(await moving(second.clock, (await second.troupe.handle(run.id)).result())).toBe('done')
    await holding.result()
  })

  it('loses its slot to the others when its node is dead', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    const job = (work: () => unknown) => workflow('job', {}, async (ctx) => ctx.step('a', work, { limits: [one] }))
    const first = await onStage({ store, definitions: [job(() => gate.promise)] })
    const held = await first.troupe.call('job')
    await eventually(async () => String(await slotsOf(first)) === 'one,1,0')
    const behind = await first.troupe.call('job')
    await eventually(async () => String(await slotsOf(first)) === 'one,1,1')
    // The clock of the first stands still: it does not renew its lease.
    const second = await onStage({ store, definitions: [job(() => 'there')], node: 'second' })
    await second.clock.advance(20_000)
    const ends = Promise.all([held, behind].map(async ({ id }) => (await second.troupe.handle(id)).result()))
    expect(await moving(second.clock, ends)).toEqual(['there', 'there'])
    await eventually(async () => String(await slotsOf(second)) === 'one,0,0')
    await first.clock.advance(20_000)
    gate.resolve()
  })
})

describe('the limits of a step', () => {
  it('are checked where they are given', async () => {
    const keyed = limiter('keyed', { concurrency: 1, key: (input: unknown) => input as string })
    const wrong: Record<string, unknown> = {
      none: one,
      stranger: [{ name: 'one' }],
      'no key': [{ limiter: one }],
      'key of the input': [keyed],
    }
    const job = workflow('job', {}, async (ctx, name: string) => {
      await ctx.step('a', () => 1, { limits: wrong[name] as never })
    })
    const { troupe } = await onStage({ definitions: [job] })
    for (const name of ['none', 'stranger', 'no key']) {
      expect(await rejection(troupe.run(job, name))).toMatchObject({
        code: 'option_invalid',
        message: expect.stringMatching(/limits of step 'a'|key of limiter 'one' at step 'a'/),
      })
    }
    const withoutKey = workflow('number', {}, async (ctx) => ctx.step('a', () => 1, { limits: [keyed] }))
    await troupe.register(withoutKey)
    expect(await rejection(troupe.run('number', 7))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringMatching(/What key of limiter 'keyed' made of the input of the run for step 'a' is 7/),
    })
  })

  it('cannot name a limiter that the workflow names, of whose slots its run has one', async () => {
    const job = workflow('job', { limits: [one] }, async (ctx) => ctx.step('a', () => 1, { limits: [one] }))
    const { troupe } = await onStage({ definitions: [job] })
    expect(await rejection(troupe.run(job))).toMatchObject({
      code: 'definition_invalid',
      message: expect.stringMatching(/limits of step 'a' name limiter 'one', which its workflow names too/),
    })
  })

  it('fail a step whose limiter is there with other bounds', async () => {
    const job = workflow('job', {}, async (ctx) => {
      await ctx.step('a', () => 1, { limits: [limiter('one', { concurrency: 2 })] })
    })
    const { troupe } = await onStage({ definitions: [job, worker('other', { limits: [one] }, () => 1)] })
    expect(await rejection(troupe.run(job))).toMatchObject({ code: 'definition_invalid' })
  })
})
