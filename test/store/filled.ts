// A file whose every table has rows with every kind of value that its columns take.
import { performNow } from '../../src/store/query.ts'
import { Connection } from '../../src/store/sqlite/connection/connection.ts'

interface ColumnRow {
  readonly table: string
  readonly name: string
  readonly type: string
  readonly isNullable: number
}

const findColumns = `
select tables.name as "table", columns.name as name, lower(columns.type) as type, columns."notnull" = 0 and columns.pk = 0 as isNullable
from sqlite_schema as tables join pragma_table_info(tables.name) as columns
where tables.type = 'table' and tables.name not like 'sqlite!_%' escape '!'
order by tables.name, columns.cid`

const texts = ['', 'plain', '"quoted" and \\ and {braces}, commas', 'NULL', 'null', "it's", 'ü 💶 \u2028\n\t', '[1,2]']
const reals = [0, 0.1, -1.5, 1e300, 1 / 3, Number.MAX_SAFE_INTEGER]

/** Makes a store with so many rows in each table, or as many as `counts` says. Gives its tables. */
export async function fillStore(
  path: string,
  rows: number,
  counts: Readonly<Record<string, number>> = {},
): Promise<string[]> {
  const db = await Connection.open({ path, synchronous: 'normal' })
  const columns = performNow(db.all<ColumnRow>(findColumns))
  const tables = [...new Set(columns.map(({ table }) => table))]
  db.write(function* () {
    for (const table of tables) {
      const own = columns.filter((column) => column.table === table)
      const names = own.map(({ name }) => `"${name}"`).join(', ')
      const insert = `insert into "${table}" (${names}) values (${own.map(() => '?').join(', ')})`
      for (let n = 1; n <= (counts[table] ?? rows); n++)
        yield* db.run(insert, ...own.map((column) => valueIn(column, n)))
    }
  })
  db.close()
  return tables
}

/** Another one in each row. */
function valueIn({ name, type, isNullable }: ColumnRow, n: number): string | number | null {
  if (isNullable === 1 && n % 3 === 0) return null
  if (type === 'text') return `${texts[n % texts.length]}${n}`
  if (type === 'real') return (reals[n % reals.length] ?? 0) + n
  // No node of this file is alive.
  if (name === 'lease_until') return n
  return name.endsWith('_at') || name === 'epoch' ? Number.MAX_SAFE_INTEGER - n : n
}
