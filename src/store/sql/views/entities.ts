// The entities that are there, by their keys.
import type { EntityPage, EntityView } from '../../views.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

// By primary key prefix and by ask_open, for each that is listed; without asks that nobody waits for any more.
const unhandled = `(
  select 1 from message where message.run_id = keyed.run_id and refused is null
  union all
  select 1 from ask indexed by ask_open where ask.run_id = keyed.run_id and is_taken = 0 and until_at > ?1)`

// What has ended as it kept nothing is not there.
const entitiesWhere = (which: string, order: string): string => `
select runs.name, keyed.key, runs.id as runId, runs.state, runs.node, runs.due_at as dueAt,
  (select coalesce(cast(sum(octet_length(state.value)) as integer), 0) from state where state.run_id = keyed.run_id) as stateBytes,
  (select count(*) from ${unhandled} as mail) as waiting
from keyed cross join runs on runs.run_id = keyed.run_id
where keyed.scope = 'entity' and ${which} and runs.state <> 'succeeded'
order by ${order}
limit ?2`

// Walks the primary key.
const findAll = entitiesWhere('cast(?3 as text) is null', 'keyed.definition, keyed.key')

// The first definition of a name has its keys; by primary key prefix.
const ofName = `keyed.definition = (select min(id) from definition where name = ?3)`

const findOfName = entitiesWhere(`${ofName} and keyed.key > ?4`, 'keyed.key')

const findOne = entitiesWhere(`${ofName} and keyed.key = ?4`, 'keyed.key')

/** The statements of this file whose plans are tested. */
export const hotEntityViewStatements = { findAllEntities: findAll, findEntitiesOf: findOfName, findEntity: findOne }

export function listEntities(db: Database, { name, key, after, limit }: EntityPage, now: number): Query<EntityView[]> {
  if (name === undefined) return db.all<EntityView>(findAll, now, limit, null)
  if (key !== undefined) return db.all<EntityView>(findOne, now, limit, name, key)
  return db.all<EntityView>(findOfName, now, limit, name, after ?? '')
}
