// The intake: starts that others left in the store, in transactions of their own or from SQL, and that become runs once a process takes them in.
import type { StartRecord } from './start.ts'

export interface IntakeStore {
  /** What was left, in its order. */
  list(page: IntakePage): Promise<readonly LeftStart[]>
  /** Makes runs of what is still there, in its order, as one transaction; gives the ids of these runs. */
  takeIn(taken: readonly TakenStart[]): Promise<readonly string[]>
}

export interface IntakePage {
  /** The place behind which it goes on. */
  readonly after: number
  readonly limit: number
  /** Starts by these names are left out. */
  readonly without: readonly string[]
}

export interface LeftStart {
  /** Rises with each start that is left. */
  readonly place: number
  /** What has yet to be made a start; undefined where the program that left it did that. */
  readonly plain: PlainStart | undefined
}

/** A start from SQL. */
export interface PlainStart {
  /** Of the run it becomes. */
  readonly id: string
  readonly name: string
  /** JSON; null for none. */
  readonly input: string | null
  /** The options of its call, as JSON. */
  readonly options: string
}

export interface TakenStart {
  readonly place: number
  /** Of one that was plain. */
  readonly made: MadeStart | undefined
}

export interface MadeStart {
  readonly queue: string
  /** Has neither id nor queue of its own. */
  readonly record: StartRecord
  /** Why it fails as soon as it is there: an error record as JSON. */
  readonly failure: string | undefined
}
