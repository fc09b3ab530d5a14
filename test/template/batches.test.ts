// Batches: what makes them, in Tasker's words too, who does them, and what becomes of those that fail.
import { describe, expect, it } from 'vitest'
import { batchesOf, checkTemplate, loadTemplate, noBatches, PermanentError, template, worker } from '../../src/index.ts'
import { onStage, rejection } from '../engine/stage.ts'

interface Given {
  readonly input: unknown
  readonly batch: { readonly name: string; readonly cursor: number; readonly index: number; readonly count: number }
}

/** Batches of what a run is started with; the batch of cursor 13 fails. */
async function batched(strategy: string, input: unknown) {
  const done: string[] = []
  const { template: loaded } = loadTemplate(`
name: batched
version: 1.0.0
identity_strategy: always_unique
steps:
  - { name: analyse, type: batchable, handler: { callable: analyse } }
  - name: work
    type: batch_worker
    dependencies: [analyse]
    handler: { callable: work }
    retry: { max_attempts: 1 }
    batch_config: { batch_size: 2, parallelism: 1, cursor_field: id, worker_template: work, failure_strategy: ${strategy} }
  - { name: join, type: deferred_convergence, dependencies: [work], handler: { callable: join } }
`)
  const definitions = [
    worker('analyse', {}, (_ctx, given: Given) => given.input),
    worker('work', {}, (_ctx, { batch }: Given) => {
      done.push(`${batch.name} ${batch.index + 1}/${batch.count}`)
      if (batch.cursor === 13) throw new PermanentError('unlucky')
      return batch.cursor
    }),
    worker('join', {}, (_ctx, { steps }: { steps: { work: unknown } }) => steps.work),
    template(loaded),
  ]
  const { troupe } = await onStage({ definitions })
  const run = await troupe.call('batched', input)
  return { run, troupe, done }
}

const outcome = (more: object) => ({
  batch_processing_outcome: { type: 'create_batches', worker_template_name: 'work', ...more },
})

describe('batches', () => {
  it.each([
    ['fail_fast', { message: 'unlucky' }, ['work_001 1/3', 'work_002 2/3']],
    ['continue_on_failure', { code: 'batches_failed' }, ['work_001 1/3', 'work_002 2/3', 'work_003 3/3']],
  ])('%s: fails, having done what it says', async (strategy, error, expected) => {
    const { run, done } = await batched(strategy, [1, 13, 3])
    expect(await rejection(run.result())).toMatchObject(error)
    expect(done).toEqual(expected)
  })

  it.each(['isolate', 'isolate_failed'])('%s: leaves out what failed, and goes on', async (strategy) => {
    const { run, done } = await batched(strategy, [1, 13, 3])
    expect(await run.result()).toEqual({ join: [1, null, 3] })
    expect(done.length).toBe(3)
  })

  it('that were made in the words of Tasker are done, one worker for each cursor', async () => {
    const { run, done } = await batched(
      'fail_fast',
      outcome({ worker_count: 2, cursor_configs: [7, 8], total_items: 4 }),
    )
    expect(await run.result()).toEqual({ join: [7, 8] })
    expect(done).toEqual(['work_001 1/2', 'work_002 2/2'])
  })

  it.each([
    ['no_batches of Tasker', { batch_processing_outcome: { type: 'no_batches' } }],
    ['noBatches()', noBatches('empty')],
    ['batchesOf nothing', batchesOf(0, { workers: 4 })],
    ['an empty list', []],
  ])('are one placeholder where there are none: %s', async (_what, input) => {
    const { run, troupe, done } = await batched('fail_fast', input)
    expect(await run.result()).toEqual({ join: [] })
    expect(done).toEqual([])
    expect((await troupe.steps(run.id)).map(({ path, value }) => [path, value])[1]).toEqual([
      'work_000',
      { isNoOp: true },
    ])
  })

  it.each([
    [
      'more workers than cursors',
      outcome({ worker_count: 3, cursor_configs: [1] }),
      'it said 3 workers and gave 1 cursors',
    ],
    [
      'another worker',
      outcome({ worker_template_name: 'join', cursor_configs: [1] }),
      "it made batches for step 'join'",
    ],
    ['no cursors', outcome({ worker_count: 1 }), 'its output says no batches'],
    ['nothing', null, 'its output says no batches'],
  ])('fail for good where what makes them says %s', async (_what, input, message) => {
    const { run, done } = await batched('isolate', input)
    const error = await rejection(run.result())
    expect([error['code'], error.message, done]).toEqual(['batch_invalid', expect.stringContaining(message), []])
  })

  it.each([
    ['the template', 'batch: { worker: odd }', [1, 2], { even: [], odd: [1, 2] }],
    [
      'its output first',
      'batch: { worker: even }',
      outcome({ worker_template_name: 'odd', cursor_configs: [3] }),
      { even: [], odd: [3] },
    ],
    ['nobody: each does all', '', [4], { even: [4], odd: [4] }],
  ])('are done by the step that is named by %s', async (_what, batch, input, expected) => {
    const text = `
name: two
steps:
  - { name: divide, type: batchable, uses: analyse, ${batch} }
  - { name: even, type: batch_worker, needs: [divide], uses: work }
  - { name: odd, type: batch_worker, needs: [divide], uses: work, batch: { worker: odd } }
`
    const analyse = worker('analyse', {}, (_ctx, given: Given) => given.input)
    const work = worker('work', {}, (_ctx, { batch: { cursor } }: Given) => cursor)
    const { troupe } = await onStage({ definitions: [analyse, work, template(loadTemplate(text).template)] })
    expect(await troupe.run('two', input)).toEqual(expected)
  })

  it.each([
    [
      'divide, type: batchable, batch: { worker: other }',
      "The batches of step 'divide' are done by 'other', which is no step of type 'batch_worker' that needs it.",
    ],
    [
      'divide, type: batchable, batch: { worker: wrk }',
      "The batches of step 'divide' are done by 'wrk', which is no step. Did you mean 'work'?",
    ],
    [
      'divide, batch: { worker: work }',
      "Step 'divide' names 'work' as the step that does its batches: a step of type 'batchable' may do that, any other does its own.",
    ],
  ])('name no step that cannot do them: %s', (step, message) => {
    const text = `name: t
steps:
  - { name: ${step}, uses: w }
  - { name: all, type: batchable, uses: w }
  - { name: work, type: batch_worker, needs: [divide, all], uses: w }
  - { name: other, type: batch_worker, needs: [all], uses: w }`
    expect(checkTemplate(text).map((problem) => [problem.line, problem.message])).toEqual([[3, message]])
  })
})
