// A file whose runs go on elsewhere: from then on nobody writes to it, of whatever version, as its own triggers refuse it.
import type { Query } from '../../query.ts'
import type { Database } from '../../sql/database/database.ts'

/** Where the runs of a file go. It may be cut off, and goes on under its id. */
export interface Move {
  readonly id: string
  /** For people: without the password. */
  readonly target: string
}

/** What a file knows of it. */
export interface Seal extends Move {
  /** They are there; until then it can be given up. */
  readonly isDone: boolean
}

interface SealRow extends Move {
  readonly isDone: number
}

const findTable = `select 1 from sqlite_schema where type = 'table' and name = 'moved'`

const findMoved = `select id, target, is_done as isDone from moved`

const createMoved = `create table moved (id text not null, target text not null, is_done integer not null) strict`

const insertMoved = `insert into moved values (?, ?, 0)`

const finishMoved = `update moved set is_done = 1`

const dropMoved = `drop table moved`

const changes = ['insert', 'update', 'delete']

/** The seal of a file; undefined while it has none. */
export function* findSeal(db: Database): Query<Seal | undefined> {
  if (!(yield* db.has(findTable))) return undefined
  const row = yield* db.get<SealRow>(findMoved)
  return row && { ...row, isDone: row.isDone === 1 }
}

/** Lets nobody write to these tables any more. What does not know of moves, as versions before this one, is told by the trigger. */
export function* seal(db: Database, { id, target }: Move, tables: readonly string[]): Query<void> {
  yield* db.run(createMoved)
  yield* db.run(insertMoved, id, target)
  const words = `this store is moved to ${target}`.replaceAll("'", "''")
  for (const table of tables)
    for (const change of changes)
      yield* db.run(`
create trigger moved_${change}_${table} before ${change} on "${table}" begin select raise(abort, '${words}'); end`)
}

/** For good. */
export function finishSeal(db: Database): Query<void> {
  return db.run(finishMoved)
}

/** As if it had not been sealed. */
export function* unseal(db: Database, tables: readonly string[]): Query<void> {
  for (const table of tables) for (const change of changes) yield* db.run(`drop trigger moved_${change}_${table}`)
  yield* db.run(dropMoved)
}
