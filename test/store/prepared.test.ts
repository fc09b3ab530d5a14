// Postgres understands what the store asks: every statement that the conformance suite has SQLite perform is prepared there.
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { translate } from '../../src/store/postgres/dialect.ts'
import { placeOf } from '../../src/store/postgres/place.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import type { PackedQuery } from '../../src/store/sql/database/packed.ts'
import { Connection } from '../../src/store/sqlite/connection/connection.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { conformance } from '../../src/testing/conformance/conformance.ts'
import { freshDatabase, postgresVersions } from '../postgres.ts'

/** The statements by their texts. */
const asked = new Set<string>()

for (const verb of ['run', 'get', 'has', 'all'] as const) {
  const perform = Connection.prototype[verb] as (sql: string, ...values: unknown[]) => never
  Connection.prototype[verb] = function (this: Connection, sql: string, ...values: unknown[]): never {
    asked.add(sql)
    return perform.call(this, sql, ...values)
  }
}
const performPacked = Connection.prototype.allPacked as (query: PackedQuery<never>, ...values: unknown[]) => never
Connection.prototype.allPacked = function (this: Connection, query: PackedQuery<never>, ...values: unknown[]): never {
  asked.add(query.plain)
  return performPacked.call(this, query, ...values)
}

conformance(
  {
    name: 'what SQLite is asked',
    create: async () => {
      let isOpen = false
      return {
        connect: async (clock) => {
          if (isOpen) return undefined
          isOpen = true
          return openSqlite({ path: ':memory:', synchronous: 'full', clock })
        },
        remove: async () => undefined,
      }
    },
  },
  { describe, it },
)

/** What Postgres says against a statement; undefined when it can be prepared. */
async function objection(client: pg.Client, sql: string): Promise<string | undefined> {
  try {
    await client.query(`prepare asked as ${translate(sql).text}`)
    await client.query('deallocate asked')
    return undefined
  } catch (error) {
    return `${(error as Error).message}: ${sql}`
  }
}

describe('what SQLite was asked', () => {
  it.each(postgresVersions)('Postgres %s understands', async (version) => {
    const url = await freshDatabase(version)
    await (await openPostgres({ url, clock: systemClock })).close()
    const client = new pg.Client({ connectionString: url, options: `-c search_path=${placeOf(url).schema}` })
    await client.connect()
    onTestFinished(() => client.end())
    const objections: string[] = []
    for (const sql of asked) {
      const against = await objection(client, sql)
      if (against !== undefined) objections.push(against)
    }
    expect(asked.size).toBeGreaterThan(300)
    expect(objections).toEqual([])
  })
})
