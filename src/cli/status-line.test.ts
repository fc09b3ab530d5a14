import { describe, expect, it } from 'vitest'
import { plain } from './paint.ts'
import { drawStatus, stateWords, type StatusLine } from './status-line.ts'
import { widthOf } from './width.ts'

const status: StatusLine = {
  run: { state: 'running', attempt: 1, dueAt: undefined, progress: { done: 90_000, total: 200_000 } },
  now: 0,
  elapsedMs: 7_249,
  rate: 12_400.4,
  frame: 2,
}

describe('status line', () => {
  it('leaves out the least important first as the window narrows', () => {
    expect(drawStatus(status, 79, plain)).toBe(
      '⠹ running  ━━━━━━━━━━━━━╸──────────────── 45%  90,000/200,000  12,400/s  7.2s',
    )
    expect(drawStatus(status, 50, plain)).toBe('⠹ running  ━━━━━────── 45%  90,000/200,000  7.2s')
    expect(drawStatus(status, 39, plain)).toBe('⠹ running  ━━━━━━━╸──────── 45%  7.2s')
    expect(drawStatus(status, 16, plain)).toBe('⠹ running  45%')
    expect(drawStatus(status, 3, plain)).toBe('')
  })

  it('never outgrows the window', () => {
    for (let width = 0; width < 120; width += 1)
      expect(widthOf(drawStatus(status, width, plain))).toBeLessThanOrEqual(width)
  })

  it('draws no bar when there is no progress', () => {
    expect(drawStatus({ ...status, run: { ...status.run, progress: undefined } }, 80, plain)).toBe('⠹ running  7.2s')
  })

  it('says what a run waits for', () => {
    const run = { attempt: 1, dueAt: undefined, progress: undefined }
    expect(stateWords({ ...run, state: 'ready' }, 0)).toBe('waiting for a free actor')
    expect(stateWords({ ...run, state: 'parked', dueAt: 90_000 }, 0)).toBe('sleeping, 1m 30s left')
    expect(stateWords({ ...run, state: 'scheduled', dueAt: 1_500, attempt: 2 }, 0)).toBe('starts in 2s (attempt 2)')
    expect(stateWords({ ...run, state: 'scheduled', dueAt: 200 }, 0)).toBe('starts in 200ms')
    expect(stateWords({ ...run, state: 'parked', dueAt: 999.4 }, 0)).toBe('sleeping, 1s left')
  })

  it('says what a run that is set aside waits for, and for how long yet', () => {
    const run = { state: 'parked', attempt: 1, dueAt: 3_600_000, progress: undefined } as const
    const until = 3_600_000
    expect(stateWords({ ...run, reason: { kind: 'completion', until } }, 0)).toBe(
      'waiting for somebody to finish it from outside, 1h left',
    )
    expect(stateWords({ ...run, dueAt: undefined, reason: { kind: 'result', runId: 'r1', until: undefined } }, 0)).toBe(
      'waiting for the end of run r1',
    )
    expect(stateWords({ ...run, reason: { kind: 'timer', until } }, 0)).toBe('sleeping, 1h left')
  })

  it('says of a run that is called running when it cannot be', () => {
    const run = { state: 'running', attempt: 1, dueAt: undefined, progress: undefined } as const
    expect(stateWords({ ...run, reason: { kind: 'node_lost' } }, 0)).toBe('its process died, waiting for a node')
    expect(stateWords(run, 0)).toBe('running')
  })
})
