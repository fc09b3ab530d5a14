import { describe, expect, it } from 'vitest'
import { worker, workflow } from '../../src/index.ts'
import { runWorker } from '../../src/testing/run-worker.ts'

describe('runWorker', () => {
  it('gives what a worker returns, emits and logs, after all its attempts', async () => {
    const flaky = worker('flaky', { retry: { attempts: 3, base: '1h' } }, (ctx, name: string) => {
      if (ctx.attempt < 3) throw new Error('not yet')
      ctx.emit({ attempt: ctx.attempt })
      ctx.info('sent', { name, production: ctx.isProduction })
      return `${ctx.config.get('greeting', 'hello')} ${name}`
    })
    const run = await runWorker(flaky, 'ann', { config: { greeting: 'hi' }, env: 'production' })
    expect([run.output, run.messages]).toEqual(['hi ann', [{ attempt: 3 }]])
    expect(run.logs.map(({ text, fields }) => [text, fields])).toEqual([['sent', { name: 'ann', production: true }]])
  })

  it('runs a workflow with mocks, messages and children', async () => {
    const child = worker('child', {}, () => 'child')
    const parent = workflow('parent', {}, async (ctx) => [
      await ctx.step('charge', () => 'charged'),
      await ctx.receive('approve'),
      await ctx.run(child),
    ])
    const { output } = await runWorker(parent, undefined, {
      definitions: [child],
      steps: { charge: () => 'mocked' },
      messages: { approve: 'by ann' },
    })
    expect(output).toEqual(['mocked', 'by ann', 'child'])
  })

  it('throws what it failed with', async () => {
    const broken = worker('broken', {}, () => {
      throw new RangeError('too far')
    })
    await expect(runWorker(broken)).rejects.toThrow('too far')
  })
})
