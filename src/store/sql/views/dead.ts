// What failed for good, in groups of one fingerprint each.
import type { DeadPage, DeadGroup } from '../../views.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

const groups = (where: string): string => `
select fingerprint, count(*) as runs, min(finished_at) as firstAt, max(finished_at) as lastAt
from ${where}
group by fingerprint
order by lastAt desc, fingerprint
limit ?`

// Walks finished_dead, which holds what failed for good and nothing else.
const findGroups = groups('finished where fingerprint is not null')

// Of one fingerprint; by finished_dead.
const findGroup = groups('finished where fingerprint = ?')

// Of the versions of one name: walks finished_dead, then by primary key.
const findGroupsOf = groups(`finished cross join run on run.id = finished.run_id
where fingerprint is not null and (cast(?1 as text) is null or fingerprint = ?1)
  and run.definition in (select id from definition where name = ?2)`)

// The one of a group that failed last; by finished_dead, backwards.
const findNewest = `
select run.public_id as newest
from finished cross join run on run.id = finished.run_id
where finished.fingerprint = ?1
  and (cast(?2 as text) is null or run.definition in (select id from definition where name = ?2))
order by finished.finished_at desc, finished.run_id desc
limit 1`

/** The statements of this file whose plans are tested. */
export const hotDeadStatements = { findGroups, findGroup, findGroupsOf, findNewest }

export function* listDead(db: Database, filter: DeadPage): Query<DeadGroup[]> {
  const name = filter.name ?? null
  const found: DeadGroup[] = []
  for (const group of yield* groupsOf(db, filter)) {
    const row = yield* db.get<{ newest: string }>(findNewest, group.fingerprint, name)
    if (row !== undefined) found.push({ ...group, newest: row.newest })
  }
  return found
}

type Group = Omit<DeadGroup, 'newest'>

function groupsOf(db: Database, { name, fingerprint, limit }: DeadPage): Query<Group[]> {
  if (name !== undefined) return db.all<Group>(findGroupsOf, fingerprint ?? null, name, limit)
  if (fingerprint !== undefined) return db.all<Group>(findGroup, fingerprint, limit)
  return db.all<Group>(findGroups, limit)
}
