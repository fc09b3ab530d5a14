// Reads the tables of a store from outside, in a file or on a Postgres, by the same statements.
import { configOf, loadDriver, Statements } from '../../src/store/postgres/client.ts'
import { placeOf } from '../../src/store/postgres/place.ts'
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

// Rows without the run that they belong to: nothing else of a store on Postgres could be torn.
const findOrphans = `
select count(*) as orphans from live left join run on run.id = live.run_id where run.id is null`

async function readerOfPostgres(url: string): Promise<Reader> {
  const place = placeOf(url)
  const { Client } = await loadDriver()
  const client = new Client(configOf(place, 1))
  client.on('error', () => {})
  await client.connect()
  const statements = new Statements(place)
  const all = async <Row>(sql: string, ...values: readonly (string | number)[]): Promise<Row[]> => {
    const { rows } = await statements.ask(client, { sql, values })
    return rows as Row[]
  }
  return {
    all,
    integrity: async () => {
      const [row] = await all<{ orphans: number }>(findOrphans)
      return row?.orphans === 0 ? 'ok' : `${row?.orphans} rows of live have no run`
    },
    close: () => client.end(),
  }
}
