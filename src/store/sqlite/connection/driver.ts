// The SQLite library in use: Node's own where it has one, the package that stands in for it on Node 20.
import type { SqlValue } from '../../sql/database/database.ts'
import { sqliteMissing } from './errors.ts'

export interface SqlStatement {
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  get(...values: SqlValue[]): unknown
  all(...values: SqlValue[]): unknown[]
  iterate(...values: SqlValue[]): Iterable<unknown>
}

/** What the store needs of a SQLite library. */
export interface SqlDriver {
  exec(sql: string): void
  prepare(sql: string): SqlStatement
  close(): void
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqlDriver
}

/** Opens a database file, or a database in memory for the path `:memory:`. */
export async function openDriver(path: string): Promise<SqlDriver> {
  const { DatabaseSync } = await loadSqlite()
  return new DatabaseSync(path)
}

async function loadSqlite(): Promise<SqliteModule> {
  const builtin = process.getBuiltinModule('node:sqlite') as SqliteModule | undefined
  if (builtin !== undefined) return builtin
  try {
    return (await import('@photostructure/sqlite')) as unknown as SqliteModule
  } catch (cause) {
    throw sqliteMissing(process.version, cause)
  }
}
