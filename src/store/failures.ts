// Runs that failed and whose definition wants to be told of it: kept until that was done, by whoever has its code.
import type { Held } from './store.ts'

/** A run that failed, by its number, and in which of its lives. */
export type FailureKey = Pick<Held, 'runId' | 'generation'>

export interface FailureRow extends FailureKey {
  /** The id users see. */
  readonly id: string
  readonly definitionId: number
  /** Encoded. */
  readonly input: string
  /** An error record as JSON. */
  readonly value: string
  readonly attempt: number
  /** How often a node began to tell it, this one included, but for those that left in good order. */
  readonly taken: number
}

export interface FailureSlice {
  readonly nodeId: number
  /** Only of these definitions. */
  readonly definitionIds: readonly number[]
  readonly limit: number
}

export interface FailureStore {
  /** Those that nobody tells yet: they are the node's until it drops them or is gone. Nothing for a node that was declared dead. */
  take(slice: FailureSlice): Promise<FailureRow[]>
  /** Forgets them: their definitions were told. */
  drop(failures: readonly FailureKey[]): Promise<void>
}
