// How the parts of the store get at its file, and what a transaction on runs is made with.
import { Admission } from '../limiters/admission.ts'
import type { Query } from '../../query.ts'
import type { Database } from './database.ts'
import { mostAtOnce } from '../runs/endings.ts'
import { Outbox } from '../events/events.ts'
import { PausedQueues } from '../views/queues.ts'
import { Rollup } from '../views/rollup.ts'
import { Fence, type Ends, type Write } from '../runs/runs.ts'

/** How the store gets at its file. */
export interface Access {
  readonly db: Database
  now(): number
  read<T>(work: () => Query<T>): Promise<T>
  write<T>(work: () => Query<T>): Promise<T>
  /** Writes what ends runs, and counts them. */
  end<T>(work: (ends: Ends) => Query<T>): Promise<T>
}

/** Who is no node: it holds no runs and is never rescued. */
export const noNode = 0

export function endsIn(db: Database, now: number): Ends {
  return {
    db,
    now,
    rollup: new Rollup(),
    admission: new Admission(db, now),
    news: { woken: 0, told: new Set(), room: mostAtOnce, isAsked: false, isMoreToEnd: false },
    outbox: new Outbox(db, now),
  }
}

/** What ends runs, and then counts them. */
export function* countedIn<T>(ends: Ends, work: (ends: Ends) => Query<T>): Query<T> {
  const result = yield* work(ends)
  yield* ends.rollup.write(ends.db, ends.now)
  return result
}

type Writer = Pick<Write, 'nodeId' | 'epoch'> & Partial<Pick<Write, 'fence' | 'paused'>>

/** The same for somebody who writes as `nodeId`, or is no node, and claims under `epoch`; with what was looked up before. */
export function writeIn(ends: Ends, { nodeId, epoch, ...known }: Writer): Write {
  const { fence = new Fence(ends.db, nodeId), paused = new PausedQueues(ends.db) } = known
  return { ...ends, nodeId, epoch, fence, paused }
}
