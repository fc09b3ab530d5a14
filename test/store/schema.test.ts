// What is generated and checked in: the schema and the drawing of the states. UPDATE=1 writes them anew.
import { readFile, writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { toMermaid } from '../../src/model/moves.ts'
import { runMoves } from '../../src/model/run.ts'
import { performNow } from '../../src/store/query.ts'
import { Connection } from '../../src/store/sqlite/connection/connection.ts'

const schemaFile = new URL('../../src/store/sqlite/schema.sql', import.meta.url)
const statesFile = new URL('../../docs/states.md', import.meta.url)

const drawing = /(?<=^```mermaid\n).*?(?=\n```$)/ms

it('schema.sql is the schema of a new store', async () => {
  const schema = await dumpSchema()
  if (process.env['UPDATE'] === '1') await writeFile(schemaFile, schema)
  expect(await readFile(schemaFile, 'utf8')).toBe(schema)
})

it('docs/states.md shows every move of a run', async () => {
  const page = await readFile(statesFile, 'utf8')
  const current = page.replace(drawing, () => toMermaid(runMoves))
  if (process.env['UPDATE'] === '1') await writeFile(statesFile, current)
  expect(drawing.exec(current)?.[0]).toBe(toMermaid(runMoves))
  expect(await readFile(statesFile, 'utf8')).toBe(current)
  const rows = Object.entries(runMoves).map(([name, { from, to }]) => `| ${name} | ${from.join(', ')} | ${to} |`)
  for (const row of rows) expect(current).toContain(row)
})

/** Tables first, each followed by its indexes, then views; as they were written, comments included. */
async function dumpSchema(): Promise<string> {
  const db = await Connection.open({ path: ':memory:', synchronous: 'full' })
  const rows = performNow(
    db.all<{ sql: string }>(`
    select sql from sqlite_schema where sql is not null and name not like 'sqlite%'
    order by type = 'view', tbl_name, type = 'index', name`),
  )
  db.close()
  const header = '-- The schema of a SQLite store. Generated from migrations.ts; do not edit.'
  return [header, ...rows.map(({ sql }) => `${sql};`)].join('\n\n') + '\n'
}
