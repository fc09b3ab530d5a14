// The tables that a store has, as this version makes them: what else a file or a schema holds belongs to others.
import { performNow } from '../query.ts'
import { Connection } from '../sqlite/connection/connection.ts'

export type ColumnType = 'integer' | 'real' | 'text'

export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  /** The columns of its primary key, in its order: all rows are read in this order. */
  readonly key: readonly Column[]
}

export interface Column {
  readonly name: string
  readonly type: ColumnType
}

export type Value = string | number | null

/** The values of its columns, in their order. */
export type Row = readonly Value[]

interface ColumnRow extends Column {
  readonly tableName: string
  /** Which part of the key it is, from 1; 0 for none. */
  readonly keyPart: number
}

const findColumns = `
select tables.name as tableName, columns.name as name, lower(columns.type) as type, columns.pk as keyPart
from sqlite_schema as tables join pragma_table_info(tables.name) as columns
where tables.type = 'table' and tables.name not like 'sqlite!_%' escape '!'
order by tables.name, columns.cid`

export async function tablesOfStores(): Promise<Table[]> {
  const db = await Connection.open({ path: ':memory:', synchronous: 'normal' })
  try {
    const columns = performNow(db.all<ColumnRow>(findColumns))
    const names = new Set(columns.map(({ tableName }) => tableName))
    return [...names].map((name) =>
      tableOf(
        name,
        columns.filter(({ tableName }) => tableName === name),
      ),
    )
  } finally {
    db.close()
  }
}

function tableOf(name: string, rows: readonly ColumnRow[]): Table {
  const key = rows.filter(({ keyPart }) => keyPart > 0).toSorted((one, other) => one.keyPart - other.keyPart)
  return { name, columns: rows.map(columnOf), key: key.map(columnOf) }
}

function columnOf({ name, type }: ColumnRow): Column {
  return { name, type }
}

/** The key of a row. */
export function keyOf(table: Table, row: Row): Row {
  return table.key.map(({ name }) => row[table.columns.findIndex((column) => column.name === name)] ?? null)
}

/** Their names, as a statement has them: some are words of SQL. */
export function listOf(columns: readonly Column[]): string {
  return columns.map(({ name }) => `"${name}"`).join(', ')
}
