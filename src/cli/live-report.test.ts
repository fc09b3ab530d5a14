import { describe, expect, it } from 'vitest'
import type { RunStatus } from '../engine/verbs/run-status.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { Io } from './io.ts'
import { LiveReport } from './live-report.ts'
import { PlainReport } from './plain-report.ts'

const id = '0197f3a2-5c1e-7a00-8000-3f1c2b9d4e5f'

function fakeIo(columns: number): { io: Io; clock: ManualClock; written: () => string } {
  const clock = new ManualClock()
  let written = ''
  const output = { isTerminal: true, columns, write: (text: string) => void (written += text) }
  const io: Io = {
    stdout: output,
    stderr: output,
    env: { NO_COLOR: '1' },
    clock,
    folder: '/app',
    readStdin: () => Promise.resolve(''),
    onSignal: () => () => {},
  }
  return { io, clock, written: () => written }
}

function running(clock: ManualClock, done: number): RunStatus {
  return {
    id,
    name: 'count',
    version: '1',
    queue: 'default',
    state: 'running',
    code: undefined,
    fingerprint: undefined,
    generation: 1,
    attempt: 1,
    deliveries: 0,
    createdAt: clock.now(),
    startedAt: undefined,
    waitMs: undefined,
    finishedAt: undefined,
    undoing: undefined,
    dueAt: undefined,
    reason: undefined,
    parent: undefined,
    forkedFrom: undefined,
    schedule: undefined,
    scheduledAt: undefined,
    node: 'n',
    tags: [],
    correlationId: undefined,
    input: undefined,
    output: undefined,
    error: undefined,
    progress: { done, total: 100 },
  }
}

/** What is left on a screen after carriage returns and erased lines. */
function screenOf(written: string): string[] {
  return written.split('\n').map((line) => line.split('\r\u001b[2K').at(-1) ?? '')
}

describe('on a terminal', () => {
  it('keeps one line at the bottom, writes messages above it, and takes it away at the end', () => {
    const { io, clock, written } = fakeIo(80)
    const report = new LiveReport(io, { withStack: false })
    report.started({ id, name: 'count' })
    report.looked(running(clock, 20))
    report.message('a fifth')
    expect(screenOf(written())).toEqual([
      `count  ${id}`,
      '› a fifth',
      '⠙ running  ━━━━━━──────────────────────── 20%  20/100  0ms',
    ])
    report.looked(running(clock, 60))
    report.close()
    const closed = written()
    report.close()
    expect(written()).toBe(closed)
    expect(screenOf(written())).toEqual([`count  ${id}`, '› a fifth', ''])
  })

  it('leaves its own name out of log lines', () => {
    const { io, written } = fakeIo(80)
    const report = new LiveReport(io, { withStack: false })
    report.started({ id, name: 'count' })
    report.logged('warn', `[Worker:count run:${id}] slow disk`)
    report.logged('info', '[Worker:other run:x] hello')
    expect(screenOf(written()).slice(1)).toEqual(['warn  slow disk', 'info  [Worker:other run:x] hello', ''])
  })
})

describe('in a pipe', () => {
  it('tells progress at each tenth, and what is between only after a silence', async () => {
    const { io, clock, written } = fakeIo(Infinity)
    const report = new PlainReport(io, { withStack: false })
    report.started({ id, name: 'count' })
    for (const done of [0, 4, 10, 15, 31, 32]) report.looked(running(clock, done))
    await clock.advance(5_000)
    report.looked(running(clock, 33))
    report.looked(running(clock, 34))
    expect(written()).toBe(
      [
        `run ${id} of count`,
        'progress 0% (0 of 100)',
        'progress 10% (10 of 100)',
        'progress 31% (31 of 100)',
        'progress 33% (33 of 100)',
        '',
      ].join('\n'),
    )
  })

  it('keeps each message on its line, without escape codes', () => {
    const { io, written } = fakeIo(Infinity)
    const report = new PlainReport(io, { withStack: false })
    report.message('one\ntwo\u001b[2J')
    report.message({ status: 'sent' })
    expect(written()).toBe('one two\n{"status":"sent"}\n')
  })
})
