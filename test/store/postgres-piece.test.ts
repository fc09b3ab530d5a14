// Pieces: statements that are sent together and answered together, on a real server.
import pg from 'pg'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { freshDatabase } from '../postgres.ts'
import { say, type Statement } from '../../src/store/postgres/piece.ts'

let client: pg.Client

beforeEach(async () => {
  client = new pg.Client({ connectionString: await freshDatabase() })
  await client.connect()
  await client.query('create table thing (id bigint primary key, name text)')
  onTestFinished(() => client.end())
})

const begin: Statement = { name: 'begin', text: 'begin', values: [] }
const commit: Statement = { name: 'commit', text: 'commit', values: [] }
const insert = (id: number, name: string | null): Statement => ({
  name: 'insert',
  text: 'insert into thing values ($1, $2)',
  values: [String(id), name],
})
const select: Statement = { name: 'select', text: 'select id, name, id > 1 as late from thing order by id', values: [] }

async function prepared(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('select name from pg_prepared_statements order by name')
  return rows.map(({ name }) => name)
}

it('gives the answer to each statement, in their order, with its rows or how many it changed', async () => {
  const { answers, error } = await say(client, [begin, insert(1, 'one'), insert(2, null), select, commit])
  expect(error).toBeUndefined()
  expect(answers.map(({ changes }) => changes)).toEqual([0, 1, 1, 2, 0])
  expect(answers[3]?.rows).toEqual([
    { id: 1, name: 'one', late: 0 },
    { id: 2, name: null, late: 1 },
  ])
})

it('prepares a statement once, also where a piece has it twice, and knows its columns from then on', async () => {
  await say(client, [insert(1, 'one'), insert(2, 'two'), select])
  const { answers } = await say(client, [insert(3, 'three'), select])
  expect(answers[1]?.rows.map((row) => (row as { name: string }).name)).toEqual(['one', 'two', 'three'])
  expect(await prepared()).toEqual(['insert', 'select'])
})

it('performs nothing behind a statement that fails, and tells what was answered before', async () => {
  const { answers, error } = await say(client, [begin, insert(1, 'one'), insert(1, 'again'), insert(2, 'two'), commit])
  expect(error).toMatchObject({ code: '23505' })
  expect(answers.map(({ changes }) => changes)).toEqual([0, 1])
  await client.query('rollback')
  expect((await client.query('select 1 from thing')).rowCount).toBe(0)
})

it('prepares anew what failed where nobody can know whether it was prepared', async () => {
  const unknown: Statement = { name: 'unknown', text: 'select wanted from thing', values: [] }
  expect((await say(client, [select, unknown])).error).toMatchObject({ code: '42703' })
  await client.query('alter table thing add column wanted int')
  expect((await say(client, [unknown, select])).error).toBeUndefined()
  // Prepared, and failed as it was performed.
  const divide = (by: string): Statement => ({ name: 'divide', text: 'select 1 / $1::int as part', values: [by] })
  expect((await say(client, [divide('0')])).error).toMatchObject({ code: '22012' })
  expect((await say(client, [divide('1'), divide('1')])).answers.map(({ rows }) => rows)).toEqual([
    [{ part: 1 }],
    [{ part: 1 }],
  ])
})

it('prepares each time what has no name, as through a pooler', async () => {
  const nameless = { text: select.text, values: select.values }
  const { answers } = await say(client, [insert(1, 'one'), nameless, nameless])
  expect(answers[2]?.rows).toEqual([{ id: 1, name: 'one', late: 0 }])
  expect(await prepared()).toEqual(['insert'])
})

it('tells that the connection ended', async () => {
  client.on('error', () => {})
  const { error } = await say(client, [{ text: 'select pg_terminate_backend(pg_backend_pid())', values: [] }, select])
  expect(error).toMatchObject({ code: '57P01' })
})
