// What people did to runs, queues and the rest, and who they said they are.
import type { AuditPage, AuditRecord, AuditView } from '../../operating.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

const insertAudit = `insert into audit (at, actor, action, target, details) values (?, ?, ?, ?, ?)`

// The newest first; walks the primary key backwards.
const findAudit = `
select id, at, actor, action, target, details from audit
where cast(?1 as integer) is null or id < ?1
order by id desc
limit ?2`

/** The statements of this file whose plans are tested. */
export const hotAuditStatements = { findAudit }

export function recordAudit(
  db: Database,
  { actor, action, target, details }: AuditRecord,
  now: number,
): Query<unknown> {
  return db.run(insertAudit, now, actor, action, target, details)
}

/** What a person asked for: who did it is kept when it changed something. */
export interface Asked {
  readonly now: number
  readonly audit: AuditRecord | undefined
}

/** Gives back whether something was changed. */
export function* audited(db: Database, hasChanged: boolean, { now, audit }: Asked): Query<boolean> {
  if (hasChanged && audit !== undefined) yield* recordAudit(db, audit, now)
  return hasChanged
}

export function listAudit(db: Database, { before, limit }: AuditPage): Query<AuditView[]> {
  return db.all<AuditView>(findAudit, before, limit)
}
