// Questions to runs: kept until the run has answered, or until whoever asked waits no longer.
import type { CompletionResult } from './waits.ts'

/** An ask that its run has not begun to answer. */
export interface AskRow {
  readonly seq: number
  readonly name: string
  readonly value: string
  readonly isChecked: boolean
}

/** What became of an ask: its answer; `missing`: the run waits, and has no answer of that name; `gone`: it is not kept any more. */
export type AskEnd = CompletionResult | 'missing' | 'finished' | 'gone'

export interface AskStore {
  /** Those of these names that a run has not begun to answer and somebody waits for, in the order in which they came. */
  listOpen(runId: number, names: readonly string[], limit: number): Promise<AskRow[]>
  /** The ends of those of these asks that have one. */
  listEnds(seqs: readonly number[]): Promise<ReadonlyMap<number, AskEnd>>
  /** Takes an ask back; false when the run has begun to answer it. */
  withdraw(seq: number): Promise<boolean>
}
