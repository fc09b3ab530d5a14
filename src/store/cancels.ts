// Asking runs to end: what is asked, what becomes of it, and what a node is told of it and of what was taken away from it.

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
}

/** A run that a person took away from the node that had it under this epoch, as a step of it was resolved. */
export interface TakenRun {
  readonly runId: number
  readonly epoch: number
}

/** What a node is told with each commit. */
export interface AskedOfNode {
  /** Cancels asked for, of runs it holds; told until they are obeyed. */
  readonly cancelRequests: readonly CancelRequested[]
  /** Told once. */
  readonly taken: readonly TakenRun[]
}
