// The block of docs/transactions.md on Postgres, as the page shows it, on a real one.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import type { Definition } from 'troupe'
import { Troupe } from '../../src/index.ts'
import { blocksOf } from '../docs/blocks.ts'
import { rejection, storeFile } from '../engine/stage.ts'
import { freshDatabase } from '../postgres.ts'
import type { TestPool } from './pools.ts'

const page = 'docs/transactions.md'

interface Shown {
  readonly pool: TestPool
  readonly order: Definition<string, number[]>
}

/** The block as a module. */
async function shown(url: string): Promise<Shown> {
  const code = blocksOf(page, readFileSync(page, 'utf8')).find(({ runs }) => !runs)?.code ?? ''
  const folder = resolve('.cache', `transactions-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = resolve(folder, 'order.ts')
  writeFileSync(file, code)
  process.env['DATABASE_URL'] = url
  return (await import(pathToFileURL(file).href)) as Shown
}

it('Drizzle and Kysely do their work in the transaction of the step, on Postgres', async () => {
  const { pool, order } = await shown(await freshDatabase())
  onTestFinished(() => pool.end())
  await pool.query('create table orders (id serial primary key, item text not null)')
  const troupe = await Troupe.open({ store: storeFile(), definitions: [order], global: false, logLevel: 'silent' })
  onTestFinished(() => troupe.stop())
  await troupe.start()
  const handle = await troupe.call(order, 'book')
  expect(await handle.result()).toEqual([1, 2])
  const rows = `select path from troupe_step where run = $1 order by path`
  expect((await pool.query(rows, [handle.id])).rows).toEqual([{ path: 'by drizzle' }, { path: 'by kysely' }])

  // Neither the effect nor the row of an attempt that fails is left: a check that is made at the commit.
  await pool.query(`alter table orders add constraint once unique (item) deferrable initially deferred`).catch(() => 0)
  await pool.query('truncate orders')
  await pool.query(`alter table orders add constraint once unique (item) deferrable initially deferred`).catch(() => 0)
  const refused = await troupe.call(order, 'pen', { timeout: '10s' })
  expect((await rejection(refused.result())).message).toContain('once')
  expect((await pool.query('select item from orders')).rows).toEqual([{ item: 'pen' }])
  expect((await pool.query(rows, [refused.id])).rows).toEqual([{ path: 'by drizzle' }])
}, 60_000)
