// The SQLite library in use: Node's own where it has one, the package that stands in for it on Node 20.
import { sqliteMissing } from './errors.js'
/** Opens a database file, or a database in memory for the path `:memory:`. */
export async function openDriver(path) {
  const { DatabaseSync } = await loadSqlite()
  return new DatabaseSync(path)
}
async function loadSqlite() {
  const builtin = process.getBuiltinModule('node:sqlite')
  if (builtin !== undefined) return builtin
  try {
    return await import('@photostructure/sqlite')
  } catch (cause) {
    throw sqliteMissing(process.version, cause)
  }
}
