// Asking runs to end: what is asked, what becomes of it, and what a node is told of it.

export interface CancelRecord {
  readonly id: string
  /** Encoded error for the outcome, should the run not be running. */
  readonly value: string
  readonly reason: string
  /** What it did stays. */
  readonly skipsUndo?: boolean | undefined
}

/** `asked`: its node has yet to obey, or it undoes first what it did. `finished`: its end was decided before. */
export type CancelAnswer = 'cancelled' | 'asked' | 'finished' | 'not_found'

export interface CancelRequested {
  readonly runId: number
  readonly reason: string
  /** It ends without undoing anything. */
  readonly skipsUndo: boolean
  /** It is not asked to end: what this node had under this epoch was taken away. */
  readonly takenEpoch?: number
}
