// What the attempts of a run keep for the next one.
import type { StateRecord } from '../../speech.ts'
import type { RememberedState } from '../../store.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import type { Write } from '../runs/runs.ts'

// By primary key.
const upsertState = `
insert into state (run_id, key, value) values (?, ?, ?)
on conflict (run_id, key) do update set value = excluded.value`

const deleteState = `delete from state where run_id = ? and key = ?`

// By primary key: a claim reads the states of those alone that say so.
const markState = `update live set has_state = 1 where run_id = ? and has_state = 0`

// By primary key prefix.
const findStates = `select key, value from state where run_id = ? order by key`

const dropStatesOf = `delete from state where run_id in (select value from json_each(?))`

/** The statements of this file whose plans are tested. */
export const hotStateStatements = { upsertState, deleteState, markState, findStates, dropStatesOf }

export function* recordStates(write: Write, states: readonly StateRecord[]): Query<void> {
  const marked = new Set<number>()
  for (const { held, key, value } of yield* write.fence.letIn(states)) {
    if (value === null) yield* write.db.run(deleteState, held.runId, key)
    else yield* write.db.run(upsertState, held.runId, key, value)
    marked.add(held.runId)
  }
  for (const runId of marked) yield* write.db.run(markState, runId)
}

export function dropState(db: Database, runId: number, key: string): Query<unknown> {
  return db.run(deleteState, runId, key)
}

export function statesOf(db: Database, runId: number): Query<RememberedState[]> {
  return db.all<RememberedState>(findStates, runId)
}

export function* deleteStates(db: Database, runIds: readonly number[]): Query<void> {
  if (runIds.length > 0) yield* db.run(dropStatesOf, JSON.stringify(runIds))
}
