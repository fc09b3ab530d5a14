import { expect, it } from 'vitest'
import { performNow } from '../../query.ts'
import { Connection } from './connection.ts'
import { packed } from '../../sql/database/packed.ts'

const rows = packed<{ n: number; text: string | null }>(
  { n: 'held.n', text: 'held.text' },
  'from held order by n desc limit ?',
)

async function holding(values: readonly (readonly [number, string | null])[]): Promise<Connection> {
  const db = await Connection.open({ path: ':memory:', synchronous: 'normal' })
  performNow(db.run('create table held (n integer, text text)'))
  for (const [n, text] of values) performNow(db.run('insert into held values (?, ?)', n, text))
  return db
}

it('gives rows as they are stored and in the order that is asked for', async () => {
  const db = await holding([
    [1, 'quotes " and \\, a tab \t, a line\n and a separator \u2028'],
    [2, null],
    [Number.MAX_SAFE_INTEGER, '💶 and ü'],
    [-1, ''],
  ])
  expect(performNow(db.allPacked(rows, 3))).toEqual([
    { n: Number.MAX_SAFE_INTEGER, text: '💶 and ü' },
    { n: 2, text: null },
    { n: 1, text: 'quotes " and \\, a tab \t, a line\n and a separator \u2028' },
  ])
  db.close()
})

it('gives no rows where there are none', async () => {
  const db = await holding([])
  expect(performNow(db.allPacked(rows, 3))).toEqual([])
  db.close()
})
