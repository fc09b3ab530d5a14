import { describe, expect, it } from 'vitest'
import { TroupeError, type ErrorCode } from '../lib/errors.ts'
import { exitCodeOf } from './exit-codes.ts'

describe('exitCodeOf', () => {
  const codes: readonly (readonly [ErrorCode, number])[] = [
    ['usage', 2],
    ['worker_not_registered', 2],
    ['validation_failed', 2],
    ['run_not_found', 2],
    ['message_unknown', 2],
    ['answer_missing', 2],
    ['run_ended', 1],
    ['schedule_not_found', 2],
    ['store_unavailable', 69],
    ['store_corrupt', 69],
    ['store_readonly', 69],
    ['store_full', 69],
    ['sqlite_too_old', 69],
    ['config_invalid', 78],
    ['file_not_loaded', 78],
    ['template_invalid', 78],
    ['option_invalid', 2],
    ['definition_invalid', 78],
    ['definition_exists', 78],
    ['run_lost', 1],
  ]

  for (const [code, exitCode] of codes) {
    it(`is ${exitCode} for ${code}`, () => {
      expect(exitCodeOf(new TroupeError(code, 'what happened'))).toBe(exitCode)
    })
  }

  it('is 78 for an option that stands in a file', () => {
    expect(exitCodeOf(new TroupeError('option_invalid', 'what happened', { details: { file: 'a.ts' } }))).toBe(78)
  })

  it('is 1 for what is not ours', () => {
    expect(exitCodeOf(new TypeError('x'))).toBe(1)
  })
})
