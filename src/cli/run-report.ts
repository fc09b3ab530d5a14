// What is told of a run while it goes on; three ways to tell it stand beside this file.
import type { RunStatus, StepStatus } from '../engine/verbs/run-status.ts'
import type { RunLogLevel } from '../engine/activation/speech.ts'

/** Tells everything but the result, on standard error. */
export interface RunReport {
  started(run: { readonly id: string; readonly name: string }): void
  /** Something the run sent. */
  message(message: unknown): void
  logged(level: RunLogLevel, text: string): void
  /** Something about this command, not about the run. */
  notice(text: string): void
  /** How the run is doing now; called as often as `lookEveryMs` says. */
  looked(run: RunStatus): void
  succeeded(run: RunStatus): void
  failed(error: unknown, run: RunStatus, steps: readonly StepStatus[]): void
  /** Takes away what would be in the way of further output. Harmless to repeat. */
  close(): void
  readonly lookEveryMs: number
}
