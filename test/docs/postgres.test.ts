// Runs every ```sql block of the page on Postgres: what is shown is what the database does.
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { Troupe, worker } from '../../src/index.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'

const blocks = [...readFileSync('docs/postgres.md', 'utf8').matchAll(/^```sql\n(.*?)^```$/gms)].map(
  ([, sql = '']) => sql,
)

async function connect(store: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: store })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

it.each(postgresVersions)('shows what SQL does on Postgres %s', async (version) => {
  const store = await freshDatabase(version)
  const ship = worker('ship', {}, ({ attempt }, { id }: { id: number }) => {
    if (id === 9) throw new RangeError(`no parcel for ${id} in attempt ${attempt}`)
  })
  const troupe = await Troupe.open({ store, definitions: [ship], logLevel: 'silent', global: false })
  onTestFinished(() => troupe.stop())
  await troupe.start()
  const client = await connect(store)
  const role = `shop_${Date.now()}`
  await client.query(`create table orders (id integer primary key); create role ${role}`)
  const [starting = '', granting = '', looking = ''] = blocks
  expect(blocks).toHaveLength(3)
  await client.query(starting)
  await client.query(granting.replaceAll(' shop;', ` ${role};`))
  await client.query('insert into orders values (8), (9)')
  await client.query(`drop owned by ${role}; drop role ${role}`)
  const states = async () => (await troupe.runs()).map(({ state }) => state).toSorted()
  await expect.poll(states, { timeout: 10_000 }).toEqual(['failed', 'scheduled', 'succeeded'])
  const [runs, dead] = (await client.query(looking)) as unknown as readonly pg.QueryResult<Record<string, unknown>>[]
  expect(runs?.rows.map(({ state, of_order }) => [of_order, state])).toEqual(
    expect.arrayContaining([
      ['7', 'scheduled'],
      ['8', 'succeeded'],
      ['9', 'failed'],
    ]),
  )
  const example = 'no parcel for 9 in attempt 1'
  expect(dead?.rows).toEqual([{ name: 'ship', code: null, count: '1', latest: expect.any(Date), example }])
})

it('tells all columns of the views, which SQLite has too', async () => {
  const store = await freshDatabase()
  const troupe = await Troupe.open({ store, logLevel: 'silent', global: false })
  onTestFinished(() => troupe.stop())
  const client = await connect(store)
  const page = readFileSync('docs/postgres.md', 'utf8')
  for (const view of ['runs', 'steps', 'dead']) {
    const { fields } = await client.query(`select * from troupe.${view} limit 0`)
    const columns = fields.map(({ name }) => name)
    const row = page.split('\n').find((line) => line.startsWith(`| \`${view}\` |`)) ?? ''
    const told = [...(row.split('|')[3]?.matchAll(/`(\w+)`/g) ?? [])].map(([, name]) => name)
    expect(told).toEqual(columns)
    expect(await columnsOnSqlite(view)).toEqual(columns)
  }
})

async function columnsOnSqlite(view: string): Promise<unknown[]> {
  const db = await openDriver(':memory:')
  onTestFinished(() => db.close())
  db.exec(readFileSync('src/store/sqlite/schema.sql', 'utf8'))
  return db
    .prepare(`select name from pragma_table_info('${view}')`)
    .all()
    .map((row) => (row as { name: string }).name)
}
