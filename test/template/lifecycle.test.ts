// Runs of templates that are in one state for longer than their lifecycle allows.
import { describe, expect, it } from 'vitest'
import { loadTemplate, taskerStates, template, worker, workflow, type TemplateBuilder } from '../../src/index.ts'
import { eventually, moving, onStage, rejection, storeFile } from '../engine/stage.ts'

const minute = 60_000

function waiting(lifecycle: string) {
  return template(
    loadTemplate(`
name: waiting
lifecycle: ${lifecycle}
steps:
  - { name: first, wait: { message: first } }
  - { name: second, wait: { message: second }, needs: [first] }
`).template,
  )
}

async function parked(lifecycle: string, options: object = {}) {
  const stage = await onStage({ definitions: [waiting(lifecycle)], ...options })
  const events: unknown[] = []
  await stage.troupe.subscribe('run.stale', (payload) => void events.push(payload))
  const run = await stage.troupe.call('waiting')
  await eventually(async () => (await run.status()).state === 'parked')
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5_000) await stage.clock.advance(Math.min(left, 5_000))
  }
  const investigations = async () =>
    (await stage.troupe.investigations()).map(({ reason, state, originalState }) => [reason, state, originalState])
  return { ...stage, run, events, pass, investigations }
}

describe('C16: a run that waits for too long', () => {
  it('dlq: is to be looked at, told of once, and goes on', async () => {
    const { run, events, pass, investigations, log } = await parked(
      '{ maxWaitingForDependencies: 10m, stalenessAction: dlq }',
    )
    await pass(9 * minute)
    expect([await investigations(), events]).toEqual([[], []])
    await pass(2 * minute)
    expect(await investigations()).toEqual([['staleness_timeout', 'pending', 'parked']])
    await pass(30 * minute)
    expect(events).toEqual([{ runId: run.id, name: 'waiting', limit: 'maxWaitingForDependencies', since: 1_000 }])
    expect(log.lines.filter(({ message }) => message.includes('is stale')).length).toBe(1)
    await run.tell('first')
    await run.tell('second')
    expect(await run.result()).toEqual({ second: null })
  })

  it('dlq: is told of again once it has gone on and is stale again', async () => {
    const { troupe, run, events, pass, investigations } = await parked('{ maxWaitingForDependencies: 10m }')
    await pass(11 * minute)
    await troupe.investigate(run.id, { state: 'manually_resolved' })
    await run.tell('first')
    await eventually(async () => (await troupe.steps(run.id)).length === 1)
    expect(await investigations()).toEqual([['staleness_timeout', 'manually_resolved', 'parked']])
    await pass(11 * minute)
    expect([events.length, await investigations()]).toEqual([2, [['staleness_timeout', 'pending', 'parked']]])
  })

  it('error: fails with the code stale, and is among the dead', async () => {
    const { troupe, run, pass, investigations, clock } = await parked(
      '{ maxWaitingForDependencies: 10m, stalenessAction: error }',
    )
    const ended = rejection(run.result())
    await pass(11 * minute)
    const error = await moving(clock, ended)
    expect(error).toMatchObject({ code: 'stale', details: { limit: 'maxWaitingForDependencies' } })
    expect(error.message).toContain(
      "A run of 'waiting' is stale: 10m have passed, which is its maxWaitingForDependencies",
    )
    expect(await investigations()).toEqual([['staleness_timeout', 'pending', 'parked']])
    expect((await troupe.dead()).map(({ code, runs }) => [code, runs])).toEqual([['stale', 1]])
    await run.retry()
    await run.tell('first')
    await run.tell('second')
    expect(await run.result()).toEqual({ second: null })
  })

  it('none: is only told of', async () => {
    const { events, pass, investigations, run } = await parked('{ maxDuration: 10m, stalenessAction: none }')
    await pass(30 * minute)
    expect([events, await investigations(), (await run.status()).state]).toEqual([
      [{ runId: run.id, name: 'waiting', limit: 'maxDuration', since: 1_000 }],
      [],
      'parked',
    ])
  })

  it.each([
    ['autoFailOnTimeout', 'failed', [['staleness_timeout', 'pending', 'parked']]],
    ['autoDlqOnTimeout', 'parked', [['staleness_timeout', 'pending', 'parked']]],
  ] as const)('none with %s does that', async (flag, state, expected) => {
    const { pass, investigations, run } = await parked(`{ maxDuration: 10m, stalenessAction: none, ${flag}: true }`)
    await pass(11 * minute)
    expect([(await run.status()).state, await investigations()]).toEqual([state, expected])
  })

  it('is found by another process after all others were away', async () => {
    const store = storeFile()
    const first = await parked('{ maxWaitingForDependencies: 10m, stalenessAction: error }', { store, node: 'first' })
    await first.stop()
    await first.clock.advance(11 * minute)
    const definitions = [waiting('{ maxWaitingForDependencies: 10m, stalenessAction: error }')]
    const second = await onStage({ definitions, store, node: 'second', clock: first.clock })
    await second.clock.advance(10_000)
    expect(await (await second.troupe.handle(first.run.id)).status()).toMatchObject({ state: 'failed', code: 'stale' })
  })
})

describe('a run that works for too long', () => {
  const slow = (options: object) =>
    worker('slow', options, async (ctx) => {
      await ctx.sleep('1d')
      return 'done'
    })
  const text = (lifecycle: string): string =>
    `name: slow-one\nlifecycle: ${lifecycle}\nsteps: [{ name: slow, uses: slow, with: null, undo: undone }]\n`

  it('is taken from its node and fails: its code is told, and what it still gives is not heard', async () => {
    let reason: unknown
    const heard = worker('slow', {}, async (ctx) => {
      ctx.signal.addEventListener('abort', () => (reason = ctx.signal.reason))
      await ctx.sleep('1d').catch(() => {})
      return 'late'
    })
    const undone = worker('undone', {}, () => null)
    const graph = template(loadTemplate(text('{ maxStepsInProcess: 10m, stalenessAction: error }')).template)
    const { troupe, clock } = await onStage({ definitions: [heard, undone, graph] })
    const run = await troupe.call('slow-one')
    for (let passed = 0; passed < 11 * minute; passed += 5_000) await clock.advance(5_000)
    const error = await moving(clock, rejection(run.result()))
    expect(error).toMatchObject({ code: 'stale', details: { limit: 'maxStepsInProcess' } })
    await eventually(() => reason)
    expect(await troupe.steps(run.id)).toEqual([])
  })

  it('is stale by its retries too', async () => {
    const failing = worker('slow', { retry: { attempts: 9, base: '1h', max: '1d', jitter: 0 } }, () => {
      throw new Error('not yet')
    })
    const undone = worker('undone', {}, () => null)
    const graph = template(loadTemplate(text('{ maxWaitingForRetry: 10m }')).template)
    const { troupe, clock } = await onStage({ definitions: [failing, undone, graph] })
    const run = await troupe.call('slow-one')
    await eventually(async () => (await run.status()).state === 'parked')
    const seen = { run: await run.status(), steps: await troupe.steps(run.id), waits: await troupe.waits(run.id) }
    expect(taskerStates(seen).task).toBe('waiting_for_retry')
    for (let passed = 0; passed < 11 * minute; passed += 5_000) await clock.advance(5_000)
    const [found] = await troupe.investigations()
    expect([found?.runId, found?.reason, (await run.status()).state]).toEqual([run.id, 'staleness_timeout', 'parked'])
  })

  it.each([
    ['maxStepsInProcess', 'failed'],
    ['maxWaitingForDependencies', 'parked'],
  ] as const)('is at work while a run is that it started: %s', async (limit, state) => {
    const child = workflow('child', {}, (ctx) => ctx.receive('go'))
    const graph = template(
      'above',
      { lifecycle: { [limit]: '10m', stalenessAction: 'error' } },
      (t: TemplateBuilder<void>) => t.step('child', child, { with: () => undefined }),
    )
    const { troupe, clock } = await onStage({ definitions: [child, graph] })
    const run = await troupe.call(graph)
    await moving(
      clock,
      eventually(async () => (await run.status()).state === 'parked'),
    )
    for (let passed = 0; passed < 11 * minute; passed += 5_000) await clock.advance(5_000)
    expect((await run.status()).state).toBe(state)
    await run.cancel()
  })

  it('has limits in TypeScript that are checked', () => {
    const build = (lifecycle: object) => () => template('t', { lifecycle }, () => {})
    expect(build({ maxDuration: 'soon' })).toThrow('maxDuration')
    expect(build({ stalenessAction: 'retry' })).toThrow('stalenessAction')
    expect(build({ maxDurations: '1h' })).toThrow('maxDurations')
    expect(build({ maxDuration: '1h' })).not.toThrow()
  })

  it('is left alone where no limit is set', async () => {
    const graph = template(loadTemplate(text('{}')).template)
    const undone = worker('undone', {}, () => null)
    const { troupe, clock } = await onStage({ definitions: [slow({}), undone, graph] })
    const run = await troupe.call('slow-one')
    await clock.advance(60 * minute)
    expect([(await run.status()).state, await troupe.investigations()]).toEqual(['running', []])
    await run.cancel()
  })
})
