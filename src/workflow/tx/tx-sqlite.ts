// ctx.tx on a SQLite file of the user's own: a row of a small table of ours is a part of the transaction.
import { leaseLost, optionInvalid } from '../../model/errors.ts'
import { isThenable } from '../../lib/thenable.ts'
import { mostDeleted, oldRows } from './tx-rows.ts'
import type { TxWork } from './tx.ts'

/** A DatabaseSync of node:sqlite, or a Database of better-sqlite3. */
export interface SqliteHandle {
  exec(sql: string): unknown
  prepare(sql: string): { get(...values: unknown[]): unknown; run(...values: unknown[]): unknown }
}

const createTable = `
create table if not exists troupe_step (
  run text not null, path text not null, generation integer not null, value text not null, at integer not null,
  primary key (run, path)
)`

const selectRow = `select generation, value from troupe_step where run = ? and path = ?`

const putRow = `
insert into troupe_step (run, path, generation, value, at) values (?, ?, ?, ?, ?)
on conflict (run, path) do update set generation = excluded.generation, value = excluded.value, at = excluded.at`

// Ids of runs are in the order of time, so by the primary key: no more than old runs are looked at.
const deleteOld = `
delete from troupe_step where rowid in (select rowid from troupe_step where run < ? and at < ? limit ${mostDeleted})`

interface Row {
  readonly generation: number
  readonly value: string
}

export async function sqliteTx(db: SqliteHandle, work: TxWork): Promise<string> {
  const { run, path, generation, at } = work.row
  db.exec(createTable)
  for (;;) {
    const earlier = findRow(db, run, path)
    if (earlier !== undefined && earlier.generation < generation && !(await work.isPast(earlier.generation)))
      return earlier.value
    work.checkGoingOn()
    db.exec('begin immediate')
    try {
      const done = findRow(db, run, path)
      if (done?.generation === generation) {
        rollBack(db)
        return done.value
      }
      if ((done?.generation ?? 0) > generation) throw leaseLost(run)
      // Race: an earlier generation committed before this one had the lock, and says more now.
      if (done?.generation !== earlier?.generation) {
        rollBack(db)
        continue
      }
      const text = work.perform(db)
      refusePromise(`ctx.tx('${path}')`, text)
      db.prepare(putRow).run(run, path, generation, text, at)
      const old = oldRows(db, at)
      if (old !== undefined) db.prepare(deleteOld).run(old.run, old.at)
      db.exec('commit')
      return text as string
    } catch (error) {
      rollBack(db)
      throw error
    }
  }
}

function findRow(db: SqliteHandle, run: string, path: string): Row | undefined {
  return (db.prepare(selectRow).get(run, path) ?? undefined) as Row | undefined
}

export function refusePromise(what: string, value: unknown): void {
  if (!isThenable(value)) return
  // It goes on outside of the transaction; what it comes to is nobody's.
  Promise.resolve(value).catch(() => undefined)
  throw optionInvalid(
    `The function of ${what}`,
    'one that returns a promise',
    'one that is done when it returns, as SQLite has one transaction at a time',
  )
}

export function rollBack(db: SqliteHandle): void {
  try {
    db.exec('rollback')
  } catch {
    // SQLite has rolled back by itself.
  }
}
