// The least that a queue can write: one row in one table for each job, with no history, no fence and no ids for people.
import { join } from 'node:path'
import { openDriver, type SqlDriver, type SqlStatement } from '../../src/store/sqlite/connection/driver.ts'
import { check, fromCallers, paceOf, withFolder, type Pace } from '../measure.ts'
import { doneOf, jobOf, Tally, type Job, type Row } from './work.ts'

export const oneTable = 'one table'
const who = oneTable
const claimedAtOnce = 100
const insertedAtOnce = 1_000

const schema = `
create table job (
  id integer primary key,
  state text not null,
  payload text not null,
  result text,
  created_at integer not null,
  claimed_at integer
);
create index job_ready on job (id) where state = 'ready';`

const statements = {
  insert: `insert into job (state, payload, created_at) values ('ready', ?, ?)`,
  claim: `update job set state = 'running', claimed_at = ?
    where id in (select id from job where state = 'ready' order by id limit ?) returning id, payload`,
  complete: `update job set state = 'done', result = ? where id = ?`,
  count: `select count(*) as n from job where ? is null or state = ?`,
}

class OneTable {
  readonly #db: SqlDriver
  readonly #sql: Record<keyof typeof statements, SqlStatement>
  #waiting: { readonly payload: string; readonly done: () => void }[] = []

  constructor(db: SqlDriver) {
    this.#db = db
    for (const pragma of ['journal_mode = wal', 'synchronous = full', 'wal_autocheckpoint = 4000'])
      db.exec(`pragma ${pragma}`)
    db.exec(schema)
    const prepared = Object.entries(statements).map(([name, text]) => [name, db.prepare(text)])
    this.#sql = Object.fromEntries(prepared) as Record<keyof typeof statements, SqlStatement>
  }

  start(job: Job): Promise<void> {
    return new Promise((done) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush())
      this.#waiting.push({ payload: JSON.stringify(job), done })
    })
  }

  startMany(count: number): void {
    for (let from = 0; from < count; from += insertedAtOnce) {
      const some = Math.min(insertedAtOnce, count - from)
      this.#write(() => {
        for (let i = from; i < from + some; i++) this.#sql.insert.run(JSON.stringify(jobOf(i)), Date.now())
      })
    }
  }

  async processAll(perform: (job: Job) => Promise<unknown>): Promise<void> {
    for (;;) {
      const claimed = this.#write(() => this.#sql.claim.all(Date.now(), claimedAtOnce)) as {
        id: number
        payload: string
      }[]
      if (claimed.length === 0) return
      const done: [string, number][] = []
      for (const { id, payload } of claimed) done.push([JSON.stringify(await perform(JSON.parse(payload) as Job)), id])
      this.#write(() => {
        for (const [result, id] of done) this.#sql.complete.run(result, id)
      })
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  count(state: string | null): number {
    return (this.#sql.count.get(state, state) as { n: number }).n
  }

  close(): void {
    this.#db.close()
  }

  #flush(): void {
    const batch = this.#waiting
    this.#waiting = []
    this.#write(() => {
      for (const { payload } of batch) this.#sql.insert.run(payload, Date.now())
    })
    for (const { done } of batch) done()
  }

  #write<T>(work: () => T): T {
    this.#db.exec('begin immediate')
    const result = work()
    this.#db.exec('commit')
    return result
  }
}

export const leastCallRow = (what: string, count: number): Row =>
  row(what, { jobs: count + Math.ceil(count / 10), state: 'ready' }, (table) =>
    paceOf(count, (times) => fromCallers(times, (i) => table.start(jobOf(i)))),
  )

export const leastCallManyRow = (what: string, count: number): Row =>
  row(what, { jobs: count + Math.ceil(count / 10), state: 'ready' }, (table) =>
    paceOf(count, async (times) => table.startMany(times)),
  )

export const leastProcessRow = (what: string, count: number): Row =>
  row(what, { jobs: count, state: 'done' }, async (table) => {
    table.startMany(count)
    const tally = new Tally(count)
    await table.processAll(async (job) => {
      tally.begins()
      const done = doneOf(job)
      tally.ends()
      return done
    })
    return tally.all()
  })

function row(
  what: string,
  wanted: { readonly jobs: number; readonly state: string },
  figure: (table: OneTable) => Promise<Pace>,
): Row {
  const measure = (): Promise<Pace> =>
    withFolder(async (folder) => {
      const table = new OneTable(await openDriver(join(folder, 'jobs.db')))
      const measured = await figure(table)
      check(`jobs that are ${wanted.state}`, table.count(wanted.state), wanted.jobs)
      check('jobs', table.count(null), wanted.jobs)
      table.close()
      return measured
    })
  return { what, who, measure }
}
