// The yardstick of bench/postgres writes the rows that the engine writes, or the ratio means nothing.
import { expect, it } from 'vitest'
import { claimsBesideHeld } from '../bench/postgres/held.ts'
import { onPostgres } from '../bench/postgres/place.ts'
import { RawPostgres } from '../bench/postgres/raw.ts'
import { walOfOurs, walOfRaw } from '../bench/postgres/wal.ts'
import { ask, type Within } from '../bench/postgres-server.ts'
import { noop, openOn } from '../bench/queue/ours.ts'
import { doneOf, jobOf, type Job } from '../bench/queue/work.ts'
import { threeSteps, wide, withTroupeOn } from '../bench/workflow/ours.ts'
import { freshDatabase } from './postgres.ts'

const jobs = [0, 1, 2].map(jobOf)
const fresh: Within = async (use) => use(await freshDatabase())

type Rows = Record<string, unknown[]>

const findTables = `
select distinct table_name as name from information_schema.columns join information_schema.tables using (table_schema, table_name)
where table_schema = 'troupe' and table_type = 'BASE TABLE' and (table_name = 'run' or column_name = 'run_id')`

// What is never the same on both sides, as a node that is started may claim when it likes: of these only what it is.
const anyValue = ['public_id', 'created_at', 'started_at', 'finished_at', 'epoch']

/** Every row of every table that has one for a run; ids and times only as far as they are the same on both sides. */
async function rowsOf(url: string): Promise<Rows> {
  const tables = await ask<{ name: string }>(url, findTables)
  const rows: Rows = { taken: await ask(url, `select value from troupe.counter where name = 'run'`) }
  for (const { name } of tables) {
    const all = await ask<Record<string, unknown>>(
      url,
      `select * from troupe.${name} as it order by it::text collate "C"`,
    )
    rows[name] = all.map((row) => ({ ...row, ...kinds(row) })).toSorted(byPlace)
  }
  return rows
}

function kinds(row: Record<string, unknown>): Record<string, string> {
  const there = anyValue.filter((column) => column in row)
  return Object.fromEntries(there.map((column) => [column, row[column] === null ? 'null' : typeof row[column]]))
}

function byPlace(one: Record<string, unknown>, other: Record<string, unknown>): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1
}

/** The rows that the yardstick leaves. */
async function rawRows(use: (raw: RawPostgres) => Promise<unknown>): Promise<Rows> {
  const url = await freshDatabase()
  const raw = await RawPostgres.open(url)
  await use(raw)
  await raw.close()
  return rowsOf(url)
}

it('writes the rows of calls, one by one and in bulk', async () => {
  const store = await freshDatabase()
  const troupe = await openOn(store)
  await Promise.all(jobs.map((job) => troupe.call(noop, job)))
  await troupe.stop()
  const rows = await rowsOf(store)
  expect(rows['live']).toHaveLength(3)

  expect(await rawRows((raw) => Promise.all(jobs.map((job) => raw.start(job))))).toEqual(rows)
  expect(await rawRows((raw) => raw.startMany(jobs))).toEqual(rows)
})

it('writes the rows of a backlog that is performed', async () => {
  const store = await freshDatabase()
  const troupe = await openOn(store)
  const handles = await Promise.all(jobs.map((job) => troupe.call(noop, job)))
  await troupe.start()
  await Promise.all(handles.map((handle) => handle.result()))
  await troupe.stop()
  const rows = await rowsOf(store)
  expect(rows['finished']).toHaveLength(3)

  const its = await rawRows(async (raw) => {
    await raw.startMany(jobs)
    await raw.processAll(async (job) => doneOf(job as Job))
  })
  expect(its).toEqual(rows)
})

it('writes the rows of a run that starts where it is called', async () => {
  const store = await freshDatabase()
  const troupe = await openOn(store)
  await troupe.start()
  await troupe.run(noop, jobOf(7))
  await troupe.stop()

  const its = await rawRows((raw) => raw.run(jobOf(7), async (job) => doneOf(job)))
  expect(its).toEqual(await rowsOf(store))
})

it('writes the rows of workflows: steps one after another, and at the same time', async () => {
  const store = await freshDatabase()
  const outputs = await withTroupeOn(store, [threeSteps, wide], async (troupe) => [
    await troupe.run(threeSteps, 7),
    await troupe.run(wide, 5),
  ])
  const rows = await rowsOf(store)
  expect(rows['step']).toHaveLength(8)

  const its = await rawRows(async (raw) => {
    expect([await raw.threeSteps(7), await raw.parallelSteps(5)]).toEqual(outputs)
  })
  expect([its['step'], its['finished'], its['live']]).toEqual([rows['step'], rows['finished'], rows['live']])
})

it('ends nothing that is not held', async () => {
  const url = await freshDatabase()
  const raw = await RawPostgres.open(url)

  await raw.run(jobOf(7), async (job) => {
    await ask(url, 'update troupe.live set epoch = epoch + 1')
    return doneOf(job)
  })

  await raw.close()
  expect(await onPostgres(fresh).count(url)).toEqual({ runs: 1, finished: 0 })
})

it('tells the log that runs cost, the images of pages aside', async () => {
  const [ours, raw] = [await walOfOurs(fresh, 300), await walOfRaw(fresh, 300)]
  for (const { records } of [ours, raw]) {
    expect(records).toBeGreaterThan(150)
    expect(records).toBeLessThan(5_000)
  }
})

it('times claims while a transaction is held open', async () => {
  const told: number[] = []
  const { tenths, deadRows } = await claimsBesideHeld(fresh, 0.01, (part) => told.push(part))
  expect(tenths.every(({ p50, p99 }) => p50 > 0 && p50 <= p99)).toBe(true)
  expect(deadRows).toBeGreaterThanOrEqual(0)
  expect(told).toEqual([0])
})
