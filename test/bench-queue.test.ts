// The yardstick of bench/queue writes the rows that the engine writes, or the ratio means nothing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { noop, open } from '../bench/queue/ours.ts'
import { RawQueue } from '../bench/queue/raw.ts'
import { doneOf, jobOf, type Job } from '../bench/queue/work.ts'
import { openDriver } from '../src/store/sqlite/connection/driver.ts'

const jobs = [0, 1, 2].map(jobOf)
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-yardstick-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

type Rows = Record<string, unknown[]>

/** Every row of every table that has one for a run; ids and times only as far as they are the same on both sides. */
async function rowsOf(file: string): Promise<Rows> {
  const db = await openDriver(file)
  const tables = db
    .prepare(
      `select name from sqlite_schema
      where type = 'table' and (name = 'run' or exists (select 1 from pragma_table_info(sqlite_schema.name) where name = 'run_id'))`,
    )
    .all() as { name: string }[]
  const rows: Rows = { taken: db.prepare(`select value from counter where name = 'run'`).all() }
  for (const { name } of tables) {
    rows[name] = (db.prepare(`select * from ${name} order by 1`).all() as Record<string, unknown>[]).map((row) => ({
      ...row,
      ...kinds(row, ['public_id', 'created_at', 'started_at', 'finished_at']),
    }))
  }
  db.close()
  return rows
}

function kinds(row: Record<string, unknown>, columns: readonly string[]): Record<string, string> {
  const there = columns.filter((column) => column in row)
  return Object.fromEntries(there.map((column) => [column, row[column] === null ? 'null' : typeof row[column]]))
}

const ours = (): string => join(folder, 'troupe.db')
const theirs = (): string => join(folder, 'raw.db')

it('writes the rows of calls', async () => {
  const troupe = await open(ours())
  await Promise.all(jobs.map((job) => troupe.call(noop, job)))
  await troupe.stop()
  const raw = await RawQueue.open(theirs())

  await Promise.all(jobs.map((job) => raw.start(job)))

  raw.close()
  const rows = await rowsOf(ours())
  expect(rows['live']).toHaveLength(3)
  expect(await rowsOf(theirs())).toEqual(rows)
})

it('writes the rows of starts in bulk', async () => {
  const troupe = await open(ours())
  await Promise.all(jobs.map((job) => troupe.call(noop, job)))
  await troupe.stop()
  const raw = await RawQueue.open(theirs())

  raw.startMany(jobs)

  raw.close()
  expect(await rowsOf(theirs())).toEqual(await rowsOf(ours()))
})

it('writes the rows of a backlog that is performed', async () => {
  const troupe = await open(ours())
  const handles = await Promise.all(jobs.map((job) => troupe.call(noop, job)))
  await troupe.start()
  await Promise.all(handles.map((handle) => handle.result()))
  await troupe.stop()
  const raw = await RawQueue.open(theirs())
  raw.startMany(jobs)

  await raw.processAll(async (job) => doneOf(job as Job))

  raw.close()
  const rows = await rowsOf(ours())
  expect(rows['finished']).toHaveLength(3)
  expect(await rowsOf(theirs())).toEqual(rows)
})

it('writes the rows of a run that starts where it is called', async () => {
  const troupe = await open(ours())
  await troupe.start()
  await troupe.run(noop, jobOf(7))
  await troupe.stop()
  const raw = await RawQueue.open(theirs())

  await raw.run(jobOf(7), async (job) => doneOf(job))

  raw.close()
  expect(await rowsOf(theirs())).toEqual(await rowsOf(ours()))
})

it('ends nothing that is not held', async () => {
  const raw = await RawQueue.open(theirs())
  const db = await openDriver(theirs())

  await raw.run(jobOf(7), async (job) => {
    db.exec('update live set epoch = epoch + 1')
    return doneOf(job)
  })

  raw.close()
  const { live, finished } = await rowsOf(theirs())
  db.close()
  expect([live?.length, finished?.length]).toEqual([1, 0])
})
