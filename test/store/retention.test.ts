// That nothing of a deleted run stays behind, in whatever table, and that deleting walks keys alone.
import { afterEach, expect, it } from 'vitest'
import { performNow } from '../../src/store/query.ts'
import { Connection } from '../../src/store/sqlite/connection/connection.ts'
import { hotRetentionStatements, tablesOfRuns } from '../../src/store/sql/retention/retention.ts'

// They go with the end of a run, whatever that is, or with that of its children, which are found without it.
const goneAtTheEnd = ['live', 'slot', 'waiter', 'ending']

let db: Connection | undefined

afterEach(() => db?.close())

async function store(): Promise<Connection> {
  db = await Connection.open({ path: ':memory:', synchronous: 'full' })
  return db
}

it('deletes from every table that names runs', async () => {
  const connection = await store()
  const rows = performNow(
    connection.all<{ name: string }>(`
    select sqlite_schema.name from sqlite_schema, pragma_table_info(sqlite_schema.name) as column
    where sqlite_schema.type = 'table' and column.name = 'run_id'`),
  )
  const named = rows.map(({ name }) => name).filter((name) => !goneAtTheEnd.includes(name))
  expect(named.toSorted()).toEqual([...tablesOfRuns].toSorted())
})

it('finds what it deletes by a key, and scans no table', async () => {
  const connection = await store()
  for (const [name, sql] of Object.entries(hotRetentionStatements)) {
    const rows = performNow(connection.all<{ detail: string }>(`explain query plan ${sql}`))
    const plan = rows.map(({ detail }) => detail)
    const scans = plan.filter((line) => line.startsWith('SCAN') && !/^SCAN (json_each|slice|CONSTANT)/.test(line))
    expect([name, scans]).toEqual([name, []])
  }
})
