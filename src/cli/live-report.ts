// A run as it is told on a terminal: lines that stay, and under them one that is redrawn in place.
import type { RunStatus, StepStatus } from '../engine/verbs/run-status.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import { formatMs } from '../lib/duration.ts'
import { failureLines } from './error-text.ts'
import type { Io } from './io.ts'
import { eraseLine, oneLine, paintFor, stateStyles, type Paint } from './paint.ts'
import { Rate } from './rate.ts'
import type { RunReport } from './run-report.ts'
import { drawStatus } from './status-line.ts'
import { titleLines } from './title.ts'
import { shortValue } from './values.ts'
import { wrap } from './width.ts'

const levelStyles = { debug: 'dim', info: 'blue', warn: 'yellow', error: 'red' } as const

export class LiveReport implements RunReport {
  readonly lookEveryMs = 100
  readonly #io: Io
  readonly #paint: Paint
  readonly #withStack: boolean
  readonly #rate = new Rate()
  #prefix = ''
  #status = ''
  #frame = 0

  constructor(io: Io, options: { readonly withStack: boolean }) {
    this.#io = io
    this.#paint = paintFor(io.stderr, io.env)
    this.#withStack = options.withStack
  }

  started({ id, name }: { readonly id: string; readonly name: string }): void {
    this.#prefix = `[Worker:${name} run:${id}] `
    for (const line of titleLines({ id, name }, this.#io.stderr.columns, this.#paint)) this.#line(line)
  }

  message(message: unknown): void {
    this.#line(`${this.#paint('cyan', '›')} ${shortValue(message)}`)
  }

  logged(level: RunLogLevel, text: string): void {
    const own = text.startsWith(this.#prefix) ? text.slice(this.#prefix.length) : text
    this.#line(`${this.#paint(levelStyles[level], level.padEnd(5))} ${oneLine(own)}`)
  }

  notice(text: string): void {
    for (const line of wrap(text, this.#io.stderr.columns)) this.#line(this.#paint('dim', line))
  }

  looked(run: RunStatus): void {
    const { clock, stderr } = this.#io
    const now = clock.now()
    if (run.progress !== undefined) this.#rate.sample(clock.monotonic(), run.progress.done)
    this.#frame += 1
    const elapsedMs = Math.max(0, now - run.createdAt)
    // The last column stays free: some terminals wrap as soon as it is written to.
    const line = { run, now, elapsedMs, rate: this.#rate.perSecond(), frame: this.#frame }
    this.#status = drawStatus(line, stderr.columns - 1, this.#paint)
    stderr.write(`${eraseLine}${this.#status}`)
  }

  succeeded(run: RunStatus): void {
    this.close()
    this.#line(
      `${this.#paint('green', '✓')} succeeded ${this.#paint('dim', `in ${this.#took(run)}${attemptsOf(run)}`)}`,
    )
  }

  failed(error: unknown, run: RunStatus, steps: readonly StepStatus[]): void {
    this.close()
    const how = run.state === 'cancelled' ? 'cancelled' : 'failed'
    this.#line(
      `${this.#paint(stateStyles[run.state], '✗')} ${how} ${this.#paint('dim', `after ${this.#took(run)}${attemptsOf(run)}`)}`,
    )
    this.#line('')
    const look = { paint: this.#paint, withStack: this.#withStack, folder: this.#io.folder, steps }
    for (const line of failureLines(error, look)) this.#line(`  ${line}`)
    this.#line('')
    this.#line(this.#paint('dim', `  troupe show ${run.id}`))
  }

  close(): void {
    if (this.#status === '') return
    this.#status = ''
    this.#io.stderr.write(eraseLine)
  }

  #line(text: string): void {
    const { stderr } = this.#io
    if (this.#status === '') stderr.write(`${text}\n`)
    else stderr.write(`${eraseLine}${text}\n${this.#status}`)
  }

  #took(run: RunStatus): string {
    return formatMs(Math.max(0, (run.finishedAt ?? this.#io.clock.now()) - run.createdAt))
  }
}

function attemptsOf({ attempt }: RunStatus): string {
  return attempt > 1 ? `, ${attempt} attempts` : ''
}
