// Wake-ups that other engines lost, each as it was reported there: none is lost here, and nobody has to wait for the sweep to mend it.
import { expect, it, onTestFinished } from 'vitest'
import { TroupeError, workflow, type RunHandle } from '../../src/index.ts'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Batch, Committed, Store } from '../../src/store/store.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile, turns, type Stage } from '../engine/stage.ts'

noUnhandledRejections()

const waiting = workflow('waiting', {}, async (ctx, n: number) => {
  await ctx.step('prepare', () => n)
  return ctx.receive<string>('go')
})

/** A store that stays open when an engine ends, and behaves as `twist` says where that says something. */
function twisted(store: Store, twist: Partial<Store>): Store {
  const own = { close: async () => {}, ...twist } as Readonly<Record<string | symbol, unknown>>
  return new Proxy(store, {
    get: (target, name) => {
      if (name in own) return own[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

async function sharedStore(clock: ManualClock): Promise<Store> {
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  onTestFinished(() => store.close())
  return store
}

function engineOn(store: Store, options: Parameters<typeof onStage>[0]): Promise<Stage> {
  return onStage({ definitions: [waiting], global: false, ...options, world: { ...options?.world, store } })
}

const results = (handles: readonly RunHandle[]): Promise<unknown[]> =>
  Promise.all(handles.map((handle) => handle.result()))

async function mendedBy({ troupe }: Stage): Promise<number> {
  const { 'troupe.repair.count': counted } = await troupe.metrics()
  return counted?.points.reduce((sum, { value }) => sum + (value as number), 0) ?? 0
}

it('Effect 8238: 40 runs that are told as they come to rest all wake, though no time passes and nothing looks again', async () => {
  for (const delay of [0, 1, 2, 3, 5, 8]) {
    const node = await onStage({ definitions: [waiting], pools: { workflow: { min: 40, max: 40 } } })
    const handles = await node.troupe.callMany(
      waiting,
      Array.from({ length: 40 }, (_, n) => n),
    )
    await turns(delay)
    await Promise.all(handles.map((handle, n) => handle.tell('go', `told ${n}`)))
    expect(await results(handles)).toEqual(handles.map((_, n) => `told ${n}`))
    expect(await mendedBy(node)).toBe(0)
    await node.stop()
  }
})

it('Effect 8238: a child that ends as its parent comes to rest wakes it, 40 times', async () => {
  const child = workflow('child', {}, (ctx, n: number) => ctx.step('work', () => n))
  const parent = workflow('parent', {}, async (ctx, n: number) => {
    const run = await ctx.call(child, n)
    await ctx.step('beside', () => n)
    return run.result()
  })
  const { troupe } = await onStage({ definitions: [parent, child], pools: { workflow: { min: 2, max: 2 } } })
  const handles = await troupe.callMany(
    parent,
    Array.from({ length: 40 }, (_, n) => n),
  )
  expect(await results(handles)).toEqual(handles.map((_, n) => n))
})

it('Effect 8312: with every hint between processes lost, what another process tells arrives with the next beat, 5 s later at most', async () => {
  const clock = new ManualClock(1_000)
  const store = await sharedStore(clock)
  // Nobody ever learns from the store that another has written.
  const deaf = twisted(store, { changeCount: () => 0, whenWritten: () => undefined })
  const node = await engineOn(deaf, { clock, node: 'node' })
  const client = await engineOn(deaf, { clock, node: 'client', starts: false })
  const handles = await client.troupe.callMany(
    waiting,
    Array.from({ length: 40 }, (_, n) => n),
  )
  await clock.advance(5_000)
  await eventually(async () => (await client.troupe.runs({ state: 'parked' })).length === 40)
  for (const handle of handles) await handle.tell('go', 'told')
  await clock.advance(5_000)
  await eventually(async () => (await client.troupe.runs({ state: 'succeeded' })).length === 40)
  expect(await mendedBy(node)).toBe(0)
})

it('OpenWorkflow: a signal that comes before anybody waits, or before the run has begun, is kept in its order', async () => {
  const gate = deferred<void>()
  const late = workflow('late', {}, async (ctx) => {
    await ctx.step('work', () => gate.promise)
    return [await ctx.receive('signal'), await ctx.receive('signal')]
  })
  const store = storeFile()
  const client = await onStage({ definitions: [late], store, node: 'client', starts: false })
  const handle = await client.troupe.call(late)
  await handle.tell('signal', 'before it began')
  const node = await onStage({ definitions: [late], store })
  await eventually(async () => (await handle.status()).state === 'running')
  await handle.tell('signal', 'while it worked')
  await node.stop()
  const next = await onStage({ definitions: [late], store, node: 'next' })
  gate.resolve()
  expect(await moving(next.clock, (await next.troupe.handle(handle.id)).result())).toEqual([
    'before it began',
    'while it worked',
  ])
})

it('DBOS py 716: a store that is gone for a while strands nothing: what ran, waited or was told goes on once it is back', async () => {
  const clock = new ManualClock(1_000)
  const store = await sharedStore(clock)
  let isGone = false
  const failing: Partial<Store> = {
    commit: (batch) => (isGone ? Promise.reject(gone()) : store.commit(batch)),
    renewNode: (...args) => (isGone ? Promise.reject(gone()) : store.renewNode(...args)),
    wakeRuns: (limit) => (isGone ? Promise.reject(gone()) : store.wakeRuns(limit)),
  }
  const gates = new Map<number, Deferred<void>>()
  const mixed = workflow('mixed', {}, async (ctx, n: number) => {
    if (n % 3 === 0) await ctx.step('work', () => gates.get(n)?.promise)
    if (n % 3 === 1) await ctx.sleep('20s')
    return n % 3 === 2 ? ctx.receive('go') : n
  })
  const node = await engineOn(twisted(store, failing), { definitions: [mixed], clock, node: 'node' })
  const client = await engineOn(twisted(store, {}), { definitions: [mixed], clock, node: 'client', starts: false })
  const numbers = Array.from({ length: 12 }, (_, n) => n)
  for (const n of numbers) gates.set(n, deferred())
  const handles = await client.troupe.callMany(mixed, numbers)
  await clock.advance(1_000)
  await eventually(async () => (await client.troupe.runs({ state: ['ready'] })).length === 0)
  isGone = true
  for (const gate of gates.values()) gate.resolve()
  await clock.advance(10_000)
  for (const [n, handle] of handles.entries()) if (n % 3 === 2) await handle.tell('go', n)
  await clock.advance(15_000)
  isGone = false
  expect(await moving(clock, results(handles))).toEqual(numbers)
  expect(node.log.lines.some(({ level }) => level === 'error' || level === 'warn')).toBe(true)
})

it('DBOS py 742: an answer that comes after the lease is over gives nobody work that is not theirs', async () => {
  const clock = new ManualClock(1_000)
  const store = await sharedStore(clock)
  const performed: string[] = []
  const job = workflow('job', {}, async (ctx) => {
    const by = await ctx.step('work', () => {
      performed.push(current)
      return current
    })
    return by
  })
  let current = 'slow'
  let isHeld = false
  const held = deferred<void>()
  const late = async (batch: Batch): Promise<Committed> => {
    const committed = await store.commit(batch)
    if (!isHeld && committed.claimed.some((runs) => runs.length > 0)) {
      isHeld = true
      await held.promise
    }
    return committed
  }
  const never = (): Promise<never> => new Promise(() => {})
  const stuck = { commit: late, renewNode: () => (isHeld ? never() : Promise.resolve(true)) }
  const slow = await engineOn(twisted(store, stuck), { definitions: [job], clock, node: 'slow' })
  const client = await engineOn(twisted(store, {}), { definitions: [job], clock, node: 'client', starts: false })
  const handle = await client.troupe.call(job)
  await eventually(async () => (await clock.advance(100), isHeld))
  const quick = await engineOn(twisted(store, {}), { definitions: [job], clock, node: 'quick' })
  current = 'quick'
  const result = moving(clock, handle.result())
  expect(await result).toBe('quick')
  current = 'slow'
  held.resolve()
  await turns(200)
  await clock.advance(2_000)
  expect(performed).toEqual(['quick'])
  expect((await client.troupe.steps(handle.id)).map(({ value }) => value)).toEqual(['quick'])
  await quick.stop()
  await slow.stop()
})

function gone(): Error {
  return new TroupeError('store_unavailable', 'The store is gone for a while.')
}
