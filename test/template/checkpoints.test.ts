// Workers that say how far they have come and give their actor back: they go on from there, whatever happens in between.
import { describe, expect, it } from 'vitest'
import {
  loadTemplate,
  PermanentError,
  template,
  worker,
  type TemplateBuilder,
  type WorkerContext,
} from '../../src/index.ts'
import { crashEverywhere } from '../../src/testing/crash-everywhere.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'

interface Batch {
  readonly batch: {
    readonly name: string
    readonly cursor: { from: number; to: number }
    readonly checkpointInterval: number
  }
}

/** Adds up the numbers of its batch, so many at a time; `meet` is called with each number. */
function adding(meet: (at: number, attempt: number, name: string) => void) {
  return worker('add', { retry: { attempts: 2, base: '1ms' } }, async (ctx: WorkerContext<Batch>, { batch }: Batch) => {
    const { from, to } = batch.cursor
    const { cursor: start = from, results: before = 0 } = ctx.lastCheckpoint<number, number>() ?? {}
    const end = Math.min(start + batch.checkpointInterval, to)
    let sum = before
    for (let at = start; at < end; at++) {
      meet(at, ctx.attempt, batch.name)
      sum += at
    }
    if (end < to) await ctx.checkpoint(end, { itemsProcessed: end - from, results: sum })
    return sum
  })
}

function batched(add: ReturnType<typeof adding>, strategy = 'fail_fast') {
  const split = worker('split', {}, () => [
    { from: 0, to: 5 },
    { from: 5, to: 9 },
  ])
  const { template: loaded } = loadTemplate(`
name: sums
version: 1.0.0
steps:
  - { name: split, type: batchable, uses: split }
  - name: add
    uses: add
    type: batch_worker
    needs: [split]
    batch: { parallelism: 1, checkpointInterval: 2, failureStrategy: ${strategy} }
`)
  return [split, add, template(loaded)] as const
}

async function ended(troupe: Awaited<ReturnType<typeof onStage>>, input: unknown = null) {
  const run = await troupe.troupe.call('sums', input)
  const end = await moving(troupe.clock, Promise.allSettled([run.result()]))
  return { run, end: end[0] }
}

noUnhandledRejections()

describe('ctx.checkpoint of a step', () => {
  it('goes on from its cursor with what was gathered, without counting an attempt', async () => {
    const met: number[] = []
    const attempts = new Set<number>()
    const add = adding((at, attempt) => {
      met.push(at)
      attempts.add(attempt)
    })
    const stage = await onStage({ definitions: [...batched(add)] })
    const { run, end } = await ended(stage)
    expect(end).toEqual({ status: 'fulfilled', value: { add: [10, 26] } })
    expect(met).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect([...attempts]).toEqual([1])
    const steps = await stage.troupe.steps(run.id)
    expect(steps.map(({ path, attempt }) => [path, attempt])).toEqual([
      ['split', 1],
      ['add_001', 1],
      ['add_002', 1],
    ])
    expect(await stage.troupe.attempts(run.id)).toEqual([])
  })

  it('goes on from the newest cursor in another attempt, which does again what came after it', async () => {
    const met: number[] = []
    let failures = 1
    const add = adding((at) => {
      met.push(at)
      if (at === 3 && failures-- > 0) throw new Error('once')
    })
    const { end } = await ended(await onStage({ definitions: [...batched(add)] }))
    expect(end).toEqual({ status: 'fulfilled', value: { add: [10, 26] } })
    expect(met).toEqual([0, 1, 2, 3, 2, 3, 4, 5, 6, 7, 8])
  })

  it('goes on from the newest cursor on another node, and after a retry by a person', async () => {
    const met: string[] = []
    let isOpen = false
    const add = adding((at, _attempt, name) => {
      met.push(`${name} ${at}`)
      if (at === 7 && !isOpen) throw new PermanentError('closed')
    })
    const store = storeFile()
    const first = await onStage({ definitions: [...batched(add)], store, node: 'first' })
    const { run, end } = await ended(first)
    expect(end).toMatchObject({ reason: { message: 'closed' } })
    await first.stop()
    isOpen = true
    const before = met.splice(0).length
    const second = await onStage({ definitions: [...batched(add)], store, node: 'second' })
    await (await second.troupe.handle(run.id)).retry()
    expect(await moving(second.clock, (await second.troupe.handle(run.id)).result())).toEqual({ add: [10, 26] })
    expect([before, met.splice(0)]).toEqual([8, ['add_002 7', 'add_002 8']])
  })

  it('begins anew in a fork from its step, and is forgotten where its result is recorded by hand', async () => {
    const met: number[] = []
    const closed = new Set([3, 7])
    const add = adding((at) => {
      met.push(at)
      if (closed.has(at)) throw new PermanentError('closed')
    })
    const stage = await onStage({ definitions: [...batched(add)] })
    const { run } = await ended(stage)
    await run.resolve('add_001', { output: 1 })
    await moving(stage.clock, rejection(run.result()))
    closed.clear()
    met.length = 0
    const fork = await run.fork({ from: 'split' })
    expect(await moving(stage.clock, fork.result())).toEqual({ add: [10, 26] })
    // Of add_002 nothing is recorded: it goes on from where it had come.
    expect(met).toEqual([0, 1, 2, 3, 4, 7, 8])
    met.length = 0
    const later = await run.fork({ from: 'add_002' })
    expect(await moving(stage.clock, later.result())).toEqual({ add: [1, 26] })
    expect(met).toEqual([5, 6, 7, 8])
    await run.retry()
    expect(await moving(stage.clock, run.result())).toEqual({ add: [1, 26] })
  })

  it('goes on from a cursor that is stored wherever its process dies', async () => {
    const [split, add, sums] = batched(adding(() => {}))
    const { outcome, points } = await crashEverywhere(sums, null, { definitions: [split, add] })
    expect(outcome).toEqual({ kind: 'succeeded', value: { add: [10, 26] } })
    expect(points.length).toBeGreaterThan(10)
  })

  it('keeps its last marks, counts all, and forgets them with success', async () => {
    const seen: unknown[] = []
    let performed = 0
    const walk = worker('walk', {}, async (ctx) => {
      performed += 1
      const { cursor = 0, number, history } = ctx.lastCheckpoint<number>() ?? {}
      if (cursor < 25) return ctx.checkpoint(cursor + 1, { itemsProcessed: cursor + 1 })
      seen.push([number, history?.length, history?.at(0)?.cursor, history?.at(-1)?.itemsProcessed])
      return cursor
    })
    const once = worker('once', {}, () => null)
    const twice = template('twice', {}, (t: TemplateBuilder<void>) => {
      const first = t.step('first', once, { with: () => undefined })
      const a = t.step('a', walk, { needs: [first], with: () => undefined })
      const later = t.wait('later', { needs: [a], message: 'go' })
      return t.step('b', walk, { needs: [later], with: () => undefined })
    })
    const { troupe, clock } = await onStage({ definitions: [once, walk, twice] })
    const run = await troupe.call(twice)
    await moving(
      clock,
      eventually(async () => (await run.status()).state === 'parked'),
    )
    const fork = await run.fork({ from: 'first' })
    for (const each of [run, fork]) await each.tell('go')
    expect(await moving(clock, Promise.all([run.result(), fork.result()]))).toEqual([25, 25])
    expect(performed).toBe(4 * 26)
    expect(seen).toEqual([
      [25, 20, 6, 25],
      [25, 20, 6, 25],
      [25, 20, 6, 25],
      [25, 20, 6, 25],
    ])
  })

  it('has what its attempt before kept, also on the same node', async () => {
    const once = worker('once', { retry: { attempts: 3, base: 1 } }, (ctx) => {
      const seen = [...ctx.getState<number[]>('seen', []), ctx.attempt]
      ctx.setState('seen', seen)
      if (ctx.attempt < 3) throw new Error('not yet')
      return seen
    })
    const graph = template('graph', {}, (t: TemplateBuilder<void>) => t.step('a', once, { with: () => undefined }))
    const { troupe, clock } = await onStage({ definitions: [once, graph] })
    expect(await moving(clock, troupe.run(graph))).toEqual([1, 2, 3])
  })

  it('lets no code of the handler see it go, and runs what it deferred', async () => {
    const said: string[] = []
    const careful = worker('careful', {}, async (ctx) => {
      ctx.defer(() => said.push('clean'))
      try {
        if (ctx.lastCheckpoint() === undefined) await ctx.checkpoint('half')
        return ctx.lastCheckpoint<string>()?.cursor
      } catch {
        return 'caught'
      } finally {
        said.push('finally')
      }
    })
    const once = template('once', {}, (t: TemplateBuilder<void>) => t.step('a', careful, { with: () => undefined }))
    const { troupe, clock } = await onStage({ definitions: [careful, once] })
    expect(await moving(clock, troupe.run(once))).toBe('half')
    expect(said).toEqual(['clean', 'finally', 'clean'])
  })

  it('forgets what code throws that has left, and in which other way it wanted to leave', async () => {
    const throws = worker('throws', {}, async (ctx) => {
      if (ctx.lastCheckpoint() !== undefined) return 'done'
      void ctx.checkpoint('half')
      void ctx.snooze('1h')
      await Promise.resolve()
      throw new Error('too late')
    })
    const once = template('once', {}, (t: TemplateBuilder<void>) => t.step('a', throws, { with: () => undefined }))
    const { troupe, clock } = await onStage({ definitions: [throws, once] })
    expect(await moving(clock, troupe.run(once))).toBe('done')
  })

  it.each([
    ['a cursor that is too large', ['x'.repeat(5_000), {}], 'value_too_large', 'the cursor of a checkpoint takes'],
    ['results that are too large', [1, { results: 'x'.repeat(300_000) }], 'value_too_large', 'store it elsewhere'],
    ['items that are no number', [1, { itemsProcessed: Number.NaN }], 'option_invalid', 'a number from 0 on'],
    ['an option that is not there', [1, { processed: 3 }], 'option_invalid', 'processed'],
  ])('refuses %s', async (_what, [cursor, options], code, message) => {
    const bad = worker('bad', { retry: { attempts: 1 } }, (ctx) => ctx.checkpoint(cursor as never, options as never))
    const { troupe } = await onStage({ definitions: [bad] })
    const error = await rejection(troupe.run(bad))
    expect(error).toMatchObject({ code })
    expect(error.message).toContain(message)
  })
})

describe('ctx.checkpoint of a run', () => {
  it.each([true, false])('goes on from its cursor (durable: %s), beside what it keeps', async (durable) => {
    const walk = worker('walk', { durable }, async (ctx, end: number) => {
      const cursor = ctx.lastCheckpoint<number>()?.cursor ?? 0
      ctx.setState('seen', [...ctx.getState<number[]>('seen', []), cursor])
      if (cursor < end) await ctx.checkpoint(cursor + 1)
      return [ctx.attempt, ctx.getState('seen')]
    })
    const { troupe, clock } = await onStage({ definitions: [walk] })
    expect(await moving(clock, troupe.run(walk, 2))).toEqual([1, [0, 1, 2]])
  })
})

it('keeps what steps keep apart, whatever colons are in their names and keys', async () => {
  const keeps = worker('keeps', {}, (ctx) => ctx.setState('b:c', 'of a'))
  const asks = worker('asks', {}, (ctx) => ctx.getState('c', 'nothing'))
  const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
    const first = t.step('a', keeps, { with: () => undefined })
    return t.step('a:b', asks, { needs: [first], with: () => undefined })
  })
  const { troupe } = await onStage({ definitions: [keeps, asks, graph] })
  expect(await troupe.run(graph)).toBe('nothing')
})
