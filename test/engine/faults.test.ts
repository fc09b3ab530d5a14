// A store that fails: those who wait are told, nothing is lost, and work goes on when it works again.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import {
  eventually,
  intruder,
  JumpingClock,
  moving,
  noUnhandledRejections,
  onStage,
  rejection,
  storeFile,
  turns,
} from './stage.ts'

noUnhandledRejections()

const forbid = (table: string, when = '1'): string =>
  `create trigger forbidden before insert on ${table} when ${when} begin select raise(abort, 'forbidden'); end`

describe('a store that another process has locked', () => {
  it('is waited for, without blocking the loop', async () => {
    const store = storeFile()
    const job = worker('job', {}, () => 'done')
    const { troupe, clock } = await onStage({ store, definitions: [job] })
    const other = await intruder(store)
    other.exec('begin immediate')
    const call = troupe.call(job)
    await clock.advance(5_000)
    other.exec('commit')
    const handle = await moving(clock, call)
    expect(await moving(clock, handle.result())).toBe('done')
  })

  it('for too long is told to callers and to those who wait for a result; the run goes on later', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    let calls = 0
    const flow = workflow('flow', {}, async (ctx) => {
      await ctx.step('first', () => 1)
      return ctx.step('second', async () => (calls++, await gate.promise, 'done'))
    })
    const { troupe, clock, log } = await onStage({ store, definitions: [flow], world: { leaseMs: 200_000 } })
    const handle = await troupe.call(flow)
    const result = rejection(handle.result())
    await eventually(() => calls === 1)
    const other = await intruder(store)
    other.exec('begin immediate')
    gate.resolve()
    const late = rejection(troupe.call(flow))
    await clock.advance(65_000)
    expect(await result).toMatchObject({ name: 'TroupeError', code: 'store_busy', retryable: true })
    expect(await late).toMatchObject({ code: 'store_busy' })
    expect(log.lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(0)
    other.exec('commit')
    expect(await moving(clock, handle.result())).toBe('done')
    expect(calls).toBe(2)
    expect(await troupe.runs()).toHaveLength(1)
  })

  it('past the lease makes the node give up what it runs, and take it up again afterwards (I9)', async () => {
    const store = storeFile()
    const reasons: unknown[] = []
    let calls = 0
    const job = worker('job', {}, (ctx) => {
      calls += 1
      if (calls > 1) return 'done'
      ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
      return deferred<string>().promise
    })
    const { troupe, clock } = await onStage({ store, definitions: [job], world: { leaseMs: 3_000 } })
    const handle = await troupe.call(job)
    await eventually(() => calls === 1)
    const other = await intruder(store)
    other.exec('begin immediate')
    await clock.advance(2_900)
    expect(reasons).toHaveLength(1)
    other.exec('commit')
    expect(await moving(clock, handle.result())).toBe('done')
    expect(calls).toBe(2)
  })
})

describe('a write that the store refuses for good', () => {
  it('fails alone: the others of its batch are written', async () => {
    const store = storeFile()
    const flow = workflow('flow', {}, (ctx, name: string) => ctx.step(name, () => name, { retry: { attempts: 1 } }))
    const { troupe, clock } = await onStage({ store, definitions: [flow] })
    const other = await intruder(store)
    other.exec(forbid('step', "new.path = 'cursed'"))
    const names = ['a', 'b', 'cursed', 'c', 'd']
    const handles = await Promise.all(names.map((name) => troupe.call(flow, name)))
    const settled = await moving(clock, Promise.allSettled(handles.map((handle) => handle.result())))
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    other.exec('drop trigger forbidden')
    expect(await moving(clock, handles[2]!.result())).toBe('cursed')
  })

  it('as the start of a run rejects the call, and the next call works', async () => {
    const store = storeFile()
    const job = worker('job', {}, () => 'done')
    const { troupe } = await onStage({ store, definitions: [job] })
    const other = await intruder(store)
    other.exec(forbid('run'))
    expect((await rejection(troupe.call(job))).message).toContain('forbidden')
    other.exec('drop trigger forbidden')
    expect(await troupe.run(job)).toBe('done')
  })

  it('as a message is a warning, and the run goes on', async () => {
    const store = storeFile()
    const job = worker('job', {}, async (ctx) => {
      ctx.emit('lost')
      await turns(5)
      return 'done'
    })
    const { troupe, log } = await onStage({ store, definitions: [job] })
    const other = await intruder(store)
    other.exec(forbid('emitted'))
    expect(await troupe.run(job)).toBe('done')
    expect(log.lines.some(({ level, message }) => level === 'warn' && message === 'a message of a run was lost')).toBe(
      true,
    )
  })

  it('as the end of a run rejects its result, and the run ends when it can', async () => {
    const store = storeFile()
    let calls = 0
    const job = worker('job', {}, () => ++calls)
    const { troupe, clock } = await onStage({ store, definitions: [job] })
    const other = await intruder(store)
    other.exec(forbid('finished'))
    const handle = await troupe.call(job)
    await expect(moving(clock, handle.result())).rejects.toThrow('forbidden')
    other.exec('drop trigger forbidden')
    expect(await moving(clock, handle.result())).toBeGreaterThanOrEqual(2)
  })
})

describe('a claim that the store refuses', () => {
  it('is made again: what is ready does not stay so (I3)', async () => {
    const store = storeFile()
    const job = worker('job', {}, () => 'done')
    const client = await onStage({ store, definitions: [job], starts: false })
    const { troupe, clock } = await onStage({ store, clock: new ManualClock(1_000), definitions: [job] })
    const other = await intruder(store)
    // Until the lease of the node is renewed; no other program writes after this, so no hint comes.
    const isFirstLease = '(select lease_until from node where node.id = new.node) < 17000'
    other.exec(
      `create trigger forbidden before update on live when new.state = 'running' and ${isFirstLease} begin select raise(abort, 'forbidden'); end`,
    )
    const { id } = await client.troupe.call(job)
    await clock.advance(4_000)
    expect((await troupe.get(id))?.state).toBe('ready')
    await clock.advance(8_000)
    expect((await troupe.get(id))?.state).toBe('succeeded')
  })
})

describe('a stored value that is damaged', () => {
  it('shows in the run or step it belongs to, and the others are listed as ever', async () => {
    const store = storeFile()
    const flow = workflow('flow', {}, (ctx, n: number) => ctx.step('s', () => n))
    const { troupe } = await onStage({ store, definitions: [flow] })
    for (const n of [1, 2, 3, 4]) await troupe.run(flow, n, { tags: ['t'] })
    const other = await intruder(store)
    other.exec(`update run set input = 'x' where id = 1; update run set tags = '[' where id = 2`)
    other.exec(`update finished set value = 'j{' where run_id = 3; update step set value = '' where run_id = 3`)
    const [fine, three, two, one] = await troupe.runs()
    expect(fine).toMatchObject({ input: 4, output: 4, tags: ['t'], error: undefined })
    expect(three).toMatchObject({ input: 3, output: undefined, state: 'succeeded' })
    expect(two).toMatchObject({ input: 2, output: 2, tags: [] })
    expect(one).toMatchObject({ input: undefined, output: 1, tags: ['t'] })
    for (const { id, error } of [one!, two!, three!]) {
      expect(error).toMatchObject({ code: 'store_corrupt', message: expect.stringContaining(`Run ${id} is damaged`) })
      expect((await troupe.get(id))?.error).toMatchObject({ code: 'store_corrupt' })
    }
    expect(await troupe.steps(three!.id)).toMatchObject([
      { path: 's', value: undefined, error: { code: 'store_corrupt' } },
    ])
  })
})

describe('a wall clock that jumps ahead for a moment', () => {
  it('holds up nothing that waits for a time', async () => {
    const clock = new JumpingClock(1_000)
    const flow = workflow('flow', {}, (ctx) => ctx.sleep('200ms'))
    const job = worker('job', { retry: { attempts: 2, base: '100ms', jitter: 0 } }, ({ attempt }) => {
      if (attempt === 1) throw new Error('once')
      return attempt
    })
    const { troupe } = await onStage({ clock, definitions: [flow, job] })
    clock.aheadMs = 3_600_000
    await clock.advance(1_500)
    clock.aheadMs = 0
    const runs = [troupe.run(flow), troupe.run(job), troupe.run(flow, undefined, { delay: '100ms' })]
    let isOver = false
    void Promise.all(runs).then(() => (isOver = true))
    await clock.advance(2_000)
    expect(isOver).toBe(true)
  })
})
