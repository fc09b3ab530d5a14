// What people do to runs of templates: they try them again, record results by hand, and say what came of what they looked at.
import { describe, expect, it } from 'vitest'
import { PermanentError, taskerStates, template, worker, type Template, type TemplateBuilder } from '../../src/index.ts'
import { eventually, moving, onStage, rejection } from '../engine/stage.ts'

/** a → b → c, and d beside; `fault` says whether b fails. */
async function failed() {
  const done: string[] = []
  const fault = { isThere: true }
  const step = worker('step', {}, (ctx, { name, steps }: { name: string; steps: unknown }) => {
    done.push(`${name} ${ctx.attempt}`)
    if (name === 'b' && fault.isThere) throw new Error('no b')
    return { name, steps }
  })
  const graph = template('graph', { failure: 'finish_independent' }, (t: TemplateBuilder<void>) => {
    const retry = { attempts: 2, base: '1ms' } as const
    const a = t.step('a', step, { with: () => ({ name: 'a', steps: null }) })
    const b = t.step('b', step, { needs: [a], retry, with: () => ({ name: 'b', steps: null }) })
    t.step('d', step, { with: () => ({ name: 'd', steps: null }) })
    return t.step('c', step, { needs: [b], with: ({ steps }) => ({ name: 'c', steps: steps.b }) })
  })
  const stage = await onStage({ definitions: [step, graph] })
  const run = await stage.troupe.call(graph)
  expect(await moving(stage.clock, rejection(run.result()))).toMatchObject({ message: 'no b' })
  expect(done.splice(0)).toEqual(['a 1', 'd 1', 'b 1', 'b 2'])
  const states = async () =>
    Object.fromEntries(
      taskerStates({
        run: await run.status(),
        steps: await stage.troupe.steps(run.id),
        investigation: (await stage.troupe.investigations({ runId: run.id }))[0],
      }).steps,
    )
  return { ...stage, run, done, fault, states }
}

describe('a failed step of a template', () => {
  it('reset_for_retry: begins again with its attempts at none, and what is done stays', async () => {
    const { troupe, clock, run, done, fault, states } = await failed()
    expect(await states()).toEqual({ a: 'complete', d: 'complete', b: 'error' })
    fault.isThere = false
    await run.retry({ by: 'ann', reason: 'b is mended' })
    expect(await moving(clock, run.result())).toMatchObject({ name: 'c', steps: { name: 'b' } })
    expect(done).toEqual(['b 1', 'c 1'])
    expect((await troupe.audit())[0]).toMatchObject({
      by: 'ann',
      action: 'retry',
      target: run.id,
      details: { reason: 'b is mended' },
    })
  })

  it('resolve_manually: lets those that need it go on without a result', async () => {
    const { troupe, clock, run, done, states } = await failed()
    await run.resolve('b', { output: null, by: 'ann', reason: 'done by telephone' })
    expect(await moving(clock, run.result())).toEqual({ name: 'c', steps: null })
    expect(done).toEqual(['c 1'])
    expect(await states()).toEqual({ a: 'complete', d: 'complete', b: 'resolved_manually', c: 'complete' })
    expect((await troupe.audit())[0]).toMatchObject({
      by: 'ann',
      action: 'resolve',
      details: { step: 'b', reason: 'done by telephone' },
    })
  })

  it('complete_manually: gives those that need it the result', async () => {
    const { clock, run, states } = await failed()
    await run.resolve('b', { output: { receipt: 17 } })
    expect(await moving(clock, run.result())).toEqual({ name: 'c', steps: { receipt: 17 } })
    expect(await states()).toEqual({ a: 'complete', d: 'complete', b: 'complete', c: 'complete' })
  })

  it('C22: is not touched by hand where its state forbids that', async () => {
    const { troupe, clock, run, fault } = await failed()
    const refused = async (work: Promise<unknown>) => {
      const { code, message } = await rejection(work)
      return [code, message]
    }
    expect(await refused(run.resolve('a', { output: 1 }))).toEqual([
      'resolve_refused',
      expect.stringContaining('it has its result already'),
    ])
    expect(await refused(run.resolve('e', { output: 1 }))).toEqual([
      'step_not_found',
      expect.stringContaining("has no step 'e'"),
    ])
    fault.isThere = false
    await run.retry()
    await moving(clock, run.result())
    expect(await refused(run.resolve('b', { output: 1 }))).toEqual([
      'resolve_refused',
      expect.stringContaining('the run has succeeded'),
    ])
    expect(await refused(run.retry())).toEqual(['retry_refused', expect.stringContaining('succeeded')])
    expect(await refused(troupe.retry('no such run'))).toEqual(['run_not_found', expect.any(String)])
    expect((await troupe.audit()).map(({ action }) => action)).toEqual(['retry'])
  })

  it('C22: is not reset while its run goes on by itself', async () => {
    const wait = template('wait', {}, (t: TemplateBuilder<void>) => t.wait('word', { message: 'word' }))
    const { troupe } = await onStage({ definitions: [wait] })
    const run = await troupe.call(wait)
    await eventually(async () => (await run.status()).state === 'parked')
    expect(await rejection(run.retry())).toMatchObject({ code: 'retry_refused' })
    const error = await rejection(run.resolve('word', { output: 1 }))
    expect([error['code'], error.message]).toEqual(['resolve_refused', expect.stringContaining('a message')])
    await run.cancel('not needed')
    expect(taskerStates({ run: await run.status(), steps: [] }).task).toBe('cancelled')
    expect(await rejection(run.resolve('word', { output: 1 }))).toMatchObject({ code: 'step_not_found' })
  })
})

describe('an investigation', () => {
  it('is open for each run that failed for good, and closed with notes once', async () => {
    const { troupe, run } = await failed()
    const [open] = await troupe.investigations()
    expect(open).toMatchObject({
      runId: run.id,
      name: 'graph',
      reason: 'max_retries_exceeded',
      state: 'pending',
      originalState: 'failed',
      notes: undefined,
      resolvedBy: undefined,
      run: { state: 'failed', error: { message: 'no b' } },
    })
    await troupe.investigate(run.id, { notes: 'the line is dead', by: 'bob' })
    await troupe.investigate(run.id, { state: 'permanently_failed', by: 'ann' })
    const [closed] = await troupe.investigations({ state: 'permanently_failed' })
    expect(closed).toMatchObject({ notes: 'the line is dead', resolvedBy: 'ann', at: open?.at })
    expect(closed?.resolvedAt).toBeGreaterThan(0)
    await troupe.investigate(run.id, { notes: 'it will not come back' })
    const [noted] = await troupe.investigations()
    expect(noted).toEqual({ ...closed, notes: 'it will not come back' })
    expect(await troupe.investigations({ state: 'pending' })).toEqual([])
    const error = await rejection(troupe.investigate(run.id, { state: 'cancelled' }))
    expect([error['code'], error.message]).toEqual([
      'investigation_refused',
      expect.stringContaining('it was closed as permanently_failed before'),
    ])
    expect((await troupe.audit()).map(({ by, action, details }) => [by, action, details])).toEqual([
      [undefined, 'investigate', { reason: 'it will not come back' }],
      ['ann', 'investigate', { state: 'permanently_failed' }],
      ['bob', 'investigate', { reason: 'the line is dead' }],
    ])
  })

  it('is closed by a retry, and another one is open when the run fails again', async () => {
    const { troupe, clock, run } = await failed()
    await troupe.investigate(run.id, { notes: 'look', by: 'bob' })
    await run.retry({ by: 'ann' })
    await moving(clock, rejection(run.result()))
    const found = await troupe.investigations({ runId: run.id })
    expect(found.map(({ generation, state, resolvedBy, notes }) => [generation, state, resolvedBy, notes])).toEqual([
      [2, 'pending', undefined, undefined],
      [1, 'manually_resolved', 'ann', 'look'],
    ])
  })

  it('makes its run one that was resolved manually, in the words of Tasker', async () => {
    const { troupe, run } = await failed()
    await troupe.investigate(run.id, { state: 'manually_resolved' })
    const [investigation] = await troupe.investigations()
    const seen = { run: await run.status(), steps: await troupe.steps(run.id) }
    expect([taskerStates(seen).task, taskerStates({ ...seen, investigation }).task]).toEqual([
      'error',
      'resolved_manually',
    ])
  })

  it('may be opened of any run, and is open again when that fails after it was closed', async () => {
    const given: string[] = []
    const wait = worker('wait', {}, async (ctx) => void given.push(await ctx.later()))
    const { troupe, clock } = await onStage({ definitions: [wait] })
    const run = await troupe.call(wait)
    await eventually(async () => (await run.status()).state === 'parked')
    expect(await troupe.investigations()).toEqual([])
    expect(await rejection(troupe.investigate(run.id, { state: 'cancelled' }))).toMatchObject({
      code: 'investigation_refused',
    })
    expect(await rejection(troupe.investigate('none'))).toMatchObject({ code: 'run_not_found' })
    await troupe.investigate(run.id, { notes: 'too long' })
    const found = async () =>
      (await troupe.investigations()).map(({ reason, state, originalState }) => [reason, state, originalState])
    expect(await found()).toEqual([['manual_dlq', 'pending', 'parked']])
    await troupe.investigate(run.id, { state: 'manually_resolved' })
    expect(await found()).toEqual([['manual_dlq', 'manually_resolved', 'parked']])
    await troupe.investigate(run.id, { state: 'pending' })
    expect(await found()).toEqual([['manual_dlq', 'pending', 'parked']])
    await troupe.investigate(run.id, { state: 'manually_resolved' })
    await clock.advance(10)
    await troupe.fail(given[0] ?? '', new Error('no'))
    await rejection(run.result())
    expect(await found()).toEqual([['max_retries_exceeded', 'pending', 'parked']])
  })

  it.each([
    ['worker_unavailable', 'run_lost'],
    ['worker_unavailable', 'expired'],
    ['worker_unavailable', 'worker_crashed'],
    ['dependency_cycle_detected', 'circular_wait'],
    ['staleness_timeout', 'stale'],
    ['max_retries_exceeded', 'timed_out'],
    ['max_retries_exceeded', 'permanent'],
  ])('has the reason %s of the code %s', async (reason, code) => {
    const bad = worker('bad', {}, () => {
      throw Object.assign(new PermanentError('no'), { code })
    })
    const { troupe } = await onStage({ definitions: [bad] })
    await rejection(troupe.run(bad))
    expect((await troupe.investigations()).map((each) => each.reason)).toEqual([reason])
  })

  it('goes with its run', async () => {
    const { troupe, run } = await failed()
    await troupe.investigate(run.id, { notes: 'look' })
    await troupe.delete(run.id)
    expect(await troupe.investigations()).toEqual([])
  })
})

describe('a template with all steps', () => {
  it('shows what has yet to be begun', async () => {
    const { troupe, run } = await failed()
    const steps = ['a', 'b', 'c', 'd'].map((name) => ({ name, needs: [] }))
    const seen = { run: await run.status(), steps: await troupe.steps(run.id) }
    const { steps: states } = taskerStates({ ...seen, template: { steps } as unknown as Template })
    expect(Object.fromEntries(states)).toEqual({ a: 'complete', b: 'error', c: 'pending', d: 'complete' })
  })
})
