// A run as it is told to a program: one JSON object a line on standard error.
import type { RunStatus, StepStatus } from '../engine/verbs/run-status.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'
import { toErrorRecord } from '../lib/error-record.ts'
import { failedStep } from './error-text.ts'
import type { Io } from './io.ts'
import type { RunReport } from './run-report.ts'
import { toJson } from './values.ts'

export class JsonReport implements RunReport {
  readonly lookEveryMs = 250
  readonly #io: Io
  #told = ''

  constructor(io: Io) {
    this.#io = io
  }

  started({ id, name }: { readonly id: string; readonly name: string }): void {
    this.#line({ run: { id, name } })
  }

  message(message: unknown): void {
    this.#line({ message: message ?? null })
  }

  logged(level: RunLogLevel, text: string): void {
    this.#line({ log: { level, text } })
  }

  notice(text: string): void {
    this.#line({ notice: text })
  }

  looked({ state, progress }: RunStatus): void {
    const text = toJson({ state, progress })
    if (text === this.#told) return
    this.#told = text
    this.#io.stderr.write(`${text}\n`)
  }

  succeeded({ id, state }: RunStatus): void {
    this.#line({ finished: { id, state } })
  }

  failed(error: unknown, { id, state }: RunStatus, steps: readonly StepStatus[]): void {
    this.#line({ finished: { id, state }, error: toErrorRecord(error), step: failedStep(error, steps) })
  }

  close(): void {}

  #line(fact: Record<string, unknown>): void {
    this.#io.stderr.write(`${toJson(fact)}\n`)
  }
}
