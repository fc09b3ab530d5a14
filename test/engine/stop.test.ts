// Ending an engine: what runs is finished or given back, nothing is lost, and everybody who waits is told.
import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Troupe, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { openStore } from '../../src/store/open.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)

describe('stop', () => {
  it('lets a running worker finish', async () => {
    const store = storeFile()
    const gate = deferred<string>()
    const job = worker('job', {}, () => gate.promise)
    const one = await onStage({ store, definitions: [job] })
    const handle = await one.troupe.call(job)
    const result = handle.result()
    const stopped = one.stop(60_000)
    await turns()
    gate.resolve('finished')
    await stopped
    expect(await result).toBe('finished')
    const two = await onStage({ store, definitions: [job] })
    expect(await two.troupe.get(handle.id)).toMatchObject({ state: 'succeeded', output: 'finished' })
  })

  it('waits for no actor whose run snoozed before it awaited anything', async () => {
    const nap = worker('nap', {}, (ctx) => {
      if (ctx.getState('rested', false)) return 'awake'
      ctx.setState('rested', true)
      return ctx.snooze('1s')
    })
    const { troupe, clock } = await onStage({ definitions: [nap], pools: { task: { min: 1, max: 1 } } })
    expect(await moving(clock, troupe.run(nap))).toBe('awake')
    const before = clock.monotonic()
    await moving(clock, troupe.stop({ within: '30s' }))
    expect(clock.monotonic() - before).toBeLessThan(1_000)
  })

  it('gives back what does not finish in time, uncounted, and tells its signal', async () => {
    const store = storeFile()
    const reasons: unknown[] = []
    let calls = 0
    const job = worker('job', {}, (ctx) => {
      calls += 1
      if (calls === 2) return ctx.attempt
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      return deferred<number>().promise
    })
    const one = await onStage({ store, definitions: [job] })
    const handle = await one.troupe.call(job)
    const result = rejection(handle.result())
    await eventually(() => calls === 1)
    const before = one.clock.now()
    await moving(one.clock, one.troupe.stop({ within: '2s' }))
    expect(one.clock.now() - before).toBeGreaterThanOrEqual(2_000)
    expect(await result).toMatchObject({ code: 'engine_stopped' })
    expect(reasons).toEqual([expect.objectContaining({ code: 'engine_stopped' })])
    const two = await onStage({ store, definitions: [job], clock: new ManualClock(10_000) })
    const again = await two.troupe.handle(handle.id)
    expect(await again.result()).toBe(1)
    expect(await again.status()).toMatchObject({ attempt: 1, deliveries: 0 })
  })

  it('gives a workflow back as soon as its executing step is recorded', async () => {
    const store = storeFile()
    const gate = deferred<string>()
    const calls: string[] = []
    const flow = workflow('flow', {}, async (ctx) => {
      const first = await ctx.step('first', () => (calls.push('first'), gate.promise))
      return ctx.step('second', () => (calls.push('second'), `${first} and second`))
    })
    const one = await onStage({ store, definitions: [flow] })
    const { id } = await one.troupe.call(flow)
    await eventually(() => calls.length === 1)
    const stopped = one.troupe.stop({ within: '1h' })
    await turns()
    gate.resolve('first')
    await stopped
    expect(calls).toEqual(['first'])
    const two = await onStage({ store, definitions: [flow] })
    expect(await (await two.troupe.handle(id)).result()).toBe('first and second')
    expect(calls).toEqual(['first', 'second'])
  })

  it('takes no more work, and may be repeated', async () => {
    const { troupe, clock } = await onStage({ definitions: [double] })
    const handle = await troupe.call(double, 1)
    await handle.result()
    const first = troupe.stop()
    expect(troupe.stop()).toBe(first)
    for (const late of [
      troupe.call(double, 1),
      troupe.run(double, 1),
      troupe.get(handle.id),
      troupe.runs(),
      troupe.start(),
      troupe.register(double),
      troupe.cancel(handle.id),
      troupe.steps(handle.id),
    ]) {
      expect(await rejection(late)).toMatchObject({ code: 'engine_stopped' })
    }
    await moving(clock, first)
    await troupe[Symbol.asyncDispose]()
  })

  it('leaves handles that tell so', async () => {
    const store = storeFile()
    const job = worker('job', { queue: 'elsewhere' }, () => 1)
    const { troupe, stop } = await onStage({ store, definitions: [job] })
    const handle = await troupe.call(job)
    const waiting = [rejection(handle.result()), rejection(handle.recv()), rejection(handle.result({ timeout: '1h' }))]
    await turns()
    await stop()
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'engine_stopped' })
    for (const late of [handle.result(), handle.recv(), handle.status(), handle.cancel()]) {
      expect(await rejection(late)).toMatchObject({ code: 'engine_stopped' })
    }
  })

  it('of a client that was never started ends at once', async () => {
    const { troupe } = await onStage({ definitions: [double], starts: false })
    const handle = await troupe.call(double, 1)
    expect((await handle.status()).state).toBe('ready')
    await troupe.stop()
  })

  it('loses no run that is being started at the same time (I3)', async () => {
    const store = storeFile()
    const accepted: string[] = []
    for (let lead = 0; lead < 24; lead++) {
      const { troupe, stop } = await onStage({ store, definitions: [double] })
      const call = troupe.call(double, lead)
      for (let turn = 0; turn < lead; turn++) await (lead % 2 === 0 ? Promise.resolve() : turns(1))
      const stopped = stop()
      const [outcome] = await Promise.allSettled([call])
      if (outcome.status === 'fulfilled') accepted.push(outcome.value.id)
      else expect(outcome.reason).toMatchObject({ code: 'engine_stopped' })
      await stopped
    }
    const { troupe } = await onStage({ store, definitions: [double] })
    await turns(100)
    expect(accepted.length).toBeGreaterThan(0)
    expect(await Promise.all(accepted.map(async (id) => (await troupe.get(id))?.state))).toEqual(
      accepted.map(() => 'succeeded'),
    )
  })

  it('loses no run that is being claimed at the same time (I3)', async () => {
    const store = storeFile()
    const client = await onStage({ store, definitions: [double], starts: false })
    const ids: string[] = []
    for (let lead = 0; lead < 24; lead++) {
      const { troupe, stop } = await onStage({ store, definitions: [double], starts: false })
      for (let n = 0; n < 5; n++) ids.push((await client.troupe.call(double, n)).id)
      const started = troupe.start()
      for (let turn = 0; turn < lead; turn++) await (lead % 2 === 0 ? Promise.resolve() : turns(1))
      const stopped = stop()
      const [outcome] = await Promise.allSettled([started])
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'engine_stopped' })
      await stopped
    }
    const { troupe } = await onStage({ store, definitions: [double] })
    await turns(200)
    const states = await Promise.all(ids.map(async (id) => (await troupe.get(id))?.state))
    expect(states.filter((state) => state !== 'succeeded')).toEqual([])
  })
})

describe('stop with a store that does not work', () => {
  it('ends little later than it was told while the file is locked, and whoever waits learns it', async () => {
    const store = storeFile()
    let calls = 0
    const job = worker('job', {}, () => (calls++, deferred<void>().promise))
    const { troupe, clock } = await onStage({ store, definitions: [job] })
    const result = rejection((await troupe.call(job)).result())
    await eventually(() => calls === 1)
    const other = await intruder(store)
    other.exec('begin immediate')
    // Writes in all places: in one batch that is being tried, in the next, and timers that ask for more.
    const first = rejection(troupe.call(job))
    await turns()
    const late = [first, rejection(troupe.call(job)), rejection(troupe.call(job, undefined, { queue: 'new' }))]
    await clock.advance(2_000)
    const before = clock.now()
    await moving(clock, troupe.stop({ within: '100ms' }))
    expect(clock.now() - before).toBeLessThanOrEqual(5_500)
    // Those who wait for the lock look once more, and find the store closed.
    await clock.advance(50)
    for (const error of [await result, ...(await Promise.all(late))]) {
      expect(error).toMatchObject({ code: 'engine_stopped' })
    }
    other.exec('rollback')
    const two = await onStage({ store, definitions: [job], clock: new ManualClock(100_000) })
    await eventually(() => calls === 2)
    expect(await two.troupe.runs()).toHaveLength(1)
  })

  it('tells whoever asks so at once, also when the store took the question only afterwards', async () => {
    const clock = new ManualClock(1_000)
    const store = await openStore('sqlite::memory:', { clock, synchronous: 'normal' })
    const [asked, stopped] = [deferred<void>(), deferred<void>()]
    const commit = store.commit.bind(store)
    store.commit = async (batch) => {
      const committed = await commit(batch)
      if (batch.tells.length > 0) {
        asked.resolve()
        await stopped.promise
      }
      return committed
    }
    const desk = workflow('desk', {}, async (ctx) => {
      ctx.answer('name', () => 'ann')
      await ctx.receive('end')
    })
    const { troupe, stop } = await onStage({ definitions: [desk], clock, world: { store } })
    const handle = await troupe.call(desk)
    const late = rejection(handle.ask('name'))
    await asked.promise
    await stop()
    stopped.resolve()
    expect(await Promise.race([late, turns().then(() => 'hangs')])).toMatchObject({ code: 'engine_stopped' })
  })

  it('tells what it left behind, and closes the store all the same', async () => {
    const store = storeFile()
    const { troupe, stop, log } = await onStage({ store, definitions: [double] })
    const other = await intruder(store)
    other.exec(`create trigger forbidden before delete on node begin select raise(abort, 'forbidden'); end`)
    const waiting = rejection((await troupe.call(double, 1, { delay: '1h' })).result())
    await stop()
    await stop()
    expect(await waiting).toMatchObject({ code: 'engine_stopped' })
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'stopping went on without leaving the store before its lease ends',
    ])
    // Closing it has moved the log into the file.
    expect(statSync(`${store.slice('sqlite:'.length)}-wal`).size).toBe(0)
    other.exec('drop trigger forbidden')
  })

  it('refuses a call whose input is still being checked', async () => {
    const gate = deferred<void>()
    const slow = z.number().refine(() => gate.promise.then(() => true))
    const job = worker('job', { input: slow }, (_ctx, n) => n)
    const { troupe, stop } = await onStage({ store: storeFile(), definitions: [job] })
    const late = [rejection(troupe.call(job, 1)), rejection(troupe.call(job, 1, { queue: 'new' }))]
    await stop()
    gate.resolve()
    for (const error of await Promise.all(late)) expect(error).toMatchObject({ code: 'engine_stopped' })
  })
})

describe('start', () => {
  it('may be repeated after it failed', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ store, definitions: [double], starts: false })
    const other = await intruder(store)
    other.exec('alter table node rename to away')
    await expect(troupe.start()).rejects.toThrow('node')
    other.exec('alter table away rename to node')
    await troupe.start()
    expect(await troupe.run(double, 2)).toBe(4)
  })

  it('twice is harmless', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ store, definitions: [double] })
    await Promise.all([troupe.start(), troupe.start()])
    expect(await troupe.run(double, 2)).toBe(4)
    const driver = await openDriver(store.slice('sqlite:'.length))
    expect(driver.prepare('select count(*) as nodes from node').get()).toEqual({ nodes: 1 })
    driver.close()
  })
})

describe('await using', () => {
  it('stops the engine at the end of the block, on the clock of this machine', async () => {
    let troupe: Troupe | undefined
    {
      await using open = await Troupe.open({ store: 'sqlite::memory:', definitions: [double], logLevel: 'silent' })
      await open.start()
      expect(await open.run(double, 4)).toBe(8)
      troupe = open
    }
    expect(await rejection(troupe.call(double, 1))).toMatchObject({ code: 'engine_stopped' })
  })
})
