// Under which keys values are stored, told by the texts alone, on SQLite and on Postgres.
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { storeFile } from '../engine/stage.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'

const states = ['xaes-gcm(a),deflate:AA', 'xdeflate:AA', 'x(a)', 'j"xaes-gcm(c):AA"', 'Xaes-gcm(c):AA']
const errors = [
  { name: 'Error', coded: 'xdeflate,aes-gcm(a):AA', cause: { coded: 'xaes-gcm(b):AA' } },
  { message: '{"coded":"xaes-gcm(c):AA"}' },
  { coded: 'xdeflate:AA', message: '(c):' },
]
const statements = [
  ...states.map((text, at) => `insert into state (run_id, key, value) values (1, 'k${at}', '${text}')`),
  ...errors.map(
    (error, at) =>
      `insert into attempt (run_id, generation, path, attempt, epoch, error, started_at, finished_at)
      values (1, 1, 'p', ${at}, 1, '${JSON.stringify(error)}', 0, 0)`,
  ),
]
const expected = [
  { codec: 'aes-gcm', key: 'a', values: 2 },
  { codec: 'aes-gcm', key: 'b', values: 1 },
]

async function countIn(store: Store): Promise<unknown> {
  try {
    return await store.operating.countCodecKeys()
  } finally {
    await store.close()
  }
}

it('all keys are counted of a text that names more than one, on SQLite', async () => {
  const path = storeFile().slice('sqlite:'.length)
  const store = await openSqlite({ path, synchronous: 'normal', clock: systemClock })
  const driver = await openDriver(path)
  for (const statement of statements) driver.exec(statement)
  driver.close()
  expect(await countIn(store)).toEqual(expected)
})

it.each(postgresVersions)('and on Postgres %s', async (version) => {
  const url = await freshDatabase(version)
  const store = await openPostgres({ url, clock: systemClock })
  const client = new pg.Client({ connectionString: url, options: '-c search_path=troupe' })
  await client.connect()
  onTestFinished(() => client.end())
  for (const statement of statements) await client.query(statement)
  expect(await countIn(store)).toEqual(expected)
})
