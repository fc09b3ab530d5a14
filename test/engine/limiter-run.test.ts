// limiter.run: anything waits for a slot in line with runs, on all nodes, and frees it however it ends.
import { describe, expect, it } from 'vitest'
import { limiter, worker } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { openStore } from '../../src/store/open.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { gauge } from './gauge.ts'
import {
  eventually,
  moving,
  noUnhandledRejections,
  onStage,
  rejection,
  storeFile,
  turns,
  type StageOptions,
} from './stage.ts'

noUnhandledRejections()

/** A limiter of one slot and an engine with a worker that names it. */
async function onOne(options: StageOptions = {}) {
  const one = limiter('one', { concurrency: 1 })
  const job = worker('job', { limits: [one] }, () => 'ran')
  return { one, job, ...(await onStage({ definitions: [job], ...options })) }
}

describe('limiter.run', () => {
  it('gives what the function gives, and frees the slot', async () => {
    const { one, troupe } = await onOne()
    expect(await one.run(() => 42)).toBe(42)
    expect(await one.run(async () => 'later')).toBe('later')
    await eventually(async () => (await troupe.limiters())[0]?.slots === 0)
  })

  it('frees the slot of a function that throws', async () => {
    const { one } = await onOne()
    expect(await rejection(one.run(() => Promise.reject(new Error('no'))))).toMatchObject({ message: 'no' })
    expect(await one.run(() => 'next')).toBe('next')
  })

  it('is never one over, with two engines on one file and runs beside it', async () => {
    const store = storeFile()
    const { work, seen } = gauge(2)
    const three = () => limiter('three', { concurrency: 3 })
    const [here, there] = [three(), three()]
    const first = await onStage({ store, definitions: [worker('job', { limits: [here] }, work)] })
    await onStage({
      store,
      definitions: [worker('job', { limits: [there] }, work)],
      node: 'second',
      clock: first.clock,
    })
    const handles = await first.troupe.callMany('job', Array.from({ length: 40 }))
    const others = Array.from({ length: 80 }, (_, n) => (n % 2 === 0 ? here : there).run(work))
    await moving(first.clock, Promise.all([...others, ...handles.map((handle) => handle.result())]))
    expect(seen.most).toBe(3)
    await eventually(async () => (await first.troupe.limiters())[0]?.slots === 0)
    expect(await first.troupe.limiters()).toMatchObject([{ waiting: 0 }])
  })

  it('bounds each key for itself and all together', async () => {
    const gate = deferred<void>()
    const keyed = limiter('keyed', { concurrency: 1, total: 2, key: (tenant: string) => tenant })
    await onStage({ definitions: [worker('job', { limits: [keyed] }, () => 1)] })
    const begun: string[] = []
    const all = ['a', 'a', 'b', 'c'].map((key) => keyed.run(() => (begun.push(key), gate.promise), { key }))
    await eventually(() => begun.length === 2)
    await turns()
    expect(begun).toEqual(['a', 'b'])
    gate.resolve()
    await Promise.all(all)
    expect(begun.toSorted()).toEqual(['a', 'a', 'b', 'c'])
    expect(await rejection(keyed.run(() => 1))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringMatching(/key of run of limiter 'keyed' is undefined/),
    })
  })

  it('keeps the pace of a rate', async () => {
    const paced = limiter('paced', { rate: { limit: 2, per: '1s', burst: 1 } })
    const { clock } = await onStage({ definitions: [worker('job', { limits: [paced] }, () => 1)] })
    const passes: number[] = []
    const all = [1, 2, 3].map(() => paced.run(() => void passes.push(clock.now() - 1_000)))
    await moving(clock, Promise.all(all))
    expect(passes).toEqual([0, 500, 1_000])
  })

  it('makes runs wait, and goes on in the order of age', async () => {
    const { one, job, troupe } = await onOne()
    const gate = deferred<void>()
    const order: string[] = []
    const note = (name: string) => () => void order.push(name)
    const held = one.run(() => gate.promise)
    await eventually(async () => (await troupe.limiters())[0]?.slots === 1)
    const run = await troupe.call(job)
    const done = run.result().then(note('run'))
    const last = one.run(note('last'))
    await eventually(async () => (await troupe.limiters())[0]?.waiting === 2)
    expect((await run.status()).reason).toMatchObject({ kind: 'limiter', limiter: 'one', bound: 'concurrency' })
    gate.resolve()
    await Promise.all([held, done, last])
    expect(order).toEqual(['run', 'last'])
  })

  it('passes before runs that are younger, though these are claimed at once', async () => {
    const gate = deferred<void>()
    const order: string[] = []
    const one = limiter('one', { concurrency: 1 })
    const job = worker('job', { limits: [one] }, async (_ctx, n: number) => {
      if (n === 0) await gate.promise
      order.push(`run ${n}`)
    })
    const { troupe } = await onStage({ definitions: [job] })
    const first = await troupe.call(job, 0)
    const other = one.run(() => void order.push('other'))
    await eventually(async () => (await troupe.limiters())[0]?.waiting === 1)
    const runs = await troupe.callMany(job, [1, 2, 3])
    gate.resolve()
    await Promise.all([first, ...runs].map((handle) => handle.result()))
    await other
    expect(order).toEqual(['run 0', 'other', 'run 1', 'run 2', 'run 3'])
  })

  it('waits for no run that nobody performs', async () => {
    const { one, job, troupe, clock } = await onOne()
    await troupe.pause('default')
    await troupe.call(job)
    expect(
      await moving(
        clock,
        one.run(() => 'passed'),
      ),
    ).toBe('passed')
  })
})

describe('the signal of limiter.run', () => {
  it('ends the wait and gives the place to the next', async () => {
    const { one, troupe } = await onOne()
    const gate = deferred<void>()
    const controller = new AbortController()
    const held = one.run(() => gate.promise)
    await eventually(async () => (await troupe.limiters())[0]?.slots === 1)
    let begun = false
    const waiting = rejection(one.run(() => (begun = true), { signal: controller.signal }))
    await eventually(async () => (await troupe.limiters())[0]?.waiting === 1)
    controller.abort(new Error('enough'))
    expect(await waiting).toMatchObject({ message: 'enough' })
    await eventually(async () => (await troupe.limiters())[0]?.waiting === 0)
    gate.resolve()
    await held
    expect([begun, await one.run(() => 'next')]).toEqual([false, 'next'])
  })

  it('is told to what runs, which has its slot until it is done', async () => {
    const { one, troupe } = await onOne()
    const controller = new AbortController()
    const end = deferred<void>()
    let heard: unknown
    const held = one.run(
      async (signal) => {
        signal.addEventListener('abort', () => (heard = signal.reason))
        await end.promise
      },
      { signal: controller.signal },
    )
    await eventually(async () => (await troupe.limiters())[0]?.slots === 1)
    controller.abort('enough')
    await turns()
    expect([heard, (await troupe.limiters())[0]?.slots]).toEqual(['enough', 1])
    end.resolve()
    await held
    expect(await one.run(() => 'next')).toBe('next')
  })

  it('keeps what is aborted already from waiting', async () => {
    const { one } = await onOne()
    expect(await rejection(one.run(() => 1, { signal: AbortSignal.abort(new Error('gone')) }))).toMatchObject({
      message: 'gone',
    })
    expect(await rejection(one.run(() => 1, { signal: {} as never }))).toMatchObject({ code: 'option_invalid' })
  })
})

describe('the engine of limiter.run', () => {
  it('frees the slots when it stops, and ends what waits', async () => {
    const store = storeFile()
    const first = await onOne({ store })
    const second = await onOne({ store, node: 'second' })
    let reason: unknown
    const held = first.one.run(
      (signal) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason
            resolve()
          })
        }),
    )
    await eventually(async () => (await first.troupe.limiters())[0]?.slots === 1)
    const waiting = rejection(first.one.run(() => 1))
    const other = second.one.run(() => 'passed')
    await eventually(async () => (await first.troupe.limiters())[0]?.waiting === 2)
    await first.stop()
    await held
    expect(await waiting).toMatchObject({ code: 'engine_stopped' })
    expect(reason).toMatchObject({ code: 'engine_stopped' })
    expect(await moving(second.clock, other)).toBe('passed')
  })

  it('ends what is on its way into the line when it stops', async () => {
    const clock = new ManualClock(1_000)
    const store = await openStore('sqlite::memory:', { clock, synchronous: 'normal' })
    const [asked, closed] = [deferred<void>(), deferred<void>()]
    const pass = store.passLimiters.bind(store)
    store.passLimiters = async (...passing) => {
      asked.resolve()
      await closed.promise
      return pass(...passing)
    }
    const { one, stop } = await onOne({ clock, world: { store } })
    const late = rejection(one.run(() => 1))
    await asked.promise
    const stopped = stop()
    await turns()
    closed.resolve()
    await stopped
    expect(await Promise.race([late, turns().then(() => 'hangs')])).toMatchObject({ code: 'engine_stopped' })
  })

  it('waits for what has a slot when it stops', async () => {
    const { one, troupe, stop } = await onOne()
    const gate = deferred<string>()
    const held = one.run(() => gate.promise)
    await eventually(async () => (await troupe.limiters())[0]?.slots === 1)
    const stopped = stop(60_000)
    await turns()
    gate.resolve('done')
    expect(await held).toBe('done')
    await stopped
  })

  it('loses its slots to the others when it is dead', async () => {
    const store = storeFile()
    const first = await onOne({ store })
    let reason: unknown
    const end = deferred<void>()
    const held = first.one.run((signal) => {
      signal.addEventListener('abort', () => (reason = signal.reason))
      return end.promise
    })
    await eventually(async () => (await first.troupe.limiters())[0]?.slots === 1)
    const behind = first.one.run(() => 'behind')
    await eventually(async () => (await first.troupe.limiters())[0]?.waiting === 1)
    // The clock of the first stands still: it does not renew its lease.
    const second = await onOne({ store, node: 'second' })
    await second.clock.advance(20_000)
    expect(
      await moving(
        second.clock,
        second.one.run(() => 'passed'),
      ),
    ).toBe('passed')
    await first.clock.advance(20_000)
    expect(await moving(first.clock, behind)).toBe('behind')
    expect(reason).toMatchObject({ code: 'lease_lost' })
    end.resolve()
    await held
  })

  it('is the one with a definition that names the limiter, else that of the process, else missing', async () => {
    const lone = limiter('lone', { concurrency: 1 })
    expect(await rejection(lone.run(() => 1))).toMatchObject({
      code: 'worker_manager_not_initialised',
      message: expect.stringMatching(/limiter 'lone' was asked/),
    })
    const named = await onOne({ store: storeFile() })
    const other = await onOne({ store: storeFile(), node: 'other' })
    const limiters = async (stage: typeof named) => (await stage.troupe.limiters()).map(({ name }) => name)
    await lone.run(() => 1)
    expect([await limiters(named), await limiters(other)]).toEqual([['lone', 'one'], ['one']])
    await eventually(async () => (await named.troupe.limiters())[0]?.slots === 0)
    const seen = other.one.run(async () => [await named.troupe.limiters(), await other.troupe.limiters()])
    expect(await seen).toMatchObject([[{ slots: 0 }, { slots: 0 }], [{ slots: 1 }]])
    const twin = limiter('one', { concurrency: 9 })
    expect(await rejection(twin.run(() => 1))).toMatchObject({ code: 'definition_invalid' })
  })

  it('need not be started, and starts later', async () => {
    const one = limiter('one', { concurrency: 1 })
    const job = worker('job', { limits: [one] }, () => 'ran')
    const { troupe } = await onStage({ definitions: [job], starts: false })
    expect(await one.run(() => 'passed')).toBe('passed')
    const handle = await troupe.call(job)
    expect((await handle.status()).reason?.kind).toBe('not_served')
    await troupe.start()
    expect(await handle.result()).toBe('ran')
  })
})
