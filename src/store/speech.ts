// What runs say, and what an attempt keeps for the next.
import type { Held } from './store.ts'

/** One message to whoever watches the run. */
export interface EmitRecord {
  readonly held: Held
  readonly n: number
  readonly value: string
}

/** The messages of this claim up to `through` are forgotten. */
export interface DropRecord {
  readonly held: Held
  readonly through: number
}

export interface LogRecord {
  readonly held: Held
  readonly n: number
  readonly level: string
  readonly text: string
  /** JSON of an object; null without any. */
  readonly fields: string | null
  readonly at: number
}

export interface ProgressRecord {
  readonly held: Held
  readonly done: number
  readonly total: number
}

/** What an attempt keeps for the next one. */
export interface StateRecord {
  readonly held: Held
  readonly key: string
  /** Encoded; null forgets the key. */
  readonly value: string | null
}
