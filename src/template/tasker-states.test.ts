// All twelve states of tasks and ten of steps, each from what is known of a run.
import { describe, expect, it } from 'vitest'
import {
  taskerStates,
  taskerStepStates,
  taskerTaskStates,
  type SeenRun,
  type TaskerStepState,
} from './tasker-states.ts'
import type { TaskerTaskState } from './tasker-states.ts'
import type { Template, TemplateStep } from './model/template.ts'

type Run = SeenRun['run']
type Step = SeenRun['steps'][number]

const running: Run = { state: 'running', startedAt: 1, undoing: undefined, reason: undefined, generation: 1 }
const run = (state: Run['state'], more: Partial<Run> = {}): Run => ({ ...running, state, ...more })
const step = (path: string, more: Partial<Step> = {}): Step => ({
  path,
  kind: 'step',
  attempt: 1,
  value: 'done',
  error: undefined,
  ...more,
})
const wait = (path: string, kind: 'sleep' | 'backoff' | 'message' | 'run' | 'limiter', name?: string) => ({
  path,
  kind,
  name,
})
const failed = { error: new Error('no'), value: undefined }

/** Steps of a template by name, each with what it needs. */
function template(needs: Readonly<Record<string, readonly string[]>>, more: Partial<TemplateStep> = {}) {
  const steps = Object.entries(needs).map(([name, own]) => ({
    name,
    needs: own,
    role: 'standard',
    onError: 'fail',
    ...more,
  }))
  return { steps } as unknown as Pick<Template, 'steps'>
}

const child = (state: Run['state']): SeenRun => ({
  run: running,
  steps: [step('a', { kind: 'child', value: 'c1' })],
  children: [{ id: 'c1', state }],
})

const stepCases: readonly (readonly [TaskerStepState, string, SeenRun])[] = [
  ['pending', 'what it needs is not done', { run: running, steps: [], template: template({ b: [], a: ['b'] }) }],
  ['pending', 'a decision has yet to choose it', { run: running, steps: [step('b')], template: decided() }],
  [
    'pending',
    'its run failed before',
    { run: run('failed'), steps: [step('b', failed)], template: template({ b: [], a: ['b'] }) },
  ],
  [
    'enqueued',
    'its run waits for an actor',
    { run: run('ready'), steps: [step('b')], template: template({ b: [], a: ['b'] }) },
  ],
  ['enqueued', 'it waits for a limiter', { run: running, steps: [], waits: [wait('a', 'limiter', 'stripe')] }],
  ['enqueued', 'it is a run that waits for an actor', child('ready')],
  [
    'in_progress',
    'it is executed for the first time',
    { run: running, steps: [step('b')], template: template({ b: [], a: ['b'] }) },
  ],
  [
    'in_progress',
    'an attempt of it has failed and another is executed',
    { run: running, steps: [], attempts: [{ path: 'a', generation: 1 }] },
  ],
  [
    'in_progress',
    'it waits to be told something',
    { run: run('parked'), steps: [], waits: [wait('a', 'message', 'go')] },
  ],
  ['in_progress', 'it is a run that waits', child('parked')],
  [
    'in_progress',
    'it is a run of which nothing else is known',
    { run: run('running'), steps: [step('a', { kind: 'child' })] },
  ],
  ['enqueued_for_orchestration', 'it is a run that has succeeded, and that is yet to be taken in', child('succeeded')],
  [
    'enqueued_for_orchestration',
    'the same, as its run waits for it',
    {
      run: run('parked'),
      steps: [],
      waits: [wait('a/result', 'run', 'c1')],
      children: [{ id: 'c1', state: 'succeeded' }],
    },
  ],
  ['enqueued_as_error_for_orchestration', 'it is a run that has failed', child('failed')],
  ['enqueued_as_error_for_orchestration', 'it is a run that was cancelled', child('cancelled')],
  [
    'waiting_for_retry',
    'it rests between two attempts',
    { run: run('parked'), steps: [], waits: [wait('a', 'backoff')] },
  ],
  ['waiting_for_retry', 'it is a run that rests', child('scheduled')],
  ['complete', 'it has a result', { run: running, steps: [step('a')] }],
  ['complete', 'it was completed by hand', { run: running, steps: [step('a', { attempt: 0 })] }],
  ['complete', 'its message came', { run: running, steps: [step('a', { kind: 'receive', value: null })] }],
  [
    'complete',
    'it is a run whose result is there',
    {
      run: running,
      steps: [step('a', { kind: 'child', value: 'c1' }), step('a/result', { kind: 'result' })],
      children: [{ id: 'c1', state: 'succeeded' }],
    },
  ],
  ['error', 'it failed for good', { run: running, steps: [step('a', failed)] }],
  [
    'error',
    'it is a run that failed',
    {
      run: running,
      steps: [step('a', { kind: 'child', value: 'c1' }), step('a/result', { kind: 'result', ...failed })],
    },
  ],
  [
    'cancelled',
    'it was under way when its run ended',
    { run: run('failed'), steps: [], attempts: [{ path: 'a', generation: 1 }] },
  ],
  [
    'cancelled',
    'its run was cancelled before it began',
    { run: run('cancelled'), steps: [], template: template({ a: [] }) },
  ],
  [
    'resolved_manually',
    'it was resolved by hand without a result',
    { run: running, steps: [step('a', { attempt: 0, value: null })] },
  ],
]

function decided(): Pick<Template, 'steps'> {
  const { steps } = template({ b: [], a: ['b'] })
  return { steps: steps.map((each) => (each.name === 'b' ? { ...each, role: 'decision' } : each)) }
}

describe('the state of a step', () => {
  it.each(stepCases)('%s: %s', (expected, _why, seen) => {
    expect(taskerStates(seen).steps.get('a')).toBe(expected)
  })

  it('is each of the ten', () => {
    expect([...new Set(stepCases.map(([state]) => state))].toSorted()).toEqual([...taskerStepStates].toSorted())
  })

  it('is told of steps alone, of their pieces, and not of those that were left out', () => {
    const steps = [
      step('a'),
      step('n', { kind: 'value' }),
      step('b_001'),
      step('c[x]'),
      step('a/undo', { kind: 'undo' }),
    ]
    const seen = { run: run('succeeded'), steps, template: template({ a: [], b: ['a'], c: ['a'], left: ['a'] }) }
    expect([...taskerStates(seen).steps]).toEqual([
      ['a', 'complete'],
      ['b_001', 'complete'],
      ['c[x]', 'complete'],
    ])
  })

  it('is not that of an attempt of an earlier generation', () => {
    const seen = { run: run('ready', { generation: 2 }), steps: [], attempts: [{ path: 'a', generation: 1 }] }
    expect([...taskerStates(seen).steps]).toEqual([])
  })
})

const undoing = { outcome: 'failed', error: undefined } as const
const diverged = { kind: 'diverged', divergence: {} as never, until: 2 } as const

const taskCases: readonly (readonly [TaskerTaskState, string, SeenRun])[] = [
  ['pending', 'nobody has begun it', { run: run('ready', { startedAt: undefined }), steps: [] }],
  ['pending', 'it is to start later', { run: run('scheduled', { startedAt: undefined }), steps: [] }],
  ['initializing', 'nothing of it is known yet', { run: running, steps: [] }],
  ['enqueuing_steps', 'it is to go on, and waits for an actor', { run: run('ready'), steps: [step('b')] }],
  ['steps_in_process', 'a step is executed', { run: running, steps: [], template: template({ a: [] }) }],
  [
    'steps_in_process',
    'C17: a step is executed though another failed',
    { run: running, steps: [step('b', failed)], template: template({ a: [], b: [], c: ['b'] }) },
  ],
  [
    'steps_in_process',
    'C18: one failed, one rests, one is executed',
    {
      run: running,
      steps: [step('b', failed)],
      waits: [wait('c', 'backoff')],
      template: template({ a: [], b: [], c: [] }),
    },
  ],
  [
    'steps_in_process',
    'a step of it is a run that is under way',
    {
      run: run('parked'),
      steps: [],
      waits: [wait('a/result', 'run', 'c1')],
      children: [{ id: 'c1', state: 'parked' }],
    },
  ],
  [
    'evaluating_results',
    'all that is known is done, and it has not ended',
    { run: running, steps: [step('a')], template: template({ a: [] }) },
  ],
  ['evaluating_results', 'the end of a run that it started is yet to be taken in', child('succeeded')],
  [
    'waiting_for_dependencies',
    'it waits to be told something',
    { run: run('parked'), steps: [], waits: [wait('a', 'message', 'go')] },
  ],
  ['waiting_for_retry', 'a step rests', { run: run('parked'), steps: [], waits: [wait('a', 'backoff')] }],
  [
    'waiting_for_retry',
    'C18: a step rests, another waits, a third failed',
    { run: run('parked'), steps: [step('c', failed)], waits: [wait('a', 'backoff'), wait('b', 'message', 'go')] },
  ],
  ['waiting_for_retry', 'it rests itself', { run: run('scheduled'), steps: [] }],
  [
    'waiting_for_retry',
    'C18: a step rests while its node keeps it',
    { run: running, steps: [step('b', failed)], waits: [wait('a', 'backoff')] },
  ],
  ['blocked_by_failures', 'it undoes what it did', { run: run('ready', { undoing }), steps: [step('a', failed)] }],
  ['blocked_by_failures', 'it was set aside', { run: run('parked', { reason: diverged }), steps: [step('a')] }],
  ['complete', 'it succeeded', { run: run('succeeded'), steps: [step('a')] }],
  ['complete', 'it succeeded though a step failed', { run: run('succeeded'), steps: [step('a', failed)] }],
  ['error', 'it failed', { run: run('failed'), steps: [step('a', failed)] }],
  ['error', 'somebody looks at it', { run: run('failed'), steps: [], investigation: { state: 'pending' } }],
  ['cancelled', 'it was cancelled', { run: run('cancelled'), steps: [] }],
  [
    'resolved_manually',
    'somebody has seen to its failure',
    { run: run('failed'), steps: [], investigation: { state: 'manually_resolved' } },
  ],
]

describe('the state of a task', () => {
  it.each(taskCases)('%s: %s', (expected, _why, seen) => {
    expect(taskerStates(seen).task).toBe(expected)
  })

  it('is each of the twelve', () => {
    expect([...new Set(taskCases.map(([state]) => state))].toSorted()).toEqual([...taskerTaskStates].toSorted())
  })
})
