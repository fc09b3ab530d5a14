// Mistakes that engines of templates make, each shown not to be made here. Those of loading stand with the loader, of events with events, of people with operators.
import { describe, expect, it } from 'vitest'
import {
  loadTemplate,
  PermanentError,
  taskerStates,
  template,
  worker,
  workflow,
  type TemplateBuilder,
} from '../../src/index.ts'
import { asDefinition } from '../../src/engine/definition/definition.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { retryOf } from '../../src/template/perform/step-rules.ts'
import { crashEverywhere } from '../../src/testing/crash-everywhere.ts'
import { defaultRules } from '../../src/workflow/steps/step-options.ts'
import { eventually, moving, noUnhandledRejections, onStage, rejection, storeFile, turns } from '../engine/stage.ts'

noUnhandledRejections()

const echo = worker('echo', {}, (_ctx, input: unknown) => input as string)

/** So many steps side by side, each of which a worker does. */
function wide(count: number, uses: ReturnType<typeof worker>, options: object = {}) {
  return template('wide', options, (t: TemplateBuilder<void>) => {
    for (let n = 0; n < count; n++) t.step(`s${n}`, uses as never, { with: () => n } as never)
  })
}

it('C3: nothing is claimed that nobody is free for, so no step is stuck and none waits for a time to pass', async () => {
  const graph = wide(40, echo as never)
  const { troupe, clock } = await onStage({
    definitions: [echo, graph],
    pools: { workflow: { min: 1, max: 1 }, task: { min: 1, max: 1 } },
  })
  const before = clock.now()
  const runs = await Promise.all([1, 2, 3].map(() => troupe.call(graph)))
  const ends = await Promise.all(runs.map((run) => run.result()))
  expect(ends.map((end) => Object.keys(end as object).length)).toEqual([40, 40, 40])
  expect(clock.now()).toBe(before)
})

it('C4: a step whose process dies while it is done is done by another', async () => {
  const graph = template('chain', {}, (t: TemplateBuilder<void>) => {
    const a = t.step('a', echo, { with: () => 'a' })
    return t.step('b', echo, { needs: [a], with: ({ steps }) => `${steps.a}b` })
  })
  const { outcome, points } = await crashEverywhere(graph, undefined, { definitions: [echo] })
  expect(outcome).toEqual({ kind: 'succeeded', value: 'ab' })
  expect(points.length).toBeGreaterThanOrEqual(6)
})

it.each([
  ['none', [0, 0, 0, 0, 0]],
  ['linear', [0, 1_000, 3_000, 6_000, 9_000]],
  ['exponential', [0, 1_000, 3_000, 6_000, 9_000]],
  ['fibonacci', [0, 1_000, 2_000, 4_000, 7_000]],
] as const)(
  'C8: the pauses of a step are those it says: %s, from its base, never above its cap',
  async (backoff, at) => {
    const times: number[] = []
    const { template: loaded } = loadTemplate(`
name: pauses
steps:
  - { name: a, uses: fails, retry: { attempts: 5, backoff: ${backoff}, base: 1s, max: 3s, jitter: 0 } }
`)
    const stage = await onStage({
      definitions: [
        worker('fails', {}, () => {
          times.push(stage.clock.now() - 1_000)
          throw new Error('no')
        }),
        template(loaded),
      ],
    })
    await moving(stage.clock, rejection(stage.troupe.run('pauses')))
    expect(times).toEqual(at)
  },
)

describe('C10: a decision that may not be is no warning: it fails for good, and with it the run', () => {
  const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `s${n}`)

  function deciding(count: number) {
    return template('deciding', {}, (t: TemplateBuilder<void>) => {
      const route = t.step('route', echo, { role: 'decision', with: () => names(count) as never })
      for (const name of names(60)) t.step(name, echo, { needs: [route], with: () => name })
    })
  }

  it.each([
    [50, 51],
    [51, 'decision_invalid'],
  ])('of %i steps', async (count, expected) => {
    const graph = deciding(count)
    const { troupe } = await onStage({ definitions: [echo, graph] })
    const run = await troupe.call(graph)
    if (typeof expected === 'number') {
      await run.result()
      expect((await troupe.steps(run.id)).length).toBe(expected)
    } else expect(await rejection(run.result())).toMatchObject({ code: expected, retryable: false })
  })

  it.each([
    [10, 'last'],
    [11, 'decision_invalid'],
  ])('%i below one another', async (depth, expected) => {
    const graph = template('deep', {}, (t: TemplateBuilder<void>) => {
      let above: { name: string }[] = []
      for (let n = 0; n < depth; n++)
        above = [
          t.step(`d${n}`, echo, {
            role: 'decision',
            needs: above,
            with: () => (n === depth - 1 ? 'last' : `d${n + 1}`),
          }),
        ]
      return t.step('last', echo, { needs: above, with: () => 'last' })
    })
    const { troupe } = await onStage({ definitions: [echo, graph] })
    const end = await troupe.run(graph).catch((error: { code: string }) => error.code)
    expect(end).toBe(expected)
  })
})

it('C13: ten actors do ten steps at once, and the next begins as soon as one is free', async () => {
  const gates = new Map<number, () => void>()
  const held = worker('held', {}, (_ctx, n: number) => new Promise<number>((resolve) => gates.set(n, () => resolve(n))))
  const graph = wide(12, held as never)
  const { troupe, clock } = await onStage({ definitions: [held, graph], pools: { task: { min: 10, max: 10 } } })
  const before = clock.now()
  const run = await troupe.call(graph)
  await eventually(() => gates.size === 10)
  await turns()
  expect(gates.size).toBe(10)
  gates.get(0)?.()
  await eventually(() => gates.size === 11)
  gates.get(1)?.()
  await eventually(() => gates.size === 12)
  for (const open of gates.values()) open()
  await run.result()
  expect(clock.now()).toBe(before)
})

it('C14: nodes that look by themselves take nothing that another has taken', async () => {
  const done: string[] = []
  const count = worker('count', {}, (_ctx, name: string) => void done.push(name))
  const definitions = [count]
  const store = storeFile()
  const first = await onStage({ definitions, store, node: 'first' })
  const second = await onStage({ definitions, store, node: 'second', clock: first.clock })
  const client = await onStage({ definitions, store, node: 'client', starts: false, clock: first.clock })
  const names = Array.from({ length: 50 }, (_, n) => `n${n}`)
  const handles = await client.troupe.callMany(count, names)
  await moving(first.clock, Promise.all(handles.map((handle) => handle.result())))
  expect(done.toSorted()).toEqual(names.toSorted())
  await second.stop()
})

it('C15: what is of low priority is begun before all that is urgent has ended', async () => {
  const order: number[] = []
  const job = worker('job', {}, (_ctx, priority: number) => void order.push(priority))
  const pools = { task: { min: 1, max: 1 } }
  const { troupe, stop } = await onStage({ definitions: [job], starts: false, pools })
  await troupe.call(job, -100, { priority: -100 })
  const urgent = await troupe.callMany(
    job,
    Array.from({ length: 40 }, () => 100),
    { priority: 100 },
  )
  await troupe.start()
  await Promise.all(urgent.map((each) => each.result()))
  expect(order.indexOf(-100)).toBeGreaterThanOrEqual(0)
  expect(order.indexOf(-100)).toBeLessThan(20)
  await stop()
})

it('C17, C18: siblings go on where a step has failed, whatever becomes of them, and the end is told once they have', async () => {
  const gate = deferred<void>()
  const slow = worker('slow', {}, () => gate.promise)
  const bad = worker('bad', {}, (): string => {
    throw new PermanentError('no')
  })
  const shaky = worker('shaky', { retry: { attempts: 2, base: '1h', max: '1h', jitter: 0 } }, (ctx) => {
    if (ctx.attempt === 1) throw new Error('not yet')
  })
  const graph = template('mixed', { failure: 'finish_independent' }, (t: TemplateBuilder<void>) => {
    t.step('slow', slow, { with: () => undefined })
    t.step('shaky', shaky, { with: () => undefined })
    const first = t.step('bad', bad, { with: () => undefined })
    t.step('after', echo, { needs: [first], with: () => 'after' })
  })
  const { troupe, clock } = await onStage({ definitions: [echo, slow, bad, shaky, graph] })
  const run = await troupe.call(graph)
  const steps = ['slow', 'shaky', 'bad', 'after'].map((name) => ({
    name,
    needs: name === 'after' ? ['bad'] : [],
    role: 'standard',
    onError: 'fail',
  }))
  const states = async () => {
    const seen = {
      run: await run.status(),
      steps: await troupe.steps(run.id),
      waits: await troupe.waits(run.id),
      template: { steps } as never,
    }
    const { task, steps: own } = taskerStates(seen)
    return [task, Object.fromEntries(own)]
  }
  await eventually(async () => (await troupe.steps(run.id)).length === 1)
  await moving(
    clock,
    eventually(async () => (await troupe.waits(run.id)).length === 1),
  )
  expect(await states()).toEqual([
    'steps_in_process',
    { bad: 'error', slow: 'in_progress', shaky: 'waiting_for_retry', after: 'pending' },
  ])
  gate.resolve()
  await moving(
    clock,
    eventually(async () => (await run.status()).state === 'parked'),
  )
  expect(await states()).toEqual([
    'waiting_for_retry',
    { bad: 'error', slow: 'complete', shaky: 'waiting_for_retry', after: 'pending' },
  ])
  const ended = rejection(run.result())
  await clock.advance(3_600_000)
  expect(await moving(clock, ended)).toMatchObject({ message: 'no' })
  expect(await states()).toEqual(['error', { bad: 'error', slow: 'complete', shaky: 'complete', after: 'pending' }])
})

it('C19: who comes second to end a run is told how it ended, and meets no error', async () => {
  const store = storeFile()
  const graph = template('waits', {}, (t: TemplateBuilder<void>) => t.wait('paid', {}))
  const first = await onStage({ definitions: [graph], store, node: 'first' })
  const second = await onStage({ definitions: [graph], store, node: 'second', starts: false, clock: first.clock })
  const run = await first.troupe.call(graph)
  const told = (await moving(first.clock, run.recv())) as { readonly token: string }
  await moving(
    first.clock,
    eventually(async () => (await run.status()).state === 'parked'),
  )
  const answers = Promise.all([
    first.troupe.complete(told.token, 1),
    second.troupe.complete(told.token, 2),
    first.troupe.fail(told.token, new Error('no')),
  ])
  const [one, two, three] = await moving(first.clock, answers)
  expect([one, two, three].toSorted()).toEqual(['accepted', 'used', 'used'])
  const end = await moving(first.clock, Promise.allSettled([run.result()]))
  const cancels = Promise.all([run.cancel(), run.cancel(), second.troupe.cancel(run.id)])
  expect(await moving(first.clock, cancels)).toEqual([false, false, false])
  expect(end[0]).toEqual({ status: 'fulfilled', value: one === 'accepted' ? 1 : 2 })
})

it('C23: a cancel is told to what is under way, and what that still gives is not heard', async () => {
  const gate = deferred<void>()
  let reason: unknown
  const stubborn = worker('stubborn', {}, async (ctx) => {
    ctx.signal.addEventListener('abort', () => (reason = ctx.signal.reason))
    await gate.promise
    return 'late'
  })
  const graph = template('graph', {}, (t: TemplateBuilder<void>) => t.step('a', stubborn, { with: () => undefined }))
  const { troupe, clock, log } = await onStage({ definitions: [stubborn, graph] })
  const run = await troupe.call(graph)
  await eventually(async () => (await run.status()).state === 'running')
  await turns()
  expect(await moving(clock, run.cancel('enough'))).toBe(true)
  expect(reason).toMatchObject({ code: 'run_cancelled' })
  gate.resolve()
  await turns()
  expect([await troupe.steps(run.id), (await run.status()).state]).toEqual([[], 'cancelled'])
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
})

it('C24: a result is written once, by whoever has the run: another is left, and the run goes on', async () => {
  const gate = deferred<void>()
  let performed = 0
  const slow = worker('slow', {}, async () => {
    performed += 1
    await gate.promise
    return 'its own'
  })
  const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
    const a = t.step('a', slow, { with: () => undefined })
    return t.step('b', echo, { needs: [a], with: ({ steps }) => steps.a })
  })
  const { troupe, clock } = await onStage({ definitions: [echo, slow, graph] })
  const run = await troupe.call(graph)
  await eventually(() => performed === 1)
  await run.resolve('a', { output: 'by hand', force: true, by: 'ann' })
  gate.resolve()
  expect(await moving(clock, run.result())).toBe('by hand')
  expect((await troupe.steps(run.id)).map(({ path, value }) => [path, value])).toEqual([
    ['a', 'by hand'],
    ['b', 'by hand'],
  ])
  expect(performed).toBe(1)
})

it('C25: the bounds of pauses have one source, for workers, workflows and templates alike', () => {
  const ofWorker = asDefinition(worker('w', {}, () => 1)).settings.retry.backoff
  const ofWorkflow = asDefinition(workflow('f', {}, async () => 1)).settings.retry.backoff
  const { template: loaded } = loadTemplate('name: t\nsteps: [{ name: a, uses: w }]')
  const ofTemplate = retryOf(loaded.steps[0] as never, undefined).backoff
  expect([ofWorkflow, defaultRules.retry.backoff, ofTemplate]).toEqual([ofWorker, ofWorker, ofWorker])
  expect(ofWorker).toMatchObject({ maxMs: expect.any(Number) })
})
