import { expect, it } from 'vitest'
import { performNow } from '../../query.ts'
import { Connection } from './connection.ts'
import { ManyRows } from '../../sql/database/many-rows.ts'

const insert = new ManyRows(
  ['integer', 'text'],
  (rows) => `
with given (n, text) as (${rows})
insert into held select n, text, ? from given`,
)

it.each([0, 1, 3, 4, 5, 15, 16, 17, 37])('writes %i rows, each once and with what they share', async (count) => {
  const db = await Connection.open({ path: ':memory:', synchronous: 'normal' })
  performNow(db.run('create table held (n integer primary key, text text, shared text)'))
  const rows = Array.from({ length: count }, (_, n) => ({ n, text: n % 2 === 0 ? `row ${n}` : null, shared: 'all' }))
  const values = rows.flatMap(({ n, text }) => [n, text])
  performNow(insert.write(db, values, 'all'))
  const held = performNow(db.all<object>('select * from held order by n'))
  expect(held.map((row) => ({ ...row }))).toEqual(rows)
  db.close()
})

it('writes nothing that is there already', async () => {
  const db = await Connection.open({ path: ':memory:', synchronous: 'normal' })
  performNow(db.run('create table held (n integer primary key, text text, shared text)'))
  performNow(db.run('insert into held values (3, null, null)'))
  const values = Array.from({ length: 16 }, (_, n) => [n, 'new']).flat()
  expect(() => db.write(() => insert.write(db, values, 'all'))).toThrow(/constraint/i)
  expect(performNow(db.get('select count(*) as held from held'))).toMatchObject({ held: 1 })
  db.close()
})
