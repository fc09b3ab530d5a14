// ctx.tx: what a step does in a database of the user's and that it was done are committed together.
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { workflow, type Definition } from 'troupe'
import { systemClock } from '../../src/lib/clock.ts'
import { openDriver, type SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
import { createIds } from '../../src/lib/ids.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { moving, noUnhandledRejections, onStage, rejection, storeFile } from '../engine/stage.ts'
import { openDatabase, type TestDatabase } from '../postgres.ts'
import { openClient, openPool, type TestClient, type TestPool } from './pools.ts'

noUnhandledRejections()

/** A file beside the store, with an account of 100. */
async function bankFile(store: string, name = 'bank.db'): Promise<SqlDriver & { readonly path: string }> {
  const path = name === 'store' ? store.slice('sqlite:'.length) : join(dirname(store.slice('sqlite:'.length)), name)
  const db = await openDriver(path)
  onTestFinished(() => db.close())
  db.exec('create table account (balance integer)')
  db.exec('insert into account values (100)')
  return Object.assign(db, { path })
}

const balanceIn = (db: SqlDriver): unknown =>
  (db.prepare('select balance from account').get() as { balance: number }).balance

describe.each(['store', 'bank.db'])('a transaction on SQLite (%s)', (name) => {
  it('leaves its effect and its result, and is repeated neither on resume nor when the run is tried again', async () => {
    const store = storeFile()
    let mayEnd = false
    const pay = workflow('pay', {}, async (ctx) => {
      const left = await ctx.tx('take', bank, (db) => {
        db.exec('update account set balance = balance - 30')
        return { left: balanceIn(db), at: new Date(5) }
      })
      if (!mayEnd) throw new Error('later')
      return left
    })
    const { troupe, clock } = await onStage({ store, definitions: [pay] })
    const bank = await bankFile(store, name)
    const handle = await troupe.call(pay)
    await rejection(handle.result())
    expect(balanceIn(bank)).toBe(70)
    mayEnd = true
    await handle.retry()

    expect(await moving(clock, handle.result())).toEqual({ left: 70, at: new Date(5) })
    expect(balanceIn(bank)).toBe(70)
    expect((await troupe.steps(handle.id)).map(({ path, kind }) => [path, kind])).toEqual([['take', 'tx']])
  })

  it('rolls back what fails, tries again, and undoes', async () => {
    const store = storeFile()
    let attempts = 0
    const pay = workflow('pay', {}, async (ctx) => {
      await ctx.tx(
        'take',
        bank,
        (db) => {
          db.exec('update account set balance = balance - 30')
          if (++attempts < 3) throw new Error('not yet')
          return balanceIn(db)
        },
        { undo: () => bank.exec('update account set balance = balance + 30') },
      )
      expect(balanceIn(bank)).toBe(70)
      throw new Error('no')
    })
    const { troupe, clock } = await onStage({ store, definitions: [pay] })
    const bank = await bankFile(store, name)
    const handle = await troupe.call(pay)

    expect(await rejection(moving(clock, handle.result()))).toMatchObject({ message: 'no' })
    expect([attempts, balanceIn(bank)]).toEqual([3, 100])
  })

  it('refuses a function that is not done when it returns, and leaves nothing of it', async () => {
    const store = storeFile()
    const pay = workflow('pay', {}, async (ctx) => {
      await ctx.tx('take', bank, async (db) => db.exec('update account set balance = 0'), { retry: { attempts: 1 } })
    })
    const { troupe, clock } = await onStage({ store, definitions: [pay] })
    const bank = await bankFile(store, name)

    expect(await rejection(moving(clock, troupe.run(pay)))).toMatchObject({ code: 'option_invalid' })
    expect(balanceIn(bank)).toBe(100)
  })

  it.each(name === 'store' ? ['inside', 'step:after'] : ['step:after'])(
    'I1: its effect is there once when its process dies: %s',
    async (death) => {
      const store = storeFile()
      await onStage({ store, starts: false })
      const bank = await bankFile(store, name)
      expect(await child({ store, bank: bank.path, death })).toBe('SIGKILL')
      expect(balanceIn(bank)).toBe(death === 'inside' ? 100 : 70)
      const pay = workflow('pay', {}, (ctx) =>
        ctx.tx('take', bank, (db) => {
          db.exec('update account set balance = balance - 30')
          return 'again'
        }),
      )
      expect(await endedIn(store, pay)).toBe(death === 'inside' ? 'again' : 30)
      expect(balanceIn(bank)).toBe(70)
    },
    60_000,
  )
})

/** Rows of `troupe_step` that runs left: one by an old run long ago, one by that lately, one by a run that is new; and which of them stay. */
function leftRows() {
  const now = systemClock.now()
  const month = 31 * 24 * 3_600_000
  const idAt = (ms: number): string => createIds({ ...systemClock, now: () => ms }).uuid()
  const [gone, old, late] = [idAt(now - month), idAt(now - month), idAt(now - 1_000)]
  const rows = [
    [gone, now - month],
    [old, now - 1_000],
    [late, now - 1_000],
  ] as const
  return { now, rows: rows.map((row) => [...row]), left: [{ run: old }, { run: late }] }
}

it('deletes old rows of old runs from a SQLite file of its own', async () => {
  const { now, rows, left } = leftRows()
  const store = storeFile()
  const bank = await bankFile(store)
  const other = await openDriver(bank.path)
  onTestFinished(() => other.close())
  const pay = workflow('pay', {}, (ctx, isFirst: boolean) => ctx.tx('take', isFirst ? bank : other, () => 1))
  const { troupe, clock } = await onStage({ store, definitions: [pay], clock: new ManualClock(now) })
  await moving(clock, troupe.run(pay, true))
  for (const row of rows) bank.prepare(`insert into troupe_step values (?, 'old', 1, '1', ?)`).run(...row)
  await moving(clock, troupe.run(pay, false))
  const kept = bank.prepare(`select run from troupe_step where path = 'old' order by run`).all()
  expect(kept.map((row) => ({ ...(row as object) }))).toEqual(left)
})

it('I1: does nothing again that an earlier generation commits before it has the lock', async () => {
  const store = storeFile()
  const bank = await bankFile(store)
  let zombie: (() => void) | undefined
  // A process that was paused in the midst of the first generation, and goes on as the second comes for the lock.
  const shared = {
    exec: (sql: string) => {
      if (sql === 'begin immediate') {
        zombie?.()
        zombie = undefined
      }
      return bank.exec(sql)
    },
    prepare: (sql: string) => bank.prepare(sql),
  }
  let isFirst = true
  const pay = workflow('pay', {}, (ctx) =>
    ctx.tx(
      'take',
      shared,
      (tx) => {
        if (isFirst) throw new Error('no')
        tx.exec('update account set balance = balance - 30')
        return 'by the second'
      },
      { retry: { attempts: 1 } },
    ),
  )
  const { troupe, clock } = await onStage({ store, definitions: [pay] })
  const handle = await troupe.call(pay)
  await rejection(moving(clock, handle.result()))
  isFirst = false
  zombie = () => {
    bank.exec('update account set balance = balance - 30')
    bank.prepare(`insert into troupe_step values (?, 'take', 1, 'j"by the first"', 0)`).run(handle.id)
  }
  await handle.retry()
  expect([await moving(clock, handle.result()), balanceIn(bank)]).toEqual(['by the first', 70])
})

it('takes a handle of the shape of better-sqlite3', async () => {
  const store = storeFile()
  const bank = await bankFile(store)
  class Database {
    readonly open = true
    get inTransaction(): boolean {
      return true
    }
    exec(sql: string): this {
      bank.exec(sql)
      return this
    }
    prepare(sql: string) {
      const statement = bank.prepare(sql)
      return {
        get: (...values: never[]) => statement.get(...values) ?? undefined,
        all: (...values: never[]) => statement.all(...values),
        run: (...values: never[]) => statement.run(...values),
      }
    }
    transaction(): never {
      throw new Error('Its own transactions are not used')
    }
  }
  const db = new Database()
  const pay = workflow('pay', {}, (ctx) =>
    ctx.tx('take', db, (tx) => {
      tx.exec('update account set balance = balance - 30')
      return tx.prepare('select balance from account').get()
    }),
  )
  const { troupe, clock } = await onStage({ store, definitions: [pay] })
  expect(await moving(clock, troupe.run(pay))).toEqual({ balance: 70 })
  expect(bank.prepare('select count(*) as n from troupe_step').get()).toMatchObject({ n: 1 })
})

it('begins anew with continueAsNew: the same step of the next input is done again', async () => {
  const store = storeFile()
  const pay = workflow('pay', {}, async (ctx, n: number): Promise<string> => {
    await ctx.tx('take', bank, (db) => db.exec('update account set balance = balance - 30'))
    return n === 1 ? 'done' : ctx.continueAsNew(n - 1)
  })
  const { troupe, clock } = await onStage({ store, definitions: [pay] })
  const bank = await bankFile(store)

  expect(await moving(clock, troupe.run(pay, 3))).toBe('done')
  expect(balanceIn(bank)).toBe(10)
})

it('refuses what is no database', async () => {
  const pay = workflow('pay', { retry: { attempts: 1 } }, (ctx) => ctx.tx('take', {} as never, () => 1))
  const { troupe } = await onStage({ definitions: [pay] })
  expect(await rejection(troupe.run(pay))).toMatchObject({ code: 'option_invalid' })
})

/** Race: the time of a run must not pass by while Postgres takes its own. */
async function movingSlowly<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isOver = false
  const end = (): void => void (isOver = true)
  promise.then(end, end)
  while (!isOver) {
    await clock.advance(100)
    await new Promise<void>((resolve) => systemClock.after(20, resolve))
  }
  return promise
}

describe('a transaction on Postgres', () => {
  let database: TestDatabase
  let pool: TestPool
  const balance = async (): Promise<unknown> =>
    ((await pool.query('select balance from account')).rows[0] as { balance: number }).balance

  beforeAll(async () => {
    database = await openDatabase()
    pool = openPool(database.url)
  })

  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  const client = async (): Promise<TestClient> => {
    const opened = await openClient(database.url)
    onTestFinished(() => opened.end())
    return opened
  }

  const fresh = async (): Promise<void> => {
    await pool.query('drop table if exists account')
    await pool.query('create table account (balance integer)')
    await pool.query('insert into account values (100)')
  }

  it('leaves its effect and its result; an attempt that fails leaves nothing', async () => {
    await fresh()
    let attempts = 0
    const pay = workflow('pay', {}, (ctx) =>
      ctx.tx('take', pool, async (client) => {
        const { rows } = await client.query('update account set balance = balance - 30 returning balance')
        if (++attempts < 2) throw new Error('not yet')
        return rows[0] as { balance: number }
      }),
    )
    const { troupe, clock } = await onStage({ definitions: [pay] })
    expect(await movingSlowly(clock, troupe.run(pay))).toEqual({ balance: 70 })
    expect(await balance()).toBe(70)
  }, 60_000)

  it('is tried again when its connection is lost in the midst of it', async () => {
    await fresh()
    let attempts = 0
    const pay = workflow('pay', {}, (ctx) =>
      ctx.tx('take', pool, async (client) => {
        const { rows } = await client.query('update account set balance = balance - 30 returning balance')
        if (++attempts < 2) {
          const { rows: connections } = await client.query('select pg_backend_pid() as pid')
          await pool.query('select pg_terminate_backend($1)', [(connections[0] as { pid: number }).pid])
          await client.query('select 1')
        }
        return rows[0] as { balance: number }
      }),
    )
    const { troupe, clock } = await onStage({ definitions: [pay] })
    expect(await movingSlowly(clock, troupe.run(pay))).toEqual({ balance: 70 })
    expect([attempts, await balance()]).toEqual([2, 70])
  }, 60_000)

  it.each([
    ['a pool', false],
    ['one client', true],
  ])(
    'I1: its effect is there once when its process dies after the commit (%s)',
    async (_what, isClient) => {
      await fresh()
      const store = storeFile()
      expect(await child({ store, bank: database.url, death: 'step:after', isClient })).toBe('SIGKILL')
      expect(await balance()).toBe(70)
      const db = isClient ? await client() : pool
      const pay = workflow('pay', {}, (ctx) =>
        ctx.tx('take', db, (tx) => tx.query('update account set balance = balance - 30')),
      )
      expect(await endedIn(store, pay)).toBe(30)
      expect(await balance()).toBe(70)
    },
    60_000,
  )

  it('has one transaction at a time on one client', async () => {
    await fresh()
    const db = await client()
    const pay = workflow('pay', {}, (ctx) =>
      Promise.allSettled(
        [10, 20].map((amount) =>
          ctx.tx(
            `take ${amount}`,
            db,
            async (tx) => {
              await tx.query('update account set balance = balance - $1', [amount])
              if (amount === 10) throw new Error('no')
              return amount
            },
            { retry: { attempts: 1 } },
          ),
        ),
      ),
    )
    const { troupe, clock } = await onStage({ definitions: [pay] })
    const ends = await movingSlowly(clock, troupe.run(pay))
    expect([ends.map(({ status }) => status), await balance()]).toEqual([['rejected', 'fulfilled'], 80])
  }, 60_000)

  it('I1: does nothing again that an earlier generation commits while it waits for that', async () => {
    await fresh()
    const zombie = await client()
    let isFirst = true
    const pay = workflow('pay', {}, (ctx) =>
      ctx.tx(
        'take',
        pool,
        async (tx) => {
          if (isFirst) throw new Error('no')
          await tx.query('update account set balance = balance - 30')
          return 'by the second'
        },
        { retry: { attempts: 1 } },
      ),
    )
    const { troupe, clock } = await onStage({ definitions: [pay] })
    const handle = await troupe.call(pay)
    await rejection(movingSlowly(clock, handle.result()))
    isFirst = false
    // A process that was paused in the midst of the first generation.
    await zombie.query('begin')
    await zombie.query('update account set balance = balance - 30')
    await zombie.query(`insert into troupe_step values ($1, 'take', 1, 'j"by the first"', 0)`, [handle.id])
    await handle.retry()
    const ended = movingSlowly(clock, handle.result())
    const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock'`
    while ((await pool.query(waiting)).rows.length === 0) await clock.advance(0)
    await zombie.query('commit')
    expect([await ended, await balance()]).toEqual(['by the first', 70])
  }, 60_000)

  it('deletes old rows of old runs', async () => {
    const { now, rows, left } = leftRows()
    const fill = workflow('fill', {}, (ctx) => ctx.tx('fill', pool, () => 1))
    const { troupe, clock } = await onStage({ definitions: [fill], clock: new ManualClock(now) })
    await movingSlowly(clock, troupe.run(fill))
    for (const row of rows) await pool.query(`insert into troupe_step values ($1, 'old', 1, '1', $2)`, row)
    const other = openPool(database.url)
    onTestFinished(() => other.end())
    const next = workflow('next', {}, (ctx) => ctx.tx('next', other, () => 2))
    await troupe.register(next)
    await movingSlowly(clock, troupe.run(next))
    const kept = await pool.query(`select run from troupe_step where path = 'old' order by run`)
    expect(kept.rows).toEqual(left)
  }, 60_000)

  it('I1: its effect is not there when its process dies inside', async () => {
    await fresh()
    expect(await child({ store: storeFile(), bank: database.url, death: 'inside' })).toBe('SIGKILL')
    expect(await balance()).toBe(100)
  }, 60_000)
})

/** The result of the one run that a dead process left, performed by another. */
async function endedIn(store: string, pay: Definition<void>): Promise<unknown> {
  const { troupe, clock } = await onStage({ store, definitions: [pay] })
  const [run] = await troupe.runs()
  return movingSlowly(clock, (await troupe.handle(run?.id ?? '')).result())
}

/** Ends with the signal that ended it. */
function child(order: Readonly<Record<'store' | 'bank' | 'death', string>> & { isClient?: boolean }): Promise<unknown> {
  const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))
  const file = fileURLToPath(new URL('./tx-child.ts', import.meta.url))
  const env = { ...process.env, JITI_FS_CACHE: 'false', NODE_OPTIONS: '' }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [jiti, file, JSON.stringify(order)], { env, timeout: 30_000 }, (error) => {
      if (error === null || error.signal === 'SIGKILL') resolve(error?.signal)
      else reject(error)
    })
  })
}
