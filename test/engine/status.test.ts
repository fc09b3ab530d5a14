// status, health, metrics and nodes: what can be asked of an engine about itself.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, intruder, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from './stage.ts'

noUnhandledRejections()

const double = worker('double', {}, (_ctx, n: number) => n * 2)
const fails = worker('fails', { retry: { attempts: 2, base: 1, jitter: 0 } }, () => Promise.reject(new Error('no')))

function valueOf(metrics: Awaited<ReturnType<Awaited<ReturnType<typeof onStage>>['troupe']['metrics']>>, name: string) {
  return (attributes: Record<string, string> = {}) =>
    metrics[name]?.points.find((point) => JSON.stringify(point.attributes) === JSON.stringify(attributes))?.value
}

describe('status', () => {
  it('counts nothing before anything ran', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    expect(await troupe.status()).toMatchObject({
      node: 'test',
      uptimeMs: 0,
      definitions: ['double'],
      executed: 0,
      succeeded: 0,
      failed: 0,
      averageMs: 0,
    })
  })

  it('D3: counts an attempt that failed as failed, also when another follows', async () => {
    const { troupe, clock } = await onStage({ definitions: [double, fails] })
    await troupe.run(double, 1)
    await rejection(moving(clock, troupe.run(fails)))
    const { executed, succeeded, failed, uptimeMs } = await troupe.status()
    expect([executed, succeeded, failed]).toEqual([3, 1, 2])
    expect(uptimeMs).toBeGreaterThan(0)
  })

  it('tells how long an attempt takes', async () => {
    const gate = deferred<void>()
    const slow = worker('slow', {}, () => gate.promise)
    const { troupe, clock } = await onStage({ definitions: [slow] })
    const handle = await troupe.call(slow)
    await eventually(async () => (await handle.status()).state === 'running')
    await clock.advance(500)
    gate.resolve()
    await handle.result()
    expect((await troupe.status()).averageMs).toBeGreaterThanOrEqual(500)
  })
})

describe('C1: the average', () => {
  it('counts the time of what failed, of runs and of steps', async () => {
    const gates = [deferred<void>(), deferred<void>()]
    const slow = worker('slow', { retry: { attempts: 2, base: 1, jitter: 0 } }, async (ctx) => {
      await gates[ctx.attempt - 1]?.promise
      if (ctx.attempt === 1) throw new Error('no')
    })
    const steps = workflow('steps', {}, (ctx) =>
      ctx.step(
        'slow',
        async ({ attempt }) => {
          await gates[attempt - 1]?.promise
          if (attempt === 1) throw new Error('no')
        },
        { retry: { attempts: 2, base: 1, jitter: 0 } },
      ),
    )
    const { troupe, clock } = await onStage({ definitions: [slow, steps] })
    const runs = [await troupe.call(slow), await troupe.call(steps)]
    await eventually(async () =>
      (await Promise.all(runs.map((run) => run.status()))).every((at) => at.state === 'running'),
    )
    await turns()
    await clock.advance(500)
    gates[0]?.resolve()
    await turns()
    await clock.advance(101)
    await turns()
    gates[1]?.resolve()
    for (const run of runs) await run.result()
    const { averageMs, executed, steps: ofSteps } = await troupe.status()
    expect(ofSteps).toEqual({ executed: 2, succeeded: 1, failed: 1, averageMs: 300 })
    // The workflow took 601 ms, the attempts of the worker 500 and 100.
    expect([executed, Math.round(averageMs)]).toEqual([3, 400])
  })
})

describe('health', () => {
  it('is ok while all is well, and knows a client from a node', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    expect(await troupe.health()).toEqual({
      status: 'ok',
      reasons: [],
      isServing: true,
      storeMs: 0,
      lagMs: 0,
      breakers: ['commits', 'completions'].map((name) => ({
        name,
        state: 'closed',
        failures: 0,
        openedAt: null,
        retryAt: null,
      })),
      findings: ['file', 'journal', 'wal', 'free_pages'].map((code) =>
        expect.objectContaining({ code, severity: 'ok' }),
      ),
    })
    const client = await onStage({ starts: false })
    expect(await client.troupe.health()).toMatchObject({ status: 'ok', isServing: false })
  })

  it('fails, and does not reject, once the engine has stopped', async () => {
    const { troupe, stop } = await onStage({ definitions: [double] })
    await stop()
    const { status, reasons } = await troupe.health()
    expect(status).toBe('failing')
    expect(reasons[0]).toMatch(/^This Troupe is stopped/)
  })

  it('C26: answers while callers flood the engine', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    let left = 2_000
    const all = Array.from({ length: left }, (_, n) => troupe.run(double, n).then(() => (left -= 1)))
    expect((await troupe.health()).status).toBe('ok')
    expect(left).toBeGreaterThan(0)
    await Promise.all(all)
  })

  it('fails while its node was declared dead, until it has started anew', async () => {
    const store = storeFile()
    const { troupe } = await onStage({ definitions: [double], store })
    const other = await intruder(store)
    await turns()
    other.exec('delete from node')
    const { status, reasons } = await troupe.health()
    expect([status, reasons]).toEqual([
      'failing',
      ['The lease of this node has ended: what ran here goes on elsewhere.'],
    ])
    await troupe.run(double, 1)
    expect((await troupe.health()).status).toBe('ok')
  })
})

describe('metrics', () => {
  it('count what happened and measure what is', async () => {
    const { troupe, clock } = await onStage({ definitions: [double, fails] })
    await Promise.all([1, 2, 3].map((n) => troupe.run(double, n)))
    await rejection(moving(clock, troupe.run(fails)))
    await troupe.call(double, 1, { delay: '1h' })
    const metrics = await troupe.metrics()
    expect(metrics['troupe.run.attempts']).toEqual({
      kind: 'counter',
      unit: '{attempt}',
      points: [
        { attributes: { outcome: 'succeeded' }, value: 3 },
        { attributes: { outcome: 'failed' }, value: 2 },
        { attributes: { outcome: 'cancelled' }, value: 0 },
      ],
    })
    expect(valueOf(metrics, 'troupe.run.retries')()).toBe(1)
    expect(valueOf(metrics, 'troupe.run.active')()).toBe(0)
    expect(valueOf(metrics, 'troupe.queue.runs')({ queue: 'default', state: 'scheduled' })).toBe(1)
    expect(valueOf(metrics, 'troupe.queue.runs')({ queue: 'default', state: 'ready' })).toBe(0)
    expect(valueOf(metrics, 'troupe.pool.size')({ pool: 'task' })).toBe(50)
    expect(valueOf(metrics, 'troupe.pool.busy')({ pool: 'task' })).toBe(0)
    expect(valueOf(metrics, 'troupe.commit.count')()).toBeGreaterThan(4)
    expect(valueOf(metrics, 'troupe.commit.writes')({ quantile: '0.5' })).toBeGreaterThanOrEqual(1)
  })

  it('are data that can be sent', async () => {
    const { troupe } = await onStage({ definitions: [double] })
    const metrics = await troupe.metrics()
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics)
  })

  it('D16: the wait in the queue counts from the start of the run', async () => {
    const store = storeFile()
    const client = await onStage({ definitions: [double], store, starts: false })
    const handle = await client.troupe.call(double, 2)
    await client.clock.advance(5_000)
    const node = await onStage({ definitions: [double], store, clock: client.clock })
    await eventually(async () => (await handle.status()).state === 'succeeded')
    const waited = valueOf(await node.troupe.metrics(), 'troupe.run.wait')({ quantile: '1' })
    expect(waited).toBeGreaterThanOrEqual(5_000)
    expect(waited).toBeLessThan(6_000)
    expect((await handle.status()).waitMs).toBe(waited)
  })
})

describe('nodes', () => {
  it('are listed with their lease and what they run', async () => {
    const store = storeFile()
    const gate = deferred<void>()
    const slow = worker('slow', {}, () => gate.promise)
    const { troupe, clock } = await onStage({ definitions: [slow], store, queues: ['default', 'mail'] })
    const handle = await troupe.call(slow)
    await eventually(async () => (await handle.status()).state === 'running')
    const nodes = await troupe.nodes()
    expect(nodes).toMatchObject([
      {
        name: 'test',
        pid: process.pid,
        running: 1,
        state: 'serving',
        queues: ['default', 'mail'],
        definitions: ['slow'],
      },
    ])
    expect((nodes[0]?.leaseUntil ?? 0) - clock.now()).toBeGreaterThan(10_000)
    gate.resolve()
    await handle.result()
    expect((await troupe.nodes())[0]?.running).toBe(0)
  })
})
