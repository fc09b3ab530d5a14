import { describe, expect, it } from 'vitest'
import { TroupeError } from '../lib/errors.ts'
import type { StepStatus } from '../engine/verbs/run-status.ts'
import { errorLines, failureLines } from './error-text.ts'
import { plain } from './paint.ts'

const look = { paint: plain, withStack: false }

it('tells name, code, message and what led to it', () => {
  const root = new TypeError('no such flight')
  const error = new TroupeError('store_busy', 'it broke\nbadly', { cause: new Error('in between', { cause: root }) })
  expect(errorLines(error, look)).toEqual([
    'TroupeError store_busy: it broke',
    'badly',
    'caused by Error: in between',
    'caused by TypeError: no such flight',
  ])
})

it('shows the stack only when asked for', () => {
  const error = new Error('it broke')
  error.stack = 'Error: it broke\n    at pack (/app/ship.ts:7:3)'
  expect(errorLines(error, look)).toEqual(['Error: it broke'])
  expect(errorLines(error, { paint: plain, withStack: true })).toEqual([
    'Error: it broke',
    '  at pack (/app/ship.ts:7:3)',
  ])
})

it('ends for causes in a circle, and lets no escape code through', () => {
  const error: Error = new Error('a\u001b[2Jb\u0007')
  error.cause = new TypeError('c', { cause: error })
  expect(errorLines(error, look)[0]).toBe('Error: ab')
  expect(errorLines(error, look)).toHaveLength(9)
})

it('tells a text that was thrown once, and what led to it all the same', () => {
  expect(errorLines(new Error('just text', { cause: 'just text' }), look)).toEqual(['Error: just text'])
  const stored = new Error('just text', { cause: new Error('just text', { cause: new Error('root') }) })
  expect(errorLines(stored, look)).toEqual(['Error: just text', 'caused by Error: root'])
  expect(errorLines(new Error('no', { cause: new TypeError('no') }), look)).toEqual([
    'Error: no',
    'caused by TypeError: no',
  ])
})

describe('the failure of a run', () => {
  const stack =
    'Error: disk\n    at read (/app/node_modules/x/y.js:1:2)\n    at async find (/app/workers/thumbs.ts:10:45)'
  const disk = (): Error => Object.assign(new Error('disk'), { stack })
  const step = (path: string, error: Error | undefined): StepStatus => ({
    path,
    kind: 'step',
    attempt: 1,
    value: undefined,
    error,
    startedAt: 0,
    finishedAt: 1,
  })
  const failure = { ...look, folder: '/app', steps: [step('find', disk()), step('pack', new Error('disk'))] }

  it('names the step and the place in the project', () => {
    expect(failureLines(disk(), failure)).toEqual(['Error: disk', "  in step 'find'  workers/thumbs.ts:10:45"])
  })

  it('names the step whose error was only the cause', () => {
    const wrapped = Object.assign(new Error('no order', { cause: disk() }), { stack: 'Error: no order' })
    expect(failureLines(wrapped, failure)).toEqual(['Error: no order', "  in step 'find'", 'caused by Error: disk'])
  })

  it('names the place alone where no step failed, and nothing where nothing is known', () => {
    expect(failureLines(disk(), { ...failure, steps: [] })).toEqual(['Error: disk', '  at workers/thumbs.ts:10:45'])
    const bare = Object.assign(new Error('x'), { stack: 'Error: x\n    at node:internal/timers:581:17' })
    expect(failureLines(bare, failure)).toEqual(['Error: x'])
  })

  it('leaves paths outside the project whole', () => {
    const outside = Object.assign(new Error('x'), { stack: 'Error: x\n    at f (/srv/b.ts:5:6)' })
    expect(failureLines(outside, failure)).toEqual(['Error: x', '  at /srv/b.ts:5:6'])
  })
})
