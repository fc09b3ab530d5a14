// Reads the tables of a store from outside, in a file or on a Postgres, by the same statements.
import { configOf, loadDriver } from '../../src/store/postgres/client.ts'
import { placeOf } from '../../src/store/postgres/place.ts'
import { Statements } from '../../src/store/postgres/statements.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'

export interface Reader {
  all<Row>(sql: string, ...values: readonly (string | number)[]): Promise<Row[]>
  /** `ok`, or what is wrong with the store as the database sees it. */
  integrity(): Promise<string>
  close(): Promise<void>
}

/** The file of a store, by its URL; undefined when it is on a Postgres. */
export function fileOf(store: string): string | undefined {
  return store.startsWith('sqlite:') ? store.slice('sqlite:'.length) : undefined
}

/** Of the URL of a store. */
export function openReader(store: string): Promise<Reader> {
  const file = fileOf(store)
  return file === undefined ? readerOfPostgres(store) : readerOfFile(file)
}

async function readerOfFile(path: string): Promise<Reader> {
  const db = await openDriver(path)
  const all = async <Row>(sql: string, ...values: readonly (string | number)[]): Promise<Row[]> =>
    db.prepare(sql).all(...values) as Row[]
  return {
    all,
    integrity: async () => {
      const rows = await all<{ integrity_check: string }>('pragma integrity_check')
      return rows.map((row) => row.integrity_check).join('; ')
    },
    close: async () => db.close(),
  }
}

const findTables = `
select table_name as name from information_schema.columns join information_schema.tables using (table_schema, table_name)
where table_schema = current_schema() and column_name = 'run_id' and table_type = 'BASE TABLE'`

// Rows without the run that they belong to: nothing else of a store on Postgres could be torn.
const orphansOf = (table: string): string => `
select count(*) as rows from ${table} as one where run_id is not null and not exists (select 1 from run where run.id = one.run_id)`

async function readerOfPostgres(url: string): Promise<Reader> {
  const place = placeOf(url)
  const { Client } = await loadDriver()
  const client = new Client({ ...configOf(place, 1), pipeline: !place.isPooled })
  client.on('error', () => {})
  await client.connect()
  const statements = new Statements(place)
  const all = async <Row>(sql: string, ...values: readonly (string | number)[]): Promise<Row[]> => {
    const { text, values: bound } = statements.of({ sql, values })
    const { rows } = await client.query({ text, values: [...bound] })
    return rows as Row[]
  }
  return {
    all,
    integrity: async () => {
      const torn: string[] = []
      for (const { name } of await all<{ name: string }>(findTables)) {
        const [found] = await all<{ rows: number }>(orphansOf(name))
        if (found?.rows !== 0) torn.push(`${found?.rows} rows of ${name} have no run`)
      }
      return torn.length === 0 ? 'ok' : torn.join('; ')
    },
    close: () => client.end(),
  }
}
