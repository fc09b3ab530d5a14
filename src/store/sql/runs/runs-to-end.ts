// What is looked up of runs that end.
import type { Batch, Held } from '../../store.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { packed } from '../database/packed.ts'

export interface EndingLive extends Held {
  readonly hasChildren: number
  readonly definition: number
  readonly attempt: number
  readonly startedAt: number | null
  readonly hasState: number
  readonly isFollowed: number
  readonly hasSlots: number
  /** Null for one that no schedule started. */
  readonly schedule: number | null
  /** 1 when something it did can be undone, 2 when it undoes that. */
  readonly undo: number
}

const ending: Readonly<Record<keyof EndingLive, string>> = {
  runId: 'run_id',
  generation: 'generation',
  epoch: 'epoch',
  definition: 'definition',
  attempt: 'attempt',
  startedAt: 'started_at',
  hasState: 'has_state',
  hasSlots: 'has_slots',
  isFollowed: 'is_followed',
  hasChildren: 'has_children',
  schedule: 'schedule',
  undo: 'undo',
}

const ofGiven = `from live where run_id in (select value from json_each(?))`

// The runs that end now; by primary key. Whoever ends them has looked at their state in the same transaction.
const findEnding = packed(ending, ofGiven)

// Invariant: I5. The fence for many runs at once, but for the epoch, which is compared with that of each claim.
const findHeldEnding = packed(ending, `${ofGiven} and node = ? and state = 'running'`)

/** The statements of this file whose plans are tested. */
export const hotRunsToEndStatements = { findEnding: findEnding.sql, findHeldEnding: findHeldEnding.sql }

// What is written ahead of the ends of a batch and changes what is looked up of them.
const changing = ['upgrades', 'children', 'states', 'begins'] as const satisfies readonly (keyof Batch)[]

/** Whether the runs that end with a batch can be looked up before anything of it is written. */
export function isEndingKnown(batch: Batch): boolean {
  return changing.every((list) => batch[list].length === 0)
}

/** The runs that a node is to end with a batch, as they are now: those that it holds. */
export function* lookUpEnding(db: Database, { settles, nodeId }: Batch): Query<readonly EndingLive[]> {
  return settles.length === 0 ? [] : yield* db.allPacked(findHeldEnding, idsOf(settles.map(({ held }) => held)), nodeId)
}

/** The same of runs that somebody else ends. */
export function lookUpGiven(db: Database, runs: readonly { readonly runId: number }[]): Query<EndingLive[]> {
  return db.allPacked(findEnding, idsOf(runs))
}

export function idsOf(runs: readonly { readonly runId: number }[]): string {
  return JSON.stringify(runs.map(({ runId }) => runId))
}
