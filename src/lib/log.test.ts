import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'
import { createLog, silenceFaults, type Log, type LogLevel } from './log.ts'

/** A log at time 42 and the lines it wrote. */
function newLog(level: LogLevel = 'debug'): { log: Log; lines: string[] } {
  const lines: string[] = []
  const log = createLog({ level, clock: { ...systemClock, now: () => 42 }, write: (line) => lines.push(line) })
  return { log, lines }
}

/** Says one line at every level and tells which came through. */
function levelsThrough(level: LogLevel): string[] {
  const { log, lines } = newLog(level)
  for (const name of ['debug', 'info', 'warn', 'error'] as const) log[name]({}, 'said')
  return lines.map((line) => (JSON.parse(line) as { level: string }).level)
}

describe('Log', () => {
  it('writes one line of JSON: time, level, message, fields', () => {
    const { log, lines } = newLog()
    log.warn({ run: 'r1', tries: 2 }, 'gave up')
    expect(lines).toEqual(['{"time":42,"level":"warn","msg":"gave up","run":"r1","tries":2}\n'])
  })

  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('at level %s lets through %j', (level, through) => {
    expect(levelsThrough(level)).toEqual(through)
  })

  it('keeps a message with line breaks on one line', () => {
    const { log, lines } = newLog()
    log.info({}, 'two\nlines')
    expect(lines).toEqual(['{"time":42,"level":"info","msg":"two\\nlines"}\n'])
  })

  it('writes an error with its name, message and cause, wherever it stands', () => {
    const { log, lines } = newLog()
    log.error({ deep: [{ error: new TypeError('bad', { cause: new Error('why') }) }] }, 'failed')
    const { deep } = JSON.parse(lines[0] ?? '') as { deep: [{ error: unknown }] }
    expect(deep[0].error).toMatchObject({ name: 'TypeError', message: 'bad', cause: { name: 'Error', message: 'why' } })
  })

  it('writes a bigint as its digits and an n', () => {
    const { log, lines } = newLog()
    log.info({ id: 12345678901234567890n }, 'big')
    expect(lines).toEqual(['{"time":42,"level":"info","msg":"big","id":"12345678901234567890n"}\n'])
  })

  it('does not let a field stand in for the time, the level or the message', () => {
    const { log, lines } = newLog()
    log.info({ level: 'none', msg: 'other', time: 0, n: 1 }, 'said')
    expect(lines).toEqual(['{"time":42,"level":"info","msg":"said","n":1}\n'])
  })

  it('goes on when a line cannot be written', () => {
    const refuse = (): never => {
      throw new Error('EPIPE')
    }
    const log = createLog({ level: 'debug', clock: { ...systemClock, now: () => 42 }, write: refuse })
    expect(log.warn({}, 'lost')).toBeUndefined()
  })

  it('writes the message and says what went wrong when the fields cannot be written', () => {
    const { log, lines } = newLog()
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    log.info(circle, 'round')
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
    expect(line).toMatchObject({ time: 42, level: 'info', msg: 'round' })
    expect(line['fieldsLost']).toMatch(/^TypeError: Converting circular structure to JSON/)
  })
})

describe('silenceFaults', () => {
  it('hands each line on, to the log as its owner', () => {
    const lines: unknown[] = []
    const note = function (this: unknown, ...line: unknown[]): void {
      lines.push([this, ...line])
    }
    const log: Log = { debug: note, info: note, warn: note, error: note }
    const safe = silenceFaults(log)
    safe.debug({ n: 1 }, 'a')
    safe.error({ n: 2 }, 'b')
    expect(lines).toEqual([
      [log, { n: 1 }, 'a'],
      [log, { n: 2 }, 'b'],
    ])
  })

  it('lets no fault of the log out, thrown at once or later', async () => {
    let calls = 0
    const fault = (): never => {
      calls += 1
      throw new Error('broken')
    }
    const later = async (): Promise<void> => fault()
    const safe = silenceFaults({ debug: fault, info: later, warn: fault, error: later })
    for (const level of ['debug', 'info', 'warn', 'error'] as const) expect(safe[level]({}, 'x')).toBeUndefined()
    await new Promise((resolve) => systemClock.soon(() => resolve(undefined)))
    expect(calls).toBe(4)
  })
})
