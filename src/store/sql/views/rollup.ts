// How runs ended: counted for each definition, once a transaction for each way to end, whoever ended them.
import type { ErrorCode } from '../../../lib/errors.ts'
import type { RunOutcome } from '../../../model/run.ts'
import type { EndedRuns } from '../../views.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

const timedOut: ErrorCode = 'timed_out'

// By primary key. Of two processes the one whose clock is ahead ended the last run.
const addEnded = `
insert into rollup (definition, outcome, is_timeout, slot, runs, total_ms, last_at, last_ms)
values (?, ?, ?, ?, ?, ?, ?, ?)
on conflict (definition, outcome, is_timeout, slot) do update set
  runs = rollup.runs + excluded.runs,
  total_ms = rollup.total_ms + excluded.total_ms,
  last_ms = case when excluded.last_at < rollup.last_at then rollup.last_ms else excluded.last_ms end,
  last_at = case when excluded.last_at < rollup.last_at then rollup.last_at else excluded.last_at end`

// Of every version of a name, by its unique key and then by primary key prefix.
const findEnded = `
select outcome, is_timeout as isTimeout, runs, total_ms as totalMs, last_at as lastAt, last_ms as lastMs
from definition cross join rollup on rollup.definition = definition.id
where definition.name = ?
order by outcome, is_timeout, last_at desc`

/** The statements of this file whose plans are tested. */
export const hotRollupStatements = { addEnded, findEnded }

/** One run that ended. */
export interface EndedOnce {
  readonly definition: number
  readonly outcome: RunOutcome
  readonly code: string | null
  /** From its first start; 0 when it never started. */
  readonly elapsedMs: number
}

interface Sum {
  readonly definition: number
  readonly outcome: RunOutcome
  readonly isTimeout: boolean
  runs: number
  totalMs: number
  lastMs: number
}

/** The runs that end in one transaction. */
export class Rollup {
  readonly #sums: Sum[] = []

  add({ definition, outcome, code, elapsedMs }: EndedOnce): void {
    const sum = this.#sumOf(definition, outcome, code === timedOut)
    sum.runs++
    sum.totalMs += elapsedMs
    sum.lastMs = elapsedMs
  }

  *write(db: Database, now: number): Query<void> {
    for (const { definition, outcome, isTimeout, runs, totalMs, lastMs } of this.#sums) {
      yield* db.run(addEnded, definition, outcome, isTimeout ? 1 : 0, now % db.spread, runs, totalMs, now, lastMs)
    }
  }

  /** There are few: those of the definitions that a batch is about. */
  #sumOf(definition: number, outcome: RunOutcome, isTimeout: boolean): Sum {
    const known = this.#sums.find(
      (sum) => sum.definition === definition && sum.outcome === outcome && sum.isTimeout === isTimeout,
    )
    if (known !== undefined) return known
    const sum = { definition, outcome, isTimeout, runs: 0, totalMs: 0, lastMs: 0 }
    this.#sums.push(sum)
    return sum
  }
}

/** Counts a run no more that is tried again: it has not ended. */
export function uncount(db: Database, { definition, outcome, code, elapsedMs }: EndedOnce): Query<unknown> {
  return db.run(addEnded, definition, outcome, code === timedOut ? 1 : 0, 0, -1, -elapsedMs, 0, 0)
}

/** Counts what ended under a name, all its versions together. */
export function* countEnded(db: Database, name: string): Query<EndedRuns[]> {
  const rows = yield* db.all<Omit<EndedRuns, 'isTimeout'> & { isTimeout: number }>(findEnded, name)
  const counts: EndedRuns[] = []
  for (const row of rows) {
    const isTimeout = row.isTimeout === 1
    const same = counts.at(-1)
    if (same?.outcome !== row.outcome || same.isTimeout !== isTimeout) {
      counts.push({ ...row, isTimeout })
      continue
    }
    // The latest of the versions, and of their rows, comes first and tells of the last run.
    counts[counts.length - 1] = { ...same, runs: same.runs + row.runs, totalMs: same.totalMs + row.totalMs }
  }
  return counts
}
