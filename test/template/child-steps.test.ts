// Steps of templates that are runs of their own: what a step says holds for them too.
import { expect, it } from 'vitest'
import { limiter, loadTemplate, template, worker, type TemplateBuilder } from '../../src/index.ts'
import { testTroupe } from '../../src/testing/test-troupe.ts'
import { rejection } from '../engine/stage.ts'

it('C9: each attempt may take as long as the step says, in another queue too', async () => {
  const attempts: number[] = []
  const slow = worker('slow', { timeout: '1h' }, async (ctx) => {
    attempts.push(ctx.attempt)
    await ctx.sleep('30m')
  })
  const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
    t.step('a', slow, { queue: 'mail', timeout: '10s', retry: { attempts: 2, base: '1s' }, with: () => undefined })
  })
  await using kit = await testTroupe({ definitions: [slow, graph], queues: ['default', 'mail'] })
  const startedAt = kit.clock.now()
  expect(await rejection(kit.troupe.run(graph))).toMatchObject({ code: 'timed_out' })
  expect(attempts).toEqual([1, 2])
  expect(kit.clock.now() - startedAt).toBeGreaterThan(20_000)
  expect(kit.clock.now() - startedAt).toBeLessThan(60_000)
})

it('waits in its queue as long as the step says, and is a run of its own for that', async () => {
  const { template: loaded } = loadTemplate(`
name: graph
steps: [{ name: a, uses: quick, queue: nobody, timeout: { queue: 5s }, with: null }]`)
  const quick = worker('quick', {}, () => 1)
  await using kit = await testTroupe({ definitions: [quick, template(loaded)] })
  expect(await rejection(kit.troupe.run('graph'))).toMatchObject({ code: 'expired' })

  const alone = template('alone', {}, (t: TemplateBuilder<void>) => {
    t.step('a', quick, { timeout: { queue: '5s' }, with: () => undefined })
  })
  await kit.troupe.register(alone)
  const run = await kit.troupe.call(alone)
  await run.result()
  expect(await kit.troupe.runs({ name: 'quick' })).toHaveLength(2)
})

it('keeps the time of its worker where the step says none', async () => {
  const slow = worker('slow', { timeout: '1h' }, async (ctx) => ctx.sleep('30m'))
  const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
    t.step('a', slow, { queue: 'mail', with: () => undefined })
  })
  await using kit = await testTroupe({ definitions: [slow, graph], queues: ['default', 'mail'] })
  await expect(kit.troupe.run(graph)).resolves.toBeDefined()
})

it('passes the limiters of the step, and those of its worker', async () => {
  const both = limiter('both', { concurrency: 3 })
  let now = 0
  const peaks: Record<string, number> = {}
  const busy = worker('busy', { limits: [both] }, async (ctx, key: string) => {
    now += 1
    peaks[key] = Math.max(peaks[key] ?? 0, now)
    await ctx.sleep('1s')
    now -= 1
  })
  const graphOf = (name: string, more: object) =>
    template(name, {}, (t: TemplateBuilder<void>) => {
      t.step('a', busy, { ...more, queue: 'mail', forEach: () => [1, 2, 3, 4, 5], with: () => name, concurrency: 5 })
    })
  const two = limiter('two', { concurrency: 2 })
  const definitions = [busy, graphOf('limited', { limits: [two] }), graphOf('free', {})]
  await using kit = await testTroupe({ definitions, queues: ['default', 'mail'] })
  await kit.troupe.run('limited')
  await kit.troupe.run('free')
  expect(peaks).toEqual({ limited: 2, free: 3 })
})

it('is tried three times unless told, as any step', async () => {
  const attempts: string[] = []
  const failing = worker('failing', {}, (ctx) => {
    attempts.push(`untold ${ctx.attempt}`)
    throw new Error('no')
  })
  const once = worker('once', { retry: { attempts: 1 } }, (ctx) => {
    attempts.push(`told ${ctx.attempt}`)
    throw new Error('no')
  })
  const graph = template('graph', { failure: 'finish_independent' }, (t: TemplateBuilder<void>) => {
    t.step('a', failing, { queue: 'mail', with: () => undefined })
    t.step('b', once, { queue: 'mail', with: () => undefined })
  })
  await using kit = await testTroupe({ definitions: [failing, once, graph], queues: ['default', 'mail'] })
  await rejection(kit.troupe.run(graph))
  expect(attempts.sort()).toEqual(['told 1', 'untold 1', 'untold 2', 'untold 3'])
})
