// Runs that failed and whose definition has yet to be told of it.
import type { FailureKey, FailureRow, FailureSlice, FailureStore } from '../../failures.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import type { Access } from '../database/transaction.ts'

const insertFailure = `insert into failure (run_id, generation, definition, node, taken) values (?, ?, ?, null, 0)`

// Walks failure_untold.
const untold = `select run_id, generation from failure where node is null and definition in (select value from json_each(?))`

const findUntold = `${untold} limit 1`

// By primary keys.
// Race: a node that was declared dead takes none, since nobody would look for what it took.
const takeUntold = `
update failure set node = ?, taken = taken + 1
where (run_id, generation) in (${untold} limit ?) and exists (select 1 from node where id = ?)
returning run_id as runId, generation, definition as definitionId, taken`

// By primary keys.
const findFailed = `
select run.public_id as id, run.input, finished.value, finished.attempt
from run cross join finished on finished.run_id = run.id and finished.generation = ?
where run.id = ?`

const dropFailure = `delete from failure where run_id = ? and generation = ?`

// Scans of a table that is nearly always empty, at the end of a node.
const freeAll = `update failure set node = null where node = ?`

const giveBackAll = `update failure set node = null, taken = taken - 1 where node = ?`

/** The statements of this file whose plans are tested. */
export const hotFailureStatements = { findUntold, takeUntold, findFailed, dropFailure }

export interface Untold extends FailureKey {
  readonly definition: number
}

/** For a transaction in which a run fails. */
export function keepFailure(db: Database, { runId, generation, definition }: Untold): Query<unknown> {
  return db.run(insertFailure, runId, generation, definition)
}

/** What a dead node had taken is told by another. */
export function freeFailures(db: Database, nodeId: number): Query<unknown> {
  return db.run(freeAll, nodeId)
}

/** The same for a node that leaves in good order, which is not counted. */
export function giveBackFailures(db: Database, nodeId: number): Query<unknown> {
  return db.run(giveBackAll, nodeId)
}

export class SqlFailureStore implements FailureStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async take({ nodeId, definitionIds, limit }: FailureSlice): Promise<FailureRow[]> {
    const { db, read, write } = this.#access
    const definitions = JSON.stringify(definitionIds)
    if ((await read(() => db.get(findUntold, definitions))) === undefined) return []
    return write(function* () {
      const failures: FailureRow[] = []
      for (const row of yield* db.all<Taken>(takeUntold, nodeId, definitions, limit, nodeId)) {
        const body = yield* db.get<Body>(findFailed, row.generation, row.runId)
        if (body !== undefined) failures.push({ ...row, ...body })
      }
      return failures
    })
  }

  drop(failures: readonly FailureKey[]): Promise<void> {
    const { db, write } = this.#access
    return write(function* () {
      for (const { runId, generation } of failures) yield* db.run(dropFailure, runId, generation)
    })
  }
}

type Taken = Pick<FailureRow, 'runId' | 'generation' | 'definitionId' | 'taken'>

type Body = Omit<FailureRow, keyof Taken>
