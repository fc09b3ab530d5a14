// Lists as Postgres is given them: whatever is in a text comes back as it was.
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { listOf } from '../../src/store/postgres/dialect.ts'
import { freshDatabase } from '../postgres.ts'

const texts = [
  '',
  ' ',
  'NULL',
  'null',
  '"',
  '\\',
  '\\"',
  '{a,b}',
  "it's",
  'a,b',
  '\n\t',
  'ß漢😀',
  '{"n":"\\u0041\\\\"}',
  null,
]

it('gives texts and numbers as they are', async () => {
  const client = new pg.Client({ connectionString: await freshDatabase() })
  await client.connect()
  onTestFinished(() => client.end())
  const numbers = texts.map((_text, place) => (place === 3 ? null : place - 2))
  const { rows } = await client.query<{ text: string | null; number: string | null }>(
    'select * from unnest(cast($1 as text[]), cast($2 as bigint[])) as given (text, number)',
    [listOf(texts), listOf(numbers)],
  )
  expect(rows.map(({ text }) => text)).toEqual(texts)
  expect(rows.map(({ number }) => (number === null ? null : Number(number)))).toEqual(numbers)
})
