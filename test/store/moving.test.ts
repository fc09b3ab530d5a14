// Moving a store from a file to a Postgres: all of it, or nothing, however often it is cut off.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { giveUpMove, moveStore, type MoveOptions, type MoveProgress } from '../../src/store/moving/moving.ts'
import { tablesOfStores } from '../../src/store/moving/tables.ts'
import { Target } from '../../src/store/moving/target.ts'
import { placeOf } from '../../src/store/postgres/place.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { freshDatabase } from '../postgres.ts'
import { runChild } from './children.ts'
import { fillStore } from './filled.ts'

let path = ''
let from = ''
let to = ''

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-moving-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  path = join(folder, 'troupe.db')
  from = `sqlite:${path}`
  const url = new URL(await freshDatabase())
  url.password = 'secret'
  to = url.href
})

describe('a move', () => {
  it('brings every row of every table, as it is', async () => {
    // More than a slice by their number, and by their length.
    const tables = await fillStore(path, 10, { step: 2_500, log: 1_000 })
    await onFile((db) => db.exec(`update emitted set value = printf('%.*c', 3000000, 'x') || n where n < 4`))
    const seen: MoveProgress[] = []
    const moved = await moveStore(from, to, { onProgress: (progress) => seen.push(progress) })
    expect(moved.map(({ table }) => table)).toEqual(tables)
    for (const table of tables) expect([table, await rowsThere(table)]).toEqual([table, await rowsHere(table)])
    const total = moved.reduce((sum, { rows }) => sum + rows, 0)
    expect(moved.find(({ table }) => table === 'step')).toMatchObject({
      rows: 2_500,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(slicesOf('step', seen)).toEqual([1_000, 1_000, 500])
    // The second row is the one that is too much.
    expect(slicesOf('emitted', seen)).toEqual([2, 8])
    expect(seen.at(-1)).toEqual({ doing: 'open', table: '', rows: total, total })
  })

  it('lets new rows go on behind the greatest number that was ever given', async () => {
    await fillStore(path, 5, { subscription: 0 })
    await onFile((db) => db.exec(`delete from node where id > 2`))
    await moveStore(from, to)
    const next = async (table: string): Promise<unknown> => {
      const [row] = await there<{ next: string }>(
        `select nextval(pg_get_serial_sequence('troupe.${table}', 'id')) as next`,
      )
      return row?.next
    }
    expect([await next('node'), await next('audit'), await next('subscription')]).toEqual(['6', '6', '1'])
  })

  it('leaves a file that takes no writes any more, and says where its runs are without the password', async () => {
    await fillStore(path, 1)
    const before = await opened(from)
    await moveStore(from, to)
    const after = await opened(from)
    for (const store of [before, after])
      await expect(store.internQueue('new')).rejects.toMatchObject({
        code: 'store_moved',
        message: expect.stringMatching(/was moved to postgres:\/\/troupe:\*\*\*@/),
        details: { isDone: true },
      })
    expect(await after.listQueueNames()).toHaveLength(1)
    expect(await after.listFindings()).toContainEqual(expect.objectContaining({ code: 'moved', severity: 'warning' }))
    // What an earlier version is told, or a program with a connection of its own.
    const written = onFile((db) => db.exec(`delete from queue`))
    await expect(written).rejects.toThrow(/^this store is moved to postgres:\/\/troupe:\*\*\*@/)
    await expect(moveStore(from, to, { resume: true })).rejects.toMatchObject({ code: 'store_moved' })
    await expect(giveUpMove(from)).rejects.toMatchObject({ code: 'store_moved' })
  })

  it('leaves what else is in the file', async () => {
    await fillStore(path, 1)
    await onFile((db) => db.exec(`create table customer (name text); insert into customer values ('ann')`))
    await moveStore(from, to)
    await onFile((db) => db.exec(`insert into customer values ('bob')`))
    expect(await there(`select to_regclass('troupe.customer') as name`)).toEqual([{ name: null }])
  })
})

describe('a move is refused', () => {
  it('while nodes have a lease, which are named', async () => {
    const store = await opened(from)
    const identity = { bootId: null, pidNamespace: null, pid: 7, pidStartedAt: null }
    await store.insertNode({ ...identity, name: 'web-1' }, 60_000)
    const nodeId = await store.insertNode({ ...identity, name: 'web-2' }, 60_000)
    await store.deleteNode(nodeId)
    const refused = expect(moveStore(from, to)).rejects
    await refused.toMatchObject({ code: 'move_refused', message: expect.stringMatching(/1 node .* stop web-1;/) })
    expect(await store.internQueue('still')).toBeGreaterThan(0)
    const target = await opened(to)
    expect(await target.listQueueNames()).toEqual([])
  })

  it('when the target is not empty', async () => {
    await fillStore(path, 1)
    const target = await opened(to)
    await target.internQueue('mail')
    await expect(moveStore(from, to)).rejects.toMatchObject({
      code: 'move_refused',
      message: expect.stringContaining('is not empty (queue)'),
    })
    const source = await opened(from)
    expect(await source.internQueue('still')).toBeGreaterThan(0)
  })

  it.each([
    ['sqlite::memory:', 'postgres://localhost/troupe', `from is "sqlite::memory:"`],
    ['sqlite:gone.db', 'mysql://root:hidden@localhost/troupe', 'to is '],
    ['sqlite:gone.db', 'postgres://localhost/troupe', 'There is no store at gone.db'],
  ])('from %s to %s', async (source, target, message) => {
    const error = await moveStore(source, target).catch((thrown: Error) => thrown)
    expect(String(error)).toContain(message)
    expect(String(error)).not.toContain('hidden')
  })
})

describe('a move that is cut off', () => {
  it('goes on behind each slice, and lets nobody in before it is whole', async () => {
    const tables = await fillStore(path, 2, { step: 2_500 })
    // A program that has it open already.
    const early = await opened(to)
    let cuts = 0
    for (; ; cuts++) {
      const seen = await cutAfter(1, { resume: cuts > 0 })
      if (seen.at(-1)?.doing !== 'copy') break
      await expect(opened(to)).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('is not whole yet'),
      })
      await expect(early.internQueue('early')).rejects.toMatchObject({ code: 'store_unavailable' })
    }
    expect(cuts).toBe(tables.length + 2)
    await expect(moveStore(from, to)).rejects.toMatchObject({
      code: 'move_refused',
      message: expect.stringContaining('--resume'),
    })
    const source = await opened(from)
    await expect(source.internQueue('new')).rejects.toMatchObject({ code: 'store_moved', details: { isDone: false } })
    // Between the two stores: the one is done with, the other not open yet.
    const seen = await cutAfter(Number.POSITIVE_INFINITY, { resume: true, at: 'open' })
    expect(seen.some(({ doing }) => doing === 'copy')).toBe(false)
    await expect(giveUpMove(from)).rejects.toMatchObject({ code: 'store_moved' })
    await moveStore(from, to, { resume: true })
    for (const table of tables) expect([table, await rowsThere(table)]).toEqual([table, await rowsHere(table)])
    expect(await early.internQueue('new')).toBe(3)
  })

  it('goes on after its process was killed, wherever that was', { timeout: 120_000 }, async () => {
    const tables = await fillStore(path, 2, { step: 2_500 })
    const copied = tables.length + 2
    const all = copied * 2 + 1
    for (const slices of [1, copied - 20, copied + 1])
      await expect(runChild('mover.ts', { from, to, slices })).rejects.toMatchObject({ cause: { signal: 'SIGKILL' } })
    expect(await runChild('mover.ts', { from, to, slices: all })).toEqual({ seen: all - copied })
    for (const table of tables) expect([table, await rowsThere(table)]).toEqual([table, await rowsHere(table)])
  })

  it('is made by one process at a time', { timeout: 20_000 }, async () => {
    await fillStore(path, 2)
    await cutAfter(2)
    const client = new pg.Client({ connectionString: to })
    await client.connect()
    onTestFinished(() => client.end())
    await client.query(`select pg_advisory_lock(hashtextextended('troupe move troupe', 0))`)
    await expect(moveStore(from, to, { resume: true })).rejects.toMatchObject({
      code: 'move_refused',
      message: expect.stringContaining('Another process is moving'),
    })
  })

  it('can be given up, and then nothing of it counts', async () => {
    await fillStore(path, 2)
    await cutAfter(5)
    await giveUpMove(from)
    const source = await opened(from)
    expect(await source.internQueue('new')).toBe(3)
    await expect(giveUpMove(from)).rejects.toMatchObject({ code: 'move_refused' })
    for (const resume of [false, true])
      await expect(moveStore(from, to, { resume })).rejects.toMatchObject({
        code: 'move_refused',
        message: expect.stringContaining('drop that schema and begin anew'),
      })
    await there('drop schema troupe cascade')
    await moveStore(from, to)
    expect(await rowsThere('queue')).toHaveLength(3)
  })

  it('takes what was copied before it was given up for nothing, be it a table without rows', async () => {
    await fillStore(path, 2, { ask: 0 })
    expect(await cutAfter(1)).toMatchObject([{ table: 'ask', rows: 0 }])
    await giveUpMove(from)
    await expect(moveStore(from, to)).rejects.toMatchObject({ code: 'move_refused' })
  })

  it('begins anew where nothing was copied yet', async () => {
    await fillStore(path, 2)
    const target = await Target.open(placeOf(to), await tablesOfStores())
    await target.prepare()
    await target.begin({ id: 'cut off before the file was sealed' })
    await target.close()
    const source = await opened(from)
    expect(await source.internQueue('between')).toBe(3)
    await moveStore(from, to)
    expect(await rowsThere('queue')).toEqual(await rowsHere('queue'))
  })

  it.each([
    ['a value', `update troupe.step set value = value || ' ' where run_id = 2000`, 'step'],
    ['a number', `update troupe.live set priority = priority + 1 where run_id = 2`, 'live'],
    ['a row less', `delete from troupe.log where run_id = 2`, 'log'],
    ['a row more', `insert into troupe.progress values (999, 1, 1)`, 'progress'],
    ['a null', `update troupe.run set tags = null where id = 1`, 'run'],
    [
      'the value of another row',
      `update troupe.state set value = (select value from troupe.state where run_id = 1) where run_id = 2`,
      'state',
    ],
  ])('tells that the copy was damaged: %s', async (_what, damage, table) => {
    await fillStore(path, 2, { step: 2_500 })
    await cutAfter(Number.POSITIVE_INFINITY, { at: 'compare' })
    await there(damage)
    await expect(moveStore(from, to, { resume: true })).rejects.toMatchObject({
      code: 'store_corrupt',
      details: { tables: table },
    })
    await expect(opened(to)).rejects.toMatchObject({ code: 'store_unavailable' })
    await giveUpMove(from)
  })
})

/** How many rows of a table were copied at a time. */
function slicesOf(name: string, seen: readonly MoveProgress[]): number[] {
  const copied = seen.filter(({ doing }) => doing === 'copy')
  const rows = copied.map((progress, at) => progress.rows - (copied[at - 1]?.rows ?? 0))
  return rows.filter((_count, at) => copied[at]?.table === name)
}

class Cut extends Error {}

interface Cutting extends Pick<MoveOptions, 'resume'> {
  /** What it is about to do. */
  readonly at?: MoveProgress['doing']
}

/** Moves, and is cut off after so many slices, or where it does that for the first time. */
async function cutAfter(slices: number, { at, ...options }: Cutting = {}): Promise<MoveProgress[]> {
  const seen: MoveProgress[] = []
  const onProgress = (progress: MoveProgress): void => {
    seen.push(progress)
    if (seen.length >= slices || progress.doing === at) throw new Cut()
  }
  await expect(moveStore(from, to, { ...options, onProgress })).rejects.toBeInstanceOf(Cut)
  return seen
}

async function opened(url: string): Promise<Store> {
  const clock = systemClock
  const store =
    url === from ? await openSqlite({ path, clock, synchronous: 'normal' }) : await openPostgres({ url, clock })
  onTestFinished(() => store.close())
  return store
}

async function onFile<T>(use: (db: Awaited<ReturnType<typeof openDriver>>) => T): Promise<T> {
  const db = await openDriver(path)
  try {
    return use(db)
  } finally {
    db.close()
  }
}

async function there<T>(sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: to })
  await client.connect()
  try {
    return (await client.query(sql)).rows as T[]
  } finally {
    await client.end()
  }
}

/** The rows of a table by the values of their columns, in no order. */
function plainRows(rows: readonly object[]): string[] {
  const plain = rows.map((row) => {
    const values = Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      value === null ? null : String(value),
    ])
    return JSON.stringify(values.toSorted())
  })
  return plain.toSorted()
}

async function rowsHere(table: string): Promise<string[]> {
  return plainRows(await onFile((db) => db.prepare(`select * from "${table}"`).all() as object[]))
}

// What a file counts in rows, of which numbers are taken, is a sequence each there.
const sequences = ['run', 'epoch', 'turn', 'message'].map(
  (name) => `union all select '${name}', case when is_called then last_value else 0 end from troupe.counter_${name}`,
)

async function rowsThere(table: string): Promise<string[]> {
  const besides = table === 'counter' ? sequences.join(' ') : ''
  return plainRows(await there(`select * from troupe."${table}" ${besides}`))
}
