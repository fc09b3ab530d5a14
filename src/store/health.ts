// What a database says of itself: findings, each with what to do.

/** Something that was looked at. */
export interface Finding {
  /** What was looked at, in one word: the same on every store and in every version. */
  readonly code: FindingCode
  /** `warning`: it gets slow, or may. `error`: it does not work, or will not for long. */
  readonly severity: 'ok' | 'warning' | 'error'
  /** In a sentence. */
  readonly text: string
  /** What to do; undefined where all is well. */
  readonly remedy?: string | undefined
  /** The numbers and names of the sentence, for programs. */
  readonly details: Readonly<Record<string, string | number | null>>
}

export type FindingCode =
  | 'answer'
  | 'autovacuum'
  | 'clock'
  | 'commits'
  | 'connections'
  | 'dead_rows'
  | 'durability'
  | 'file'
  | 'free_pages'
  | 'hints'
  | 'intake'
  | 'integrity'
  | 'journal'
  | 'moved'
  | 'prepared_transaction'
  | 'primary'
  | 'transaction'
  | 'version'
  | 'visibility'
  | 'wal'

export interface FindingOptions {
  /** Also what takes as long as all of the file is read, and holds up this process meanwhile. */
  readonly isThorough?: boolean
}

export interface HealthStore {
  /** Looks how the database is. Changes nothing. */
  listFindings(options?: FindingOptions): Promise<Finding[]>
}
