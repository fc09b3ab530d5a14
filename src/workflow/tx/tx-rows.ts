// The rows that transactions leave in databases of the user's: what they tell, and which are so old that nobody will ask for them.
import { toMs } from '../../lib/duration.ts'
import { earliestId } from '../../lib/ids.ts'

// A row tells of a step that its run does not remember: by then the run has long gone on, or is gone.
const keptMs = toMs('30d')

// Looked for when a process first writes to a database, and then so often.
const eachUses = 1_000

/** As many rows as go at once: more than come meanwhile. */
export const mostDeleted = 2_000

const uses = new WeakMap<object, number>()

export interface OldRows {
  /** Before this id they are of runs that are as old. */
  readonly run: string
  /** Before this time they were written. */
  readonly at: number
}

/** What may be deleted from a database that is written to now; mostly undefined, as that is seldom looked for. */
export function oldRows(db: object, now: number): OldRows | undefined {
  const use = uses.get(db) ?? 0
  uses.set(db, use + 1)
  return use % eachUses === 0 ? { run: earliestId(now - keptMs), at: now - keptMs } : undefined
}
