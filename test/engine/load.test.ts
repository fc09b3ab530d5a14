// Many at once: a thousand runs, small pools, and everything accounted for.
import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, noUnhandledRejections, onStage, storeFile, turns } from './stage.ts'

noUnhandledRejections()

describe('1,000 runs at once', () => {
  it('all end with their own result, each step executed once', async () => {
    const executed: string[] = []
    const flow = workflow('flow', {}, async (ctx, n: number) => {
      const a = await ctx.step('a', () => (executed.push(`${n} a`), n))
      const b = await ctx.step('b', async () => (await turns(1), executed.push(`${n} b`), a + 1))
      return ctx.step('c', () => (executed.push(`${n} c`), b * 2))
    })
    const { troupe } = await onStage({ store: storeFile(), definitions: [flow] })
    const outputs = await Promise.all(Array.from({ length: 1_000 }, (_, n) => troupe.run(flow, n)))
    expect(outputs).toEqual(outputs.map((_output, n) => (n + 1) * 2))
    expect(executed.length).toBe(3_000)
    expect(new Set(executed).size).toBe(3_000)
    expect((await troupe.runs({ state: 'succeeded', limit: 2_000 })).length).toBe(1_000)
  })

  it('pass through pools of one', async () => {
    let underWay = 0
    let most = 0
    const job = worker('job', {}, async (_ctx, n: number) => {
      most = Math.max(most, ++underWay)
      await turns(1)
      underWay -= 1
      return n
    })
    const flow = workflow('flow', {}, async (ctx, n: number) => (await ctx.step('s', () => n)) + 1)
    const { troupe } = await onStage({
      definitions: [job, flow],
      pools: { task: { min: 1, max: 1 }, workflow: { min: 1, max: 1 } },
    })
    const jobs = Array.from({ length: 200 }, (_, n) => troupe.run(job, n))
    const flows = Array.from({ length: 200 }, (_, n) => troupe.run(flow, n))
    expect(await Promise.all(jobs)).toEqual(jobs.map((_job, n) => n))
    expect(await Promise.all(flows)).toEqual(flows.map((_flow, n) => n + 1))
    expect(most).toBe(1)
  })

  it('that wait for each other in one pool each hold an actor', async () => {
    const gate = deferred<void>()
    let begun = 0
    const flow = workflow('flow', {}, (ctx) => ctx.step('s', async () => (begun++, gate.promise)))
    const { troupe } = await onStage({
      definitions: [flow],
      pools: { task: { min: 1, max: 300 }, workflow: { min: 1, max: 300 } },
    })
    const results = Array.from({ length: 300 }, () => troupe.run(flow))
    await eventually(() => begun === 300)
    gate.resolve()
    expect((await Promise.all(results)).length).toBe(300)
  })
})
