// Mistakes that engines make, each shown not to be made here. D4 stands with the calls, D6 and D14 with the pool, D16 with the status; D8 is about templates.
import { expect, it } from 'vitest'
import { PermanentError, worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { poolBounds } from '../../src/engine/options/settings.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

it('D1: a pool of ten performs ten workflows at once, and the front door waits for none of them', async () => {
  let begun = 0
  const gate = deferred<void>()
  const flow = workflow('flow', {}, (ctx) => ctx.step('wait', async () => (begun++, gate.promise)))
  const { troupe } = await onStage({ definitions: [flow], pools: { workflow: { min: 10, max: 10 } } })
  const handles = await Promise.all(Array.from({ length: 12 }, () => troupe.call(flow)))
  await eventually(() => begun === 10)
  await turns()
  expect(begun).toBe(10)
  gate.resolve()
  await Promise.all(handles.map((handle) => handle.result()))
  expect(begun).toBe(12)
})

it('D2: more workflows are under way than there are actors, as one that waits holds none', async () => {
  let begun = 0
  const flow = workflow('flow', {}, async (ctx) => {
    begun += 1
    await ctx.sleep('1h')
    return 'rested'
  })
  const { troupe, clock } = await onStage({ definitions: [flow], pools: { workflow: { min: 2, max: 2 } } })
  const handles = await Promise.all(Array.from({ length: 20 }, () => troupe.call(flow)))
  await eventually(async () => (await troupe.runs({ state: 'parked', limit: 20 })).length === 20)
  expect(begun).toBe(20)
  await clock.advance(3_600_000)
  const outputs = await moving(clock, Promise.all(handles.map((handle) => handle.result())))
  expect(new Set(outputs)).toEqual(new Set(['rested']))
})

it('D3: a step that failed fails its workflow, which counts as failed and never as completed', async () => {
  const flow = workflow('flow', {}, async (ctx) => {
    await ctx.step('fine', () => 1)
    await ctx.step('broken', () => Promise.reject(new PermanentError('no')))
    return 'completed'
  })
  const { troupe } = await onStage({ definitions: [flow] })
  const handle = await troupe.call(flow)
  expect((await rejection(handle.result())).message).toBe('no')
  expect(await handle.status()).toMatchObject({ state: 'failed', code: 'permanent', output: undefined })
  expect(await troupe.stats('flow')).toMatchObject({ runs: 1, succeeded: 0, failed: 1 })
})

it('D5: a slow step holds up no other that is ready', async () => {
  const slow = deferred<string>()
  const ended: string[] = []
  const flow = workflow('flow', {}, async (ctx) => {
    const one = ctx.step('slow', () => slow.promise).then(() => ended.push('slow'))
    const others = ['a', 'b', 'c'].map((name) => ctx.step(name, () => name).then(() => ended.push(name)))
    await Promise.all([one, ...others])
  })
  const { troupe } = await onStage({ definitions: [flow] })
  const handle = await troupe.call(flow)
  await eventually(async () => (await troupe.steps(handle.id)).length === 3)
  expect((await troupe.steps(handle.id)).map(({ path }) => path).toSorted()).toEqual(['a', 'b', 'c'])
  slow.resolve('done')
  await handle.result()
  expect(ended.toSorted()).toEqual(['a', 'b', 'c', 'slow'])
})

it.each(['0', '-1', '1.5', 'many'])('D7: a pool size of %s is an error that names it', (size) => {
  for (const variable of ['WORKFLOW_ACTOR_POOL_SIZE', 'TASK_ACTOR_POOL_SIZE']) {
    expect(() => poolBounds({}, { [variable]: size })).toThrow(
      expect.objectContaining({ code: 'option_invalid', message: expect.stringContaining(variable) as string }),
    )
  }
})

it('D9: after one of many has failed nothing new begins, and those under way are waited for', async () => {
  const begun: number[] = []
  let ended = 0
  const flow = workflow('flow', {}, (ctx) =>
    ctx.map(
      'each',
      Array.from({ length: 100 }, (_, n) => n),
      async (n: number) => {
        begun.push(n)
        await turns(n === 0 ? 1 : 5)
        if (n === 0) throw new PermanentError('the first')
        ended += 1
      },
      { concurrency: 3 },
    ),
  )
  const { troupe } = await onStage({ definitions: [flow] })
  expect((await rejection(troupe.run(flow))).message).toContain('the first')
  expect([begun.length, ended]).toEqual([3, 2])
})

it('D10: a stop passes what waits, and every caller is answered', async () => {
  const job = worker('job', {}, () => deferred<void>().promise)
  const { troupe, stop } = await onStage({ definitions: [job], pools: { task: { min: 1, max: 1 } } })
  const handles = await Promise.all(Array.from({ length: 50 }, () => troupe.call(job)))
  const answers = handles.map((handle) => rejection(handle.result()))
  const late = Array.from({ length: 50 }, () => troupe.call(job).catch((error: unknown) => error))
  await stop()
  for (const error of await Promise.all(answers)) expect(error).toMatchObject({ code: 'engine_stopped' })
  expect(await Promise.all(late)).toHaveLength(50)
})

it('D11: what fails is tried again as often as it may be', async () => {
  let attempts = 0
  const retry = { attempts: 3, base: '1s', jitter: 0 } as const
  const job = worker('job', { retry }, () => {
    if (++attempts < 3) throw new Error('not yet')
    return attempts
  })
  const { troupe, clock } = await onStage({ definitions: [job] })
  expect(await moving(clock, troupe.run(job))).toBe(3)
})

it('D15: a result is handed on as it is, and forty times as many steps cost about forty times as much', async () => {
  const seen = new Set<unknown>()
  const flow = workflow('flow', {}, async (ctx, count: number) => {
    const shared = await ctx.step('first', () => ({ rows: [1, 2, 3] }))
    const names = Array.from({ length: count }, (_, n) => `step ${n}`)
    await Promise.all(names.map((name) => ctx.step(name, () => void seen.add(shared))))
  })
  const { troupe } = await onStage({ definitions: [flow] })
  const costOf = async (count: number): Promise<number> => {
    const before = process.cpuUsage()
    await troupe.run(flow, count)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  await costOf(200)
  const few = await costOf(200)
  // What looks at all steps for each of them would cost sixteen hundred times as much.
  expect((await costOf(8_000)) / few).toBeLessThan(100)
  expect(seen.size).toBe(3)
}, 60_000)

it('D17: two thousand runs share a pool of two without a lock, each performed once', async () => {
  const seen = new Map<number, number>()
  let underWay = 0
  let most = 0
  const job = worker('job', {}, async (_ctx, n: number) => {
    most = Math.max(most, ++underWay)
    seen.set(n, (seen.get(n) ?? 0) + 1)
    await Promise.resolve()
    underWay -= 1
  })
  const store = storeFile()
  const { troupe } = await onStage({ store, definitions: [job], pools: { task: { min: 2, max: 2 } } })
  const handles = await troupe.callMany(
    job,
    Array.from({ length: 2_000 }, (_, n) => n),
  )
  await Promise.all(handles.map((handle) => handle.result()))
  expect([seen.size, Math.max(...seen.values()), most]).toEqual([2_000, 1, 2])
}, 60_000)
