// Several nodes on one store: leases, take-over, the fence, and runs that kill their process.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const world = { leaseMs: 300 }

describe('a node', () => {
  it('leaves a run alone while the lease of its node is live (I9)', async () => {
    const store = storeFile()
    let calls = 0
    const job = worker('job', {}, () => (calls++, deferred<void>().promise))
    const one = await onStage({ store, definitions: [job], world })
    await one.troupe.call(job)
    await eventually(() => calls === 1)
    const clock = new ManualClock(1_290)
    await onStage({ store, clock, definitions: [job], world })
    await turns()
    expect(calls).toBe(1)
    // The first renews, so its runs stay its own for as long as it lives.
    for (let step = 0; step < 30; step++) await Promise.all([one.clock.advance(50), clock.advance(50)])
    expect(calls).toBe(1)
  })

  it('takes over when the lease ran out, and the delivery is counted, not the attempt (I12)', async () => {
    const store = storeFile()
    const attempts: number[] = []
    const job = worker('job', {}, (ctx) => {
      attempts.push(ctx.attempt)
      return attempts.length === 1 ? deferred<string>().promise : 'done'
    })
    const one = await onStage({ store, definitions: [job], world })
    const { id } = await one.troupe.call(job)
    await eventually(() => attempts.length === 1)
    await turns()
    const two = await onStage({ store, definitions: [job], clock: new ManualClock(1_100), world })
    await turns()
    expect(attempts).toEqual([1])
    await two.clock.advance(400)
    expect(await (await two.troupe.handle(id)).result()).toBe('done')
    expect(attempts).toEqual([1, 1])
    expect((await two.troupe.get(id))?.attempt).toBe(1)
    const told = two.log.lines.map(({ message, fields }) => [message, fields])
    expect(told).toEqual([['goes on with 1 run whose process died', { runs: 1 }]])
  })

  it('that was paused and comes back changes nothing (I5)', async () => {
    const store = storeFile()
    const gate = deferred<string>()
    const reasons: unknown[] = []
    let performed = 0
    const flow = workflow('flow', {}, async (ctx) => {
      performed += 1
      const mine = performed
      ctx.emit(`begun by ${mine}`)
      const value = await ctx.step('s', ({ signal }) => {
        if (mine === 2) return 'from two'
        signal.addEventListener('abort', () => reasons.push(signal.reason))
        return gate.promise
      })
      ctx.emit(`ended by ${mine}`)
      return value
    })
    const one = await onStage({ store, definitions: [flow], world })
    const { id } = await one.troupe.call(flow)
    await eventually(() => performed === 1)
    await turns()
    const two = await onStage({ store, definitions: [flow], clock: new ManualClock(1_500), world })
    expect(await (await two.troupe.handle(id)).result()).toBe('from two')
    gate.resolve('from one')
    await turns()
    await one.clock.advance(500)
    expect(await two.troupe.steps(id)).toMatchObject([{ path: 's', value: 'from two' }])
    expect((await one.troupe.get(id))?.output).toBe('from two')
    const messages: unknown[] = []
    for await (const message of await two.troupe.handle(id)) messages.push(message)
    expect(messages).toEqual(['begun by 1', 'begun by 2', 'ended by 2'])
    // It starts anew and works on.
    expect(await moving(one.clock, one.troupe.run(flow))).toBe('from one')
  })

  it('that was paused tells what still runs on it that its lease is lost', async () => {
    const store = storeFile()
    const reasons: unknown[] = []
    let calls = 0
    const job = worker('job', {}, (ctx) => {
      calls += 1
      if (calls === 2) return 'two'
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      return deferred<string>().promise
    })
    const one = await onStage({ store, definitions: [job], world })
    const { id } = await one.troupe.call(job)
    await eventually(() => calls === 1)
    await turns()
    const two = await onStage({ store, definitions: [job], clock: new ManualClock(1_500), world })
    expect(await (await two.troupe.handle(id)).result()).toBe('two')
    await one.clock.advance(500)
    await turns()
    expect(reasons).toEqual([expect.objectContaining({ code: 'lease_lost' })])
  })

  it('shares the work of one store with another, each run performed once (I6)', async () => {
    const store = storeFile()
    const clock = new ManualClock(1_000)
    const performed: number[] = []
    const job = worker('job', {}, async (_ctx, n: number) => {
      performed.push(n)
      await turns(1)
      return n
    })
    const pools = { task: { min: 2, max: 2 } }
    const client = await onStage({ store, clock, definitions: [job], starts: false })
    const handles = await Promise.all(Array.from({ length: 200 }, (_, n) => client.troupe.call(job, n)))
    const nodes = await Promise.all(
      ['one', 'two', 'three'].map((node) => onStage({ store, clock, definitions: [job], node, pools })),
    )
    const results = await moving(clock, Promise.all(handles.map((handle) => handle.result())))
    expect(results).toEqual(handles.map((_handle, n) => n))
    expect(performed.toSorted((left, right) => left - right)).toEqual(results)
    expect(nodes).toHaveLength(3)
  })
})

describe('a run whose process dies', () => {
  it('fails with run_lost the fourth time, without a step in between', async () => {
    const store = storeFile()
    let calls = 0
    const job = worker('job', {}, () => (calls++, deferred<void>().promise))
    const first = await onStage({ store, definitions: [job], world })
    const { id } = await first.troupe.call(job)
    for (let death = 1; death <= 4; death++) {
      await eventually(() => calls === death)
      await turns()
      const { troupe, log } = await onStage({
        store,
        definitions: [job],
        clock: new ManualClock(1_000 + death * 500),
        world,
      })
      const metrics = await troupe.metrics()
      const counted = ['rescued', 'given_up'].map((what) => metrics[`troupe.run.${what}`]?.points[0]?.value)
      expect(counted).toEqual(death < 4 ? [1, 0] : [0, 1])
      if (death < 4) continue
      expect(log.lines.filter(({ level }) => level !== 'debug')).toEqual([
        {
          level: 'error',
          fields: {
            run: id,
            worker: 'job',
            attempt: 1,
            deliveries: 4,
            err: expect.objectContaining({ code: 'run_lost' }),
          },
          message: expect.stringMatching(
            /^worker 'job' failed: The process died 4 times while it ran this.*; nobody here waits for its result$/,
          ),
        },
      ])
      const result = rejection((await troupe.handle(id)).result())
      expect(await result).toMatchObject({ code: 'run_lost', retryable: false, details: { deliveries: 4 } })
      expect(await troupe.get(id)).toMatchObject({ state: 'failed', attempt: 1 })
    }
    expect(calls).toBe(4)
  })

  it.each([1, 40])('takes no other run to its end with it when it kills its process after %d s', async (seconds) => {
    const store = storeFile()
    const killer = 2
    let clock = new ManualClock(1_000)
    let diesAt = Infinity
    const job = worker('job', {}, (_ctx, n: number) => {
      if (n === killer) diesAt = clock.now() + seconds * 1_000
      const { promise, resolve } = deferred<number>()
      if (n !== killer) clock.after(60_000, () => resolve(n))
      return promise
    })
    const client = await onStage({ store, definitions: [job], starts: false })
    const handles = await client.troupe.callMany(job, [0, 1, killer, 3, 4])
    const ends = async () => (await client.troupe.runs()).map(({ state, code }) => code ?? state).toReversed()
    const areOver = async () => (await ends()).every((end) => end === 'succeeded' || end === 'run_lost')
    let deaths = 0
    for (; !(await areOver()); deaths += 1) {
      diesAt = Infinity
      clock = new ManualClock(clock.now() + 20_000)
      await onStage({ store, definitions: [job], clock })
      for (await turns(); clock.now() < diesAt && !(await areOver()); await turns(5)) await clock.advance(1_000)
    }
    expect(await ends()).toEqual(['succeeded', 'succeeded', 'run_lost', 'succeeded', 'succeeded'])
    expect((await handles[killer]?.status())?.error).toMatchObject({ details: { deliveries: 4 } })
    // The last of these processes lives.
    expect(deaths - 1).toBe(4)
  })

  it('fails earlier when the node is told so', async () => {
    const store = storeFile()
    let calls = 0
    const job = worker('job', {}, () => (calls++, deferred<void>().promise))
    const one = await onStage({ store, definitions: [job], world })
    const { id } = await one.troupe.call(job)
    await eventually(() => calls === 1)
    const { troupe } = await onStage({
      store,
      definitions: [job],
      clock: new ManualClock(2_000),
      world: { ...world, maxDeliveries: 1 },
    })
    expect(await rejection((await troupe.handle(id)).result())).toMatchObject({
      code: 'run_lost',
      details: { deliveries: 1 },
    })
  })

  it('counts anew after a step was recorded', async () => {
    const store = storeFile()
    let performed = 0
    const flow = workflow('flow', {}, async (ctx) => {
      performed += 1
      for (let turn = 1; turn <= performed; turn++) await ctx.step(`step ${turn}`, () => turn)
      if (performed < 7) await deferred<void>().promise
      return performed
    })
    const first = await onStage({ store, definitions: [flow], world })
    const { id } = await first.troupe.call(flow)
    let stage = first
    for (let death = 1; death <= 6; death++) {
      await eventually(async () => (await stage.troupe.steps(id)).length === death)
      stage = await onStage({ store, definitions: [flow], clock: new ManualClock(1_000 + death * 500), world })
    }
    expect(await (await stage.troupe.handle(id)).result()).toBe(7)
    expect(await stage.troupe.steps(id)).toHaveLength(7)
  })
})

describe('a node that is declared dead again as soon as it has started anew', () => {
  it('takes what it was asked for once it lives', async () => {
    const store = storeFile()
    const job = worker('job', {}, (_ctx, n: number) => n)
    const { troupe } = await onStage({ definitions: [job], store })
    const other = await intruder(store)
    other.exec(`
    create table deaths (left integer);
    insert into deaths values (2);
    create trigger die after insert on node when (select left from deaths) > 0 begin
      update deaths set left = left - 1;
      delete from node where id = new.id;
    end;
    delete from node`)
    expect(await troupe.run(job, 1)).toBe(1)
    expect(other.prepare('select left from deaths').get()).toEqual({ left: 0 })
  })
})

describe('a node that is declared dead while it stops', () => {
  it('gives up what it runs without a word of failure and ends', async () => {
    const store = storeFile()
    const over = deferred<string>()
    const job = worker('job', {}, () => over.promise)
    const { troupe, log, clock } = await onStage({ definitions: [job], store })
    const handle = await troupe.call(job)
    const other = await intruder(store)
    const stopped = troupe.stop({ within: '1s' })
    await turns()
    other.exec('delete from node')
    over.resolve('done')
    await moving(clock, stopped)
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
    const second = await onStage({ store, starts: false })
    expect((await second.troupe.get(handle.id))?.state).toBe('ready')
  })
})
