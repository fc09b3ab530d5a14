// A run as it is told to a pipe or a log file: one line a fact, no escape codes, nothing redrawn.
import type { RunStatus, StepStatus } from '../engine/verbs/run-status.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import { formatMs } from '../lib/duration.ts'
import { percent, shareOf } from './bar.ts'
import { failureLines } from './error-text.ts'
import type { Io } from './io.ts'
import { oneLine, plain } from './paint.ts'
import type { RunReport } from './run-report.ts'
import { stateWords } from './status-line.ts'
import { messageText } from './values.ts'

// Progress is told at each tenth, and when nothing was told for so long.
const quietMs = 5_000

export class PlainReport implements RunReport {
  readonly lookEveryMs = 250
  readonly #io: Io
  readonly #withStack: boolean
  #toldAt = 0
  #toldTenth = -1
  #toldText = ''

  constructor(io: Io, options: { readonly withStack: boolean }) {
    this.#io = io
    this.#withStack = options.withStack
  }

  started({ id, name }: { readonly id: string; readonly name: string }): void {
    this.#toldAt = this.#io.clock.monotonic()
    this.#line(`run ${id} of ${oneLine(name)}`)
  }

  message(message: unknown): void {
    this.#line(messageText(message))
  }

  logged(level: RunLogLevel, text: string): void {
    this.#line(`${level}: ${oneLine(text)}`)
  }

  notice(text: string): void {
    this.#line(text)
  }

  looked(run: RunStatus): void {
    const at = this.#io.clock.monotonic()
    const share = shareOf(run.progress)
    const tenth = share === undefined ? -1 : Math.floor(share * 10 + 1e-9)
    const text = share === undefined ? waitingWords(run, this.#io.clock.now()) : progressWords(run, share)
    const isDue = tenth > this.#toldTenth || (at - this.#toldAt >= quietMs && text !== this.#toldText)
    if (!isDue || text === '') return
    this.#toldAt = at
    this.#toldTenth = tenth
    this.#toldText = text
    this.#line(text)
  }

  succeeded(run: RunStatus): void {
    this.#line(`succeeded in ${this.#took(run)}`)
  }

  failed(error: unknown, run: RunStatus, steps: readonly StepStatus[]): void {
    this.#line(`${run.state} after ${this.#took(run)}`)
    const look = { paint: plain, withStack: this.#withStack, folder: this.#io.folder, steps }
    for (const line of failureLines(error, look)) this.#line(line)
    this.#line(`see it with: troupe show ${run.id}`)
  }

  close(): void {}

  #line(text: string): void {
    this.#io.stderr.write(`${text}\n`)
  }

  #took(run: RunStatus): string {
    return formatMs(Math.max(0, (run.finishedAt ?? this.#io.clock.now()) - run.createdAt))
  }
}

function progressWords({ progress }: RunStatus, share: number): string {
  return progress === undefined ? '' : `progress ${percent(share)} (${progress.done} of ${progress.total})`
}

function waitingWords(run: RunStatus, now: number): string {
  return run.state === 'running' && run.reason === undefined ? '' : stateWords(run, now)
}
