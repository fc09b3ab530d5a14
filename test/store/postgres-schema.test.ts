// Both databases have the same tables: what a file holds can be moved to a server as it is.
import pg from 'pg'
import { beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { performNow } from '../../src/store/query.ts'
import { Connection } from '../../src/store/sqlite/connection/connection.ts'
import { openDatabase } from '../postgres.ts'

/** What of it both have to say the same: a list of texts for each table. */
type Described = Readonly<Record<string, readonly string[]>>

interface Schema {
  readonly columns: Described
  readonly keys: Described
  readonly indexes: readonly string[]
}

// What a server has beside what is kept: its steps, the proofs of its commits, and what transactions of programs leave.
const ownTables = `'migration', 'writer', 'intake'`

let onFile: Schema
let onServer: Schema

beforeAll(async () => {
  onFile = await schemaOfFile()
  onServer = await schemaOfServer()
})

it('has the same tables, with columns of the same types, which may be null and are filled in alike', () => {
  expect(Object.keys(onFile.columns)).toContain('live')
  expect(onFile.columns['live']).toContain('due_at integer null')
  expect(onFile.columns['live']).toContain('has_begun integer not null 1')
  expect(onServer.columns).toEqual(onFile.columns)
})

it('has the same keys, primary and unique', () => {
  expect(onFile.keys['definition']).toEqual(['primary id', 'unique name, version'])
  expect(onServer.keys).toEqual(onFile.keys)
})

it('has the same indexes, on the same part of the rows', () => {
  expect(onFile.indexes).toContain(
    `create index live_ready on live queue, priority desc, run_id where state = 'ready' and limited = 0`,
  )
  expect(onServer.indexes).toEqual(onFile.indexes)
})

interface ColumnRow {
  readonly table: string
  readonly name: string
  readonly type: string
  readonly isNull: boolean
  readonly byDefault: string | null
}

interface KeyRow {
  readonly table: string
  readonly kind: string
  readonly columns: string
}

async function schemaOfFile(): Promise<Schema> {
  const db = await Connection.open({ path: ':memory:', synchronous: 'normal' })
  const all = <T>(sql: string): T[] => performNow(db.all<T>(sql))
  const columns = all<Omit<ColumnRow, 'isNull'> & { isNull: number }>(`
    select tables.name as "table", columns.name as name, lower(columns.type) as type,
      columns."notnull" = 0 and columns.pk = 0 as "isNull", columns.dflt_value as byDefault
    from sqlite_schema as tables join pragma_table_info(tables.name) as columns
    where tables.type = 'table' and tables.name not like 'sqlite!_%' escape '!'`)
  const primary = all<KeyRow>(`
    select "table", 'primary' as kind, group_concat(name, ', ') as columns from (
      select tables.name as "table", columns.name as name
      from sqlite_schema as tables join pragma_table_info(tables.name) as columns
      where tables.type = 'table' and columns.pk > 0 and tables.name not like 'sqlite!_%' escape '!'
      order by tables.name, columns.pk
    ) group by "table"`)
  const unique = all<KeyRow>(`
    select "table", 'unique' as kind, group_concat(name, ', ') as columns from (
      select tables.name as "table", indexes.name as own, columns.name as name
      from sqlite_schema as tables join pragma_index_list(tables.name) as indexes
      join pragma_index_info(indexes.name) as columns
      where tables.type = 'table' and indexes.origin = 'u'
      order by tables.name, indexes.name, columns.seqno
    ) group by "table", own`)
  const indexes = all<{ sql: string }>(`select sql from sqlite_schema where type = 'index' and sql is not null`)
  db.close()
  return {
    columns: describedColumns(columns.map((column) => ({ ...column, isNull: column.isNull === 1 }))),
    keys: describedKeys([...primary, ...unique]),
    indexes: indexes.map(({ sql }) => plain(sql)).toSorted(),
  }
}

async function schemaOfServer(): Promise<Schema> {
  const { url, drop } = await openDatabase()
  await (await openPostgres({ url, clock: systemClock })).close()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const all = async <T>(sql: string): Promise<T[]> => (await client.query(sql)).rows as T[]
  const columns = await all<ColumnRow & { collation: string | null }>(`
    select table_name as "table", column_name as name, data_type as type, is_nullable = 'YES' as "isNull",
      column_default as "byDefault", collation_name as collation
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_schema = 'troupe' and table_type = 'BASE TABLE' and table_name not in (${ownTables})`)
  const keys = await all<KeyRow>(`
    select table_name as "table", case constraint_type when 'UNIQUE' then 'unique' else 'primary' end as kind,
      string_agg(column_name, ', ' order by ordinal_position) as columns
    from information_schema.table_constraints join information_schema.key_column_usage using (table_schema, table_name, constraint_name)
    where table_schema = 'troupe' and table_name not in (${ownTables}) and constraint_type in ('UNIQUE', 'PRIMARY KEY')
    group by table_name, constraint_name, constraint_type`)
  const indexes = await all<{ sql: string }>(`
    select indexdef as sql from pg_indexes where schemaname = 'troupe' and tablename not in (${ownTables})
      and indexname not in (select conname from pg_constraint)`)
  await client.end()
  await drop()
  return {
    columns: describedColumns(columns.map((column) => ({ ...column, type: typeOf(column) }))),
    keys: describedKeys(keys),
    indexes: indexes.map(({ sql }) => plain(sql)).toSorted(),
  }
}

/** Texts are sorted by their bytes, as in SQLite. */
function typeOf({ type, collation }: { readonly type: string; readonly collation: string | null }): string {
  if (type === 'bigint' || type === 'smallint') return 'integer'
  if (type === 'double precision') return 'real'
  return collation === 'C' ? type : `${type} sorted as ${collation}`
}

function describedColumns(columns: readonly ColumnRow[]): Described {
  return described(
    columns.map(({ table, name, type, isNull, byDefault }) => {
      const filled = byDefault === null ? '' : ` ${byDefault.replace('::text', '')}`
      return [table, `${name} ${type} ${isNull ? 'null' : 'not null'}${filled}`]
    }),
  )
}

function describedKeys(keys: readonly KeyRow[]): Described {
  return described(keys.map(({ table, kind, columns }) => [table, `${kind} ${columns}`]))
}

function described(lines: readonly (readonly [table: string, line: string])[]): Described {
  const all: Record<string, string[]> = {}
  for (const [table, line] of lines) (all[table] ??= []).push(line)
  for (const own of Object.values(all)) own.sort()
  return all
}

/** An index without what each database writes in a way of its own. */
function plain(sql: string): string {
  return sql
    .replaceAll(/::text|[()"]|\btroupe\.|\busing btree /gi, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/'[^']*'|[A-Z]+/g, (part) => (part.startsWith("'") ? part : part.toLowerCase()))
    .trim()
}
