// Mistakes that engines make which perform graphs, each shown not to be made by templates. The same of workflows stands in test/engine.
import { expect, it } from 'vitest'
import { template, worker, type TemplateBuilder } from '../../src/index.ts'
import { layered } from '../../bench/template/graphs.ts'
import { templateOf, work } from '../../bench/template/ours.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { eventually, noUnhandledRejections, onStage } from '../engine/stage.ts'

noUnhandledRejections()

const quick = worker('quick', {}, (_ctx, name: string) => name)

it('D5: a slow step holds up nothing that does not need it, however many stages that has', async () => {
  const slow = deferred<string>()
  const waits = worker('waits', {}, () => slow.promise)
  const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
    const first = t.step('first', quick, { with: () => 'first' })
    const held = t.step('held', waits, { needs: [first], with: () => undefined as never })
    const a = t.step('a', quick, { needs: [first], with: () => 'a' })
    const b = t.step('b', quick, { needs: [a], with: () => 'b' })
    t.step('c', quick, { needs: [b], with: () => 'c' })
    t.step('last', quick, { needs: [held, b], with: () => 'last' })
  })
  const { troupe } = await onStage({ definitions: [quick, waits, graph] })
  const run = await troupe.call(graph)
  const paths = async (): Promise<string[]> => (await troupe.steps(run.id)).map(({ path }) => path)
  await eventually(async () => (await paths()).length === 4)
  expect(await paths()).toEqual(['first', 'a', 'b', 'c'])
  slow.resolve('done')
  expect(await run.result()).toEqual({ c: 'c', last: 'last' })
  expect(await paths()).toEqual(['first', 'a', 'b', 'c', 'held', 'last'])
})

it('D6: of two actors one is held by a slow step, and all others go to the other one', async () => {
  const slow = deferred<string>()
  const waits = worker('waits', {}, () => slow.promise)
  let underWay = 0
  let most = 0
  const counted = worker('counted', {}, async (_ctx, name: string) => {
    most = Math.max(most, ++underWay)
    await Promise.resolve()
    underWay -= 1
    return name
  })
  const names = Array.from({ length: 50 }, (_, n) => `step ${n}`)
  const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
    t.step('held', waits, { with: () => undefined as never })
    for (const name of names) t.step(name, counted, { with: () => name })
  })
  const { troupe } = await onStage({ definitions: [waits, counted, graph], pools: { task: { min: 2, max: 2 } } })
  const run = await troupe.call(graph)
  await eventually(async () => (await troupe.steps(run.id)).length === names.length)
  expect([most, (await run.status()).state]).toEqual([1, 'running'])
  slow.resolve('done')
  await run.result()
})

it('D15: an output is handed on as it is, without a copy for each step', async () => {
  const seen = new Set<unknown>()
  const rows = worker('rows', {}, () => ({ rows: [1, 2, 3] }))
  const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
    const first = t.step('first', rows, { with: () => undefined as never })
    for (let n = 0; n < 200; n++)
      t.step(`step ${n}`, quick, { needs: [first], with: ({ steps }) => `${seen.add(steps.first).size}` })
  })
  const { troupe } = await onStage({ definitions: [rows, quick, graph] })
  await troupe.run(graph)
  expect([...seen]).toEqual([{ rows: [1, 2, 3] }])
})

it('D15: forty times as many steps and edges cost about forty times as much', async () => {
  const [small, large] = [templateOf(layered(10, 20)), templateOf(layered(20, 400))]
  const { troupe } = await onStage({ definitions: [work, small, large] })
  const costOf = async (graph: typeof small): Promise<number> => {
    const before = process.cpuUsage()
    await troupe.run(graph)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  await costOf(small)
  const few = await costOf(small)
  // What looks at all steps for each of them would cost sixteen hundred times as much.
  expect((await costOf(large)) / few).toBeLessThan(100)
}, 60_000)
