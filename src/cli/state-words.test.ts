import { expect, it } from 'vitest'
import { stateWord, whereState } from './state-words.ts'

it('tells how a run failed, where that is known', () => {
  expect(stateWord({ state: 'failed', code: 'timed_out' })).toBe('timed out')
  expect(stateWord({ state: 'failed', code: 'run_lost' })).toBe('crashed')
  expect(stateWord({ state: 'failed', code: 'declined' })).toBe('failed')
  expect(stateWord({ state: 'failed', code: undefined })).toBe('failed')
  expect(stateWord({ state: 'cancelled', code: 'run_cancelled' })).toBe('cancelled')
  expect(stateWord({ state: 'running', code: undefined })).toBe('running')
})

it('takes typed states for what they mean', () => {
  expect(whereState('timed-out')).toEqual({ state: 'failed', code: 'timed_out' })
  expect(whereState('crashed')).toEqual({ state: 'failed', code: 'run_lost' })
  expect(whereState('failed')).toEqual({ state: 'failed' })
})
