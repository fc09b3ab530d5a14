// Waits beside something that executes: the run is not parked, and their times hold all the same when its process dies.
import { describe, expect, it, onTestFinished } from 'vitest'
import { workflow } from '../../src/index.ts'
import type { Definition } from '../../src/engine/definition/definition.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Batch, Store } from '../../src/store/store.ts'
import type { WorkflowContext } from '../../src/workflow/context.ts'
import { eventually, moving, noUnhandledRejections, onStage, storeFile, turns, type Stage } from '../engine/stage.ts'

noUnhandledRejections()

const hour = 3_600_000
const startedAt = 1_000
const world = { leaseMs: 300 }

/** A process in which a run has been for two seconds, and another that goes on with it so much later, as the first does not move any more. */
async function died(
  flow: Definition,
  laterMs: number,
  others: readonly Definition[] = [],
): Promise<{ readonly id: string; readonly next: Stage }> {
  const definitions = [flow, ...others]
  const store = storeFile()
  const one = await onStage({ store, world, definitions, node: 'one', clock: new ManualClock(startedAt) })
  const { id } = await one.troupe.call(flow)
  await turns()
  for (let moved = 0; moved < 2_000; moved += 100) {
    await one.clock.advance(100)
    await turns(3)
  }
  const clock = new ManualClock(startedAt + laterMs)
  const next = await onStage({ store, world, definitions, node: 'two', clock })
  return { id, next }
}

/** A workflow that waits beside a step, which ends when it is executed again; with the times, after its start, when what it waited for was there. */
function beside(wait: (ctx: WorkflowContext) => Promise<unknown>) {
  let executed = 0
  const flow = workflow('flow', {}, async (ctx) => {
    const work = ctx.step('work', () => (++executed === 1 ? new Promise(() => {}) : 'worked'))
    const [came] = await Promise.all([wait(ctx), work])
    return came
  })
  return { flow, executed: () => executed }
}

async function endedAfter({ troupe, clock }: Stage, id: string): Promise<readonly [number, unknown]> {
  const handle = await troupe.handle(id)
  const result = moving(clock, handle.result())
  const value = await result
  return [(await handle.status()).finishedAt ?? 0, value]
}

describe('I3: when the process dies that has a run with a step under way,', () => {
  it('its sleep ends at its first time', async () => {
    const { flow, executed } = beside((ctx) => ctx.sleep('1h'))
    const { id, next } = await died(flow, hour - 10_000)
    const [at] = await endedAfter(next, id)
    expect(executed()).toBe(2)
    expect(at).toBeGreaterThanOrEqual(startedAt + hour)
    expect(at).toBeLessThanOrEqual(startedAt + hour + 1_000)
  })

  it('what it is to be told has come too late at the first time', async () => {
    const { flow } = beside((ctx) => ctx.receive('go', { timeout: '1h' }))
    const { id, next } = await died(flow, hour - 10_000)
    const [at, came] = await endedAfter(next, id)
    expect([came, Math.floor((at - startedAt - hour) / 1_000)]).toEqual([null, 0])
  })

  it('the result of a run has come too late at the first time', async () => {
    const child = workflow('child', {}, (ctx) => ctx.receive('never'))
    const { flow } = beside(async (ctx) => {
      const run = await ctx.call(child)
      return run.result({ timeout: '1h' }).catch((error: { code: string }) => error.code)
    })
    const { id, next } = await died(flow, hour - 10_000, [child])
    const [at, came] = await endedAfter(next, id)
    expect([came, Math.floor((at - startedAt - hour) / 1_000)]).toEqual(['result_timeout', 0])
  })

  it('the next attempt of a step begins at its first time', async () => {
    const at: number[] = []
    const retry = { attempts: 2, base: '1h', max: '1h', jitter: 0 } as const
    const { flow } = beside((ctx) =>
      ctx.step(
        'again',
        async () => {
          at.push(await Promise.resolve(at.length))
          if (at.length === 1) throw new Error('busy')
        },
        { retry },
      ),
    )
    const { id, next } = await died(flow, hour - 10_000)
    const [endedAt] = await endedAfter(next, id)
    expect([at.length, Math.floor((endedAt - startedAt - hour) / 1_000)]).toEqual([2, 0])
  })

  it('what was asked of somebody outside is not asked again, and the token stays good', async () => {
    const tokens: string[] = []
    const { flow } = beside((ctx) => ctx.step('ask', async ({ later }) => void tokens.push(await later())))
    const { id, next } = await died(flow, hour)
    const handle = await next.troupe.handle(id)
    await eventually(async () => (await handle.status()).state === 'parked')
    expect(await next.troupe.complete(tokens[0] ?? '', 'yes')).toBe('accepted')
    expect(await moving(next.clock, handle.result())).toBe('yes')
    expect(tokens.length).toBe(1)
  })

  it('what it waits for again after that is waited for from then on', async () => {
    const { flow } = beside(async (ctx) => {
      await ctx.sleep(1_500)
      await ctx.sleep('1m')
    })
    const { id, next } = await died(flow, hour)
    const [at] = await endedAfter(next, id)
    // Of the second one half a second had passed, which is too short to be kept.
    expect(at).toBeGreaterThanOrEqual(startedAt + hour + 60_000)
  })

  it('code that does not wait for that any more is found out', async () => {
    let isNew = false
    const { flow } = beside((ctx) => (isNew ? ctx.step('other', () => 1) : ctx.sleep('1h')))
    const { id, next } = await died(flow, hour).then(async (both) => ((isNew = true), both))
    const handle = await next.troupe.handle(id)
    await moving(
      next.clock,
      eventually(async () => (await handle.status()).state === 'parked'),
    )
    expect((await handle.status()).reason).toMatchObject({
      kind: 'diverged',
      divergence: { holds: { path: 'sleep', kind: 'sleep' } },
    })
  })
})

describe('what is written of a wait', () => {
  it('is nothing for a run that parks, and for one that is soon over', async () => {
    const { batches, node } = await watched()
    const flow = workflow('flow', {}, async (ctx, ms: number) => {
      const work = ctx.step('work', () => new Promise((resolve) => node.clock.after(ms, () => resolve(1))))
      await Promise.all([ctx.sleep('4s'), ctx.receive('go', { timeout: '1h' }), work])
    })
    await node.register(flow)
    const short = await node.call(flow, 900)
    await node.clock.advance(1_000)
    await short.tell('go')
    await node.clock.advance(4_000)
    await short.result()
    const parked = await node.call(flow, 500)
    for (let moved = 0; moved < 6_000; moved += 100) await node.clock.advance(100)
    await eventually(async () => (await parked.status()).state === 'parked')
    expect(batches.flatMap(({ waits }) => waits)).toEqual([])
  })

  it('is one row that goes with what it brought, though the run goes on', async () => {
    const { batches, node } = await watched()
    const gate = deferred<void>()
    const flow = workflow('flow', {}, async (ctx) => {
      const work = ctx.step('work', () => gate.promise)
      for (let turn = 0; turn < 3; turn++) await ctx.sleep('10s')
      await work
    })
    await node.register(flow)
    const handle = await node.call(flow)
    for (let moved = 0; moved < 32_000; moved += 100) await node.clock.advance(100)
    const kept = batches.flatMap(({ waits }) => waits.flatMap((keep) => keep.waits))
    expect(kept.map(({ path, dueAt }) => [path, dueAt])).toEqual([
      ['sleep', 11_000],
      ['sleep#2', 21_000],
      ['sleep#3', 31_000],
    ])
    const gone = batches.flatMap(({ steps }) => steps.filter(({ hadWait }) => hadWait))
    expect(gone.map(({ path }) => path)).toEqual(['sleep', 'sleep#2', 'sleep#3'])
    gate.resolve()
    await handle.result()
    expect(batches.flatMap(({ settles }) => settles).map(({ hadWaits }) => hadWaits)).toEqual([true])
  })

  it('goes with the turn of a loop that is over', async () => {
    const { batches, node } = await watched()
    const gate = deferred<void>()
    const flow = workflow('flow', {}, async (ctx) => {
      const work = ctx.step('work', () => gate.promise)
      await ctx.loop('poll', 0, async (n, turn) => {
        await Promise.race([turn.sleep('3s'), turn.sleep('1h')])
        return n === 2 ? { done: n } : { again: n + 1 }
      })
      await work
    })
    await node.register(flow)
    await node.call(flow)
    for (let moved = 0; moved < 8_000; moved += 100) await node.clock.advance(100)
    expect(batches.flatMap(({ turns: over }) => over).map(({ hadWaits }) => hadWaits)).toEqual([true, true])
  })
})

interface Watched {
  readonly batches: readonly Batch[]
  readonly node: Stage['troupe'] & { readonly clock: ManualClock }
}

/** An engine, and all that it writes. */
async function watched(): Promise<Watched> {
  const clock = new ManualClock(startedAt)
  const store = await openSqlite({ path: ':memory:', synchronous: 'full', clock })
  onTestFinished(() => store.close())
  const batches: Batch[] = []
  const own: Partial<Store> = {
    close: async () => {},
    commit: (batch) => {
      batches.push(batch)
      return store.commit(batch)
    },
  }
  const seen = new Proxy(store, {
    get: (target, name) => {
      if (name in own) return own[name as keyof Store]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const { troupe } = await onStage({ clock, world: { store: seen } })
  return { batches, node: Object.assign(troupe, { clock }) }
}
