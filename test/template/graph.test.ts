// What a template does with its graph: order, rules, failures, items, decisions and batches.
import { describe, expect, it } from 'vitest'
import { PermanentError, template, worker, workflow, type TemplateBuilder } from '../../src/index.ts'
import { eventually, moving, onStage, rejection } from '../engine/stage.ts'

/** A worker that gives what it is given. */
const echo = worker('echo', {}, (_ctx, input: unknown) => input as string)
const failing = worker('failing', {}, (_ctx, input: unknown): string => {
  throw new PermanentError(`no ${JSON.stringify(input)}`)
})

async function performed(build: (t: TemplateBuilder<never>) => unknown, input?: unknown, options: object = {}) {
  const graph = template('graph', options, build as (t: TemplateBuilder<unknown>) => void)
  const { troupe } = await onStage({ definitions: [echo, failing, graph] })
  return { troupe, run: await troupe.call(graph, input as never) }
}

describe('a template', () => {
  it('gives a step what its `with` makes of the outputs it needs', async () => {
    const { run } = await performed((t) => {
      const a = t.step('a', echo, { with: () => 'one' })
      const b = t.step('b', echo, { needs: [a], with: ({ steps }) => `${steps.a} two` })
      return t.step('c', echo, { needs: [a, b], with: ({ steps }) => `${steps.a}, ${steps.b}` })
    })
    expect(await run.result()).toBe('one, one two')
  })

  it('gives a step that has no `with` the input of the run, and the outputs it needs', async () => {
    const { run } = await performed(
      (t) => {
        const a = t.step('a', echo, { with: () => 'one' })
        return t.step('b', echo, { needs: [a], config: { size: 3 } })
      },
      { id: 7 },
    )
    expect(await run.result()).toEqual({ input: { id: 7 }, steps: { a: 'one' }, config: { size: 3 } })
  })

  it.each(['input', 'steps', 'config'] as const)(
    'shares %s among steps, of which none may change it',
    async (shared) => {
      interface Given {
        readonly list: number[]
      }
      const before: Given = { list: [3, 1, 2] }
      const sorts = worker('sorts', { retry: { attempts: 1 } }, (_ctx, given: unknown) => {
        const { input, steps, config } = given as { input: Given; steps: { a: Given }; config: Given }
        const shares = { input, steps: steps.a, config }
        shares[shared].list.sort()
      })
      const graph = template('graph', {}, (t: TemplateBuilder<Given>) => {
        const a = t.step('a', echo, { with: () => before as never })
        const b = t.step('b', sorts, { needs: [a], config: { ...before } })
        return t.step('c', echo, { needs: [b], with: ({ input }) => input as never })
      })
      const { troupe } = await onStage({ definitions: [echo, sorts, graph] })
      expect(await rejection(troupe.run(graph, before))).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('read only') as string,
      })
    },
  )

  it('is called a template where its failure is told', async () => {
    const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
      t.step('a', failing, { with: () => 'way' as never })
    })
    const { troupe, log } = await onStage({ definitions: [failing, graph] })
    await troupe.call(graph)
    const told = await eventually(() => log.lines.find(({ level }) => level === 'error'))
    expect(told.message).toContain("template 'graph' failed")
  })

  it('gives the outputs of the last steps when it says nothing', async () => {
    const { run } = await performed((t) => {
      const a = t.step('a', echo, { with: () => 1 as never })
      t.step('b', echo, { needs: [a], with: () => 2 as never })
      t.step('c', echo, { needs: [a], with: () => 3 as never })
    })
    expect(await run.result()).toEqual({ b: 2, c: 3 })
  })

  it.each([
    ['all_succeeded', { ok: true, skip: false, fail: false }],
    ['none_failed', { ok: true, skip: true, fail: false }],
    ['any_succeeded', { ok: true, skip: true, fail: true }],
    ['all_settled', { ok: true, skip: true, fail: true }],
  ] as const)('when: %s', async (when, expected) => {
    const seen: string[] = []
    const mark = worker('mark', {}, (_ctx, name: string) => void seen.push(name))
    const graph = template('graph', { failure: 'finish_independent' }, (t: TemplateBuilder<void>) => {
      const good = t.step('good', echo, { with: () => 'good' })
      const skipped = t.step('skipped', echo, { if: () => false, with: () => 'no' })
      const bad = t.step('bad', failing, { with: () => 'bad' })
      t.step('ok', mark, { needs: [good], when, with: () => 'ok' })
      t.step('skip', mark, { needs: [good, skipped], when, with: () => 'skip' })
      t.step('fail', mark, { needs: [good, bad], when, with: () => 'fail' })
    })
    const { troupe } = await onStage({ definitions: [echo, failing, mark, graph] })
    expect(await rejection(troupe.run(graph))).toMatchObject({ message: 'no "bad"' })
    expect({ ok: seen.includes('ok'), skip: seen.includes('skip'), fail: seen.includes('fail') }).toEqual(expected)
  })

  it('goes on after a failure with null and what is known of it', async () => {
    const { run } = await performed((t) => {
      const a = t.step('a', failing, { with: () => 'a', onError: 'continue' })
      return t.step('b', echo, { needs: [a], with: ({ steps, errors }) => ({ a: steps.a, why: errors['a'] }) as never })
    })
    expect(await run.result()).toEqual({
      a: null,
      why: { name: 'PermanentError', message: 'no "a"', code: 'permanent' },
    })
  })

  it('does another step in the place of one that failed', async () => {
    const { run, troupe } = await performed((t) => {
      const spare = t.step('spare', echo, { with: () => 'spare' })
      const a = t.step('a', failing, { with: () => 'a', onError: { fallback: spare } })
      return t.step('b', echo, { needs: [a], with: ({ steps }) => `from ${steps.a}` })
    })
    expect(await run.result()).toBe('from spare')
    expect((await troupe.steps(run.id)).map(({ path }) => path)).toEqual(['a', 'spare', 'b'])
  })

  it('does a step once for each item, under its key', async () => {
    const { run, troupe } = await performed((t) =>
      t.step('pack', echo, {
        forEach: () => ['x', 'y', 'z'],
        key: ({ item }) => `sku-${item}`,
        concurrency: 2,
        with: ({ item, index }) => `${index}${item}`,
      }),
    )
    expect(await run.result()).toEqual(['0x', '1y', '2z'])
    expect((await troupe.steps(run.id)).map(({ path }) => path)).toEqual(['pack[sku-x]', 'pack[sku-y]', 'pack[sku-z]'])
  })

  it('waits for a message, and goes on after it', async () => {
    const { run } = await performed((t) => {
      const approval = t.wait('approval', { message: 'approve', timeout: '2d' })
      return t.step('ship', echo, { needs: [approval], with: ({ steps }) => steps.approval as never })
    })
    await eventually(async () => (await run.status()).state === 'parked')
    await run.tell('approve', { by: 'ann' })
    expect(await run.result()).toEqual({ by: 'ann' })
  })
})

describe('a decision', () => {
  function routed(chosen: unknown) {
    return performed((t) => {
      const route = t.step('route', echo, { role: 'decision', with: () => chosen as never })
      const left = t.step('left', echo, { needs: [route], with: () => 'left' })
      const right = t.step('right', echo, { needs: [route], with: () => 'right' })
      const after = t.step('after', echo, { needs: [right], with: () => 'after' })
      t.step('join', echo, {
        needs: [left, after],
        role: 'deferred_convergence',
        with: ({ steps }) => ({ ...steps }) as never,
      })
    })
  }

  it.each([
    ['one', 'left', { join: { left: 'left', right: null, route: 'left' } }],
    ['others', ['right'], ['route', 'right', 'after', 'join']],
    ['both', { branches: ['left', 'right'] }, ['route', 'left', 'right', 'after', 'join']],
    [
      'in the words of Tasker',
      { decision_point_outcome: { type: 'create_steps', step_names: ['left'] } },
      ['route', 'left', 'join'],
    ],
    ['none', [], ['route']],
    ['none in the words of Tasker', { decision_point_outcome: { type: 'no_branches' } }, ['route']],
    ['one that is not next', ['after'], ['route', 'after', 'join']],
  ])('brings %s', async (_what, chosen, expected) => {
    const { run, troupe } = await routed(chosen)
    await run.result()
    if (Array.isArray(expected)) expect((await troupe.steps(run.id)).map(({ path }) => path)).toEqual(expected)
    else expect((await troupe.steps(run.id)).map(({ path }) => path)).toEqual(['route', 'left', 'join'])
  })

  it.each([
    ['a name that is not there', 'middle', "it chose step 'middle', which is not in the template"],
    ['itself', 'route', "it chose step 'route', which does not come after it"],
    ['nothing that names steps', 42, 'its output names no steps'],
    ['nothing', undefined, 'its output names no steps'],
  ])('fails for good when it chooses %s', async (_what, chosen, message) => {
    const { run } = await routed(chosen)
    const error = await rejection(run.result())
    expect(error).toMatchObject({ code: 'decision_invalid' })
    expect(error.message).toContain(message)
  })

  it('fails as well when a run of its own gave what it may not choose', async () => {
    const chooses = workflow('chooses', {}, async () => Promise.resolve('middle'))
    const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
      const route = t.step('route', chooses, { role: 'decision', with: () => undefined })
      t.step('left', echo, { needs: [route], with: () => 'left' })
    })
    const { troupe } = await onStage({ definitions: [echo, chooses, graph] })
    expect(await rejection(troupe.run(graph))).toMatchObject({ code: 'decision_invalid' })
  })

  it('fails as well when a person recorded what it may not choose', async () => {
    const graph = template('graph', {}, (t: TemplateBuilder<void>) => {
      const route = t.step('route', failing, { role: 'decision', with: () => undefined as never })
      t.step('left', echo, { needs: [route], with: () => 'left' })
    })
    const { troupe } = await onStage({ definitions: [echo, failing, graph] })
    const run = await troupe.call(graph)
    await rejection(run.result())
    await run.resolve('route', { output: 'middle' })
    expect(await rejection(run.result())).toMatchObject({ code: 'decision_invalid' })
  })

  it('chooses nothing when it fails and the template goes on', async () => {
    const { troupe, run } = await performed((t) => {
      const route = t.step('route', failing, { role: 'decision', onError: 'continue', with: () => undefined as never })
      t.step('approve', echo, { needs: [route], with: () => 'approved' })
      t.step('refuse', echo, { needs: [route], when: 'all_settled', with: () => 'refused' })
    })
    await run.result()
    expect((await troupe.steps(run.id)).map(({ path }) => path)).toEqual(['route'])
  })
})

describe('batches', () => {
  function batched(made: unknown, strategy: 'fail_fast' | 'continue_on_failure' | 'isolate' = 'continue_on_failure') {
    const work = worker('work', {}, (_ctx, { batch }: { batch: { cursor: number } }) => {
      if (batch.cursor === 13) throw new PermanentError('unlucky')
      return batch.cursor * 2
    })
    const definition = template('batched', {}, (t: TemplateBuilder<void>) => {
      const analyse = t.step('analyse', echo, { role: 'batchable', with: () => made as never })
      const each = t.step(
        'each',
        work as never,
        {
          needs: [analyse],
          role: 'batch_worker',
          batch: { failureStrategy: strategy, parallelism: 2 },
        } as never,
      )
      return t.step('sum', echo, {
        needs: [each],
        role: 'deferred_convergence',
        with: ({ steps }) => steps.each as never,
      })
    })
    return { definition, definitions: [echo, work, definition] }
  }

  it('makes a step of each cursor, and joins what they give', async () => {
    const { definition, definitions } = batched([1, 2, 3])
    const { troupe } = await onStage({ definitions })
    const run = await troupe.call(definition)
    expect(await run.result()).toEqual([2, 4, 6])
    expect((await troupe.steps(run.id)).map(({ path }) => path)).toEqual([
      'analyse',
      'each_001',
      'each_002',
      'each_003',
      'sum',
    ])
  })

  it('has a placeholder where there is nothing to do', async () => {
    const { definition, definitions } = batched({ batch_processing_outcome: { type: 'no_batches' } })
    const { troupe } = await onStage({ definitions })
    const run = await troupe.call(definition)
    expect(await run.result()).toEqual([])
    expect((await troupe.steps(run.id)).map(({ path }) => path)).toEqual(['analyse', 'each_000', 'sum'])
  })

  it.each([
    ['fail_fast', { code: 'permanent' }],
    ['continue_on_failure', { code: 'batches_failed' }],
  ] as const)('fails with %s', async (strategy, error) => {
    const { definition, definitions } = batched([1, 13, 3], strategy)
    const { troupe } = await onStage({ definitions })
    expect(await rejection(troupe.run(definition))).toMatchObject(error)
  })

  it('leaves out what failed with isolate', async () => {
    const { definition, definitions } = batched([1, 13, 3], 'isolate')
    const { troupe } = await onStage({ definitions })
    expect(await troupe.run(definition)).toEqual([2, null, 6])
  })

  it('fails for good for what says no batches', async () => {
    const { definition, definitions } = batched('all of them')
    const { troupe } = await onStage({ definitions })
    expect(await rejection(troupe.run(definition))).toMatchObject({ code: 'batch_invalid' })
  })
})

describe('a step that waits for whoever has its token', () => {
  const graph = template('waits', {}, (t: TemplateBuilder<void>) => t.wait('paid', { timeout: '1h' }))

  it('gives null when nobody has come in its time, and the token is worth nothing then', async () => {
    const { troupe, clock } = await onStage({ definitions: [graph] })
    const run = await troupe.call(graph)
    const { token } = (await moving(clock, run.recv())) as { readonly token: string }
    await moving(
      clock,
      eventually(async () => (await run.status()).state === 'parked'),
    )
    const result = run.result()
    await clock.advance(3_600_000)
    expect(await moving(clock, result)).toBeNull()
    expect(await troupe.steps(run.id)).toMatchObject([{ path: 'paid', attempt: 1, value: null }])
    expect(await troupe.attempts(run.id)).toEqual([])
    expect(await moving(clock, troupe.complete(token, 1))).toBe('finished')
  })

  it('gives what came in its time', async () => {
    const { troupe, clock } = await onStage({ definitions: [graph] })
    const run = await troupe.call(graph)
    const { token } = (await moving(clock, run.recv())) as { readonly token: string }
    expect(await moving(clock, troupe.complete(token, 17))).toBe('accepted')
    expect(await moving(clock, run.result())).toBe(17)
  })
})
