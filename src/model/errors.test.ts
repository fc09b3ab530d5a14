import { describe, expect, it } from 'vitest'
import { TroupeError } from '../lib/errors.ts'
import type { Discovered } from './discovered.ts'
import * as errors from './errors.ts'
import { idempotencyConflict } from './start-errors.ts'
import * as timeErrors from './time-errors.ts'

const workersFolder: Discovered = {
  folder: 'workers',
  files: ['crop.ts', 'resize.ts'],
  skipped: [
    { file: '_scan.ts', why: 'its name begins with _' },
    { file: 'index.ts', why: 'it is an index' },
  ],
}
const emptyFolder: Discovered = { folder: 'more', files: ['a.ts'], skipped: [] }

describe('every message says what happened, to which thing, and what to do', () => {
  it.each([
    [
      errors.workerNotRegistered('crop', { known: ['resize', 'scan'], searched: [] }),
      'worker_not_registered',
      `Worker 'crop' not registered. Registered are: resize, scan. Pass its definition to Troupe.open({ definitions }), or put its file into a folder and name that in { workers }: none was searched. Or open an engine with it on this store once: from then on all that use the store know its name.`,
    ],
    [
      errors.optionUnknown("Call option 'dely'", ['delay', 'at']),
      'option_invalid',
      "Call option 'dely' is not known: expected one of delay, at.",
    ],
    [
      errors.workerNotRegistered('crop', { known: [], searched: [] }),
      'worker_not_registered',
      `Worker 'crop' not registered. Nothing is registered yet. Pass its definition to Troupe.open({ definitions }), or put its file into a folder and name that in { workers }: none was searched. Or open an engine with it on this store once: from then on all that use the store know its name.`,
    ],
    [
      errors.workerNotRegistered('corp', { known: ['crop', 'resize'], searched: [workersFolder, emptyFolder] }),
      'worker_not_registered',
      `Worker 'corp' not registered. Did you mean 'crop'? Registered are: crop, resize. Looked in the folder workers and loaded 2 files; skipped _scan.ts (its name begins with _), index.ts (it is an index). Looked in the folder more and loaded 1 file. Export its definition from a file there, or pass it to Troupe.open({ definitions }). Or open an engine with it on this store once: from then on all that use the store know its name.`,
    ],
    [
      errors.workerManagerNotInitialised(),
      'worker_manager_not_initialised',
      'Worker manager not initialised: WORKER is the engine of this process, and there is none. Await Troupe.open() first, without { global: false }, and use WORKER before that engine is stopped.',
    ],
    [
      timeErrors.workerTimedOut('crop', 90_000),
      'timed_out',
      `Worker 'crop' timed out after 1m 30s: give it a longer { timeout }, or let it end when its signal aborts.`,
    ],
    [
      timeErrors.runDeadlinePassed('crop', 5_000),
      'timed_out',
      `Worker 'crop' timed out after 5s: its call gave it no more time, waiting and further attempts included. Call it with a longer { timeout }, or find what it waited for.`,
    ],
    [
      timeErrors.stepTimedOut('pay', 250),
      'timed_out',
      `Step 'pay' timed out after 250ms: give it a longer { timeout }, or let it end when its signal aborts.`,
    ],
    [
      errors.runNotFound('run-1'),
      'run_not_found',
      "Worker run 'run-1' not found: list what there is with `troupe runs`, and check that --store names the right file.",
    ],
    [errors.runCancelled('crop', 'run-1', 'too late'), 'run_cancelled', `Run run-1 of 'crop' was cancelled: too late`],
    [errors.runCancelled('crop', 'run-1', undefined), 'run_cancelled', `Run run-1 of 'crop' was cancelled`],
    [
      errors.runLost(4),
      'run_lost',
      'The process died 4 times while it ran this, without finishing a step: look for what kills it (memory, a native crash), then start it again.',
    ],
    [
      errors.nameUnknown('queue', 'defalt', { known: ['default', 'mail'], remedy: 'Name it.' }),
      'option_invalid',
      "The queue 'defalt' is not known. Did you mean 'default'? Known are default, mail. Name it.",
    ],
    [
      errors.nameUnknown('limiter', 'strip', { known: [], remedy: 'Name it.' }),
      'option_invalid',
      "The limiter 'strip' is not known. There is none yet. Name it.",
    ],
    [
      timeErrors.resultTimeout('run-1', 5_000),
      'result_timeout',
      'Run run-1 did not finish within 5s; it goes on, ask for its result again.',
    ],
    [
      timeErrors.resultTimeout('run-1', 5_000, {
        kind: 'not_served',
        missing: 'queue',
        queue: 'mail',
        name: 'crop',
        version: '1',
      }),
      'result_timeout',
      "Run run-1 did not finish within 5s; it waits for a node that serves queue 'mail'. It is kept, ask for its result again.",
    ],
    [
      errors.journalMismatch('pay', 'step', 'sleep'),
      'journal_mismatch',
      `Step 'pay' was a step when this run first reached it and is a sleep now: give the new one another name, or run the old code to the end.`,
    ],
    [
      errors.stepNameTaken('pay'),
      'step_name_taken',
      `Step 'pay' is already under way in this scope: use ctx.map with a key, or give each of the parallel steps its own name; runs that are started get one with the option { name }.`,
    ],
    [
      idempotencyConflict('crop', 'k', 'run-1'),
      'idempotency_conflict',
      `Run run-1 of 'crop' was started with idempotency key 'k' before: use { onConflict: 'attach' } to get that run.`,
    ],
    [errors.engineStopped(), 'engine_stopped', 'This Troupe is stopped and takes no more work: open another one.'],
    [
      errors.definitionExists('crop', '1'),
      'definition_exists',
      `A definition named 'crop' of version 1 is registered already: rename one, give it another version, or register with { replace: true }.`,
    ],
    [errors.definitionInvalid('It has no name.'), 'definition_invalid', 'It has no name.'],
  ])('%s', (error, code, message) => {
    expect(error).toMatchObject({ code, message })
    expect(error).toBeInstanceOf(TroupeError)
  })

  it('names at most twelve of the registered workers', () => {
    const known = Array.from({ length: 20 }, (_, n) => `w${n}`)
    const { message } = errors.workerNotRegistered('crop', { known, searched: [] })
    expect(message).toContain('w10, w11 and 8 more. Pass')
  })

  it('names at most twelve of the skipped files', () => {
    const skipped = Array.from({ length: 13 }, (_, n) => ({ file: `_${n}.ts`, why: 'hidden' }))
    const searched = [{ folder: 'workers', files: [], skipped }]
    const { message } = errors.workerNotRegistered('crop', { known: [], searched })
    expect(message).toContain('loaded 0 files; skipped _0.ts (hidden), ')
    expect(message).toContain('_11.ts (hidden) and 1 more. Export')
  })

  it('keeps from trying again what cannot get better', () => {
    const final = [
      timeErrors.runDeadlinePassed('crop', 1),
      errors.runLost(4),
      errors.journalMismatch('pay', 'step', 'sleep'),
      errors.stepNameTaken('pay'),
      idempotencyConflict('crop', 'k', 'run-1'),
    ]
    expect(final.map(({ retryable }) => retryable)).toEqual(final.map(() => false))
    expect([timeErrors.workerTimedOut('crop', 1).retryable, timeErrors.stepTimedOut('pay', 1).retryable]).toEqual([
      true,
      true,
    ])
  })

  it.each([
    ['text', '"text"'],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [-0, '0'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ a: [1] }, '{"a":[1]}'],
    [10n, '10'],
    [cyclic(), '[object Object]'],
  ])('quotes the value it received: %s', (received, quoted) => {
    expect(errors.optionInvalid('limit', received, 'a number')).toMatchObject({
      code: 'option_invalid',
      message: `limit is ${quoted}: expected a number.`,
      details: { option: 'limit' },
    })
  })
})

function cyclic(): object {
  const object: Record<string, unknown> = {}
  object['self'] = object
  return object
}
