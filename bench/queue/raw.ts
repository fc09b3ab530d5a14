// The yardstick: the rows of starts, claims and ends written with bare statements on the same driver, one transaction for each turn.
// It takes numbers from the same counters and checks that each run is still held, as any engine must, and does nothing else.
import { systemClock } from '../../src/lib/clock.ts'
import { createIds } from '../../src/lib/ids.ts'
import { openDriver, type SqlDriver, type SqlStatement } from '../../src/store/sqlite/connection/driver.ts'
import { migrations } from '../../src/store/sqlite/migrations/migrations.ts'

/** How many runs one transaction claims and ends. */
const atOnce = 100

const statements = {
  take: 'update counter set value = value + ? where name = ? returning value',
  run: 'insert into run (id, public_id, definition, queue, input, created_at) values (?, ?, 1, ?, ?, ?)',
  live: `insert into live (run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at)
    values (?, 1, ?, ?, 1, 0, ?, ?, ?, 1, 0, ?)`,
  claim: `update live set state = 'running', node = 1, epoch = ?, due_at = null, started_at = ?
    where run_id in (select run_id from live where state = 'ready' and queue = 1 order by priority desc, run_id limit ?)
    returning run_id as id`,
  body: 'select input from run where id = ?',
  held: `select 1 from live where run_id = ? and epoch = ? and node = 1 and state = 'running'`,
  finished: `insert into finished (run_id, generation, outcome, value, attempt, epoch, started_at, finished_at)
    values (?, 1, 'succeeded', ?, 1, ?, ?, ?)`,
  gone: 'delete from live where run_id = ?',
}

type Statements = Record<keyof typeof statements, SqlStatement>

interface Claim {
  readonly id: number
  readonly epoch: number
  readonly startedAt: number
}

interface ClaimedJob extends Claim {
  readonly input: unknown
}

interface Ended extends Claim {
  readonly value: string
}

/** What is to be written in the next turn. */
interface Waiting {
  /** Gets the number of its run when it is a start, and the epoch of the transaction. */
  readonly work: (id: number, epoch: number) => void
  readonly isStart: boolean
  readonly done: () => void
}

/** Runs that wait and that no engine of the bench serves. */
export interface Backlog {
  readonly queueId: number
  readonly count: number
  /** Scheduled for then; ready when left out. */
  readonly dueAt?: number
}

export class RawQueue {
  readonly #db: SqlDriver
  readonly #sql: Statements
  readonly #ids = createIds(systemClock)
  #waiting: Waiting[] = []

  private constructor(db: SqlDriver, sql: Statements) {
    this.#db = db
    this.#sql = sql
  }

  /** Opens a file; `isNew` when no engine has made its tables. */
  static async open(path: string, isNew = true): Promise<RawQueue> {
    const db = await openDriver(path)
    for (const pragma of ['journal_mode = wal', 'synchronous = full', 'wal_autocheckpoint = 4000'])
      db.exec(`pragma ${pragma}`)
    if (isNew) for (const step of migrations) db.exec(step)
    const sql = Object.fromEntries(Object.entries(statements).map(([name, text]) => [name, db.prepare(text)]))
    return new RawQueue(db, sql as Statements)
  }

  /** Makes one run durable, together with those of the same turn. */
  start(input: unknown): Promise<void> {
    const text = encoded(input)
    return this.#inNextTurn(true, (id) => this.#insert(id, text))
  }

  startMany(inputs: readonly unknown[]): void {
    this.#write(() => {
      let id = this.#take('run', inputs.length)
      for (const input of inputs) this.#insert(id++, encoded(input))
    })
  }

  /** Starts one run here, performs it once that is durable, and resolves once its end is. */
  async run<Input>(input: Input, perform: (input: Input) => Promise<unknown>): Promise<void> {
    const text = encoded(input)
    let claim: Claim = { id: 0, epoch: 0, startedAt: 0 }
    await this.#inNextTurn(true, (id, epoch) => {
      const startedAt = Date.now()
      claim = { id, epoch, startedAt }
      this.#sql.run.run(id, this.#ids.uuid(), 1, text, startedAt)
      this.#sql.live.run(id, 'running', 1, null, 1, epoch, startedAt)
    })
    const value = encoded(await perform(input))
    await this.#inNextTurn(false, () => this.#end({ ...claim, value }))
  }

  /** Performs all that is ready: one transaction ends the last hundred and claims the next. */
  async processAll(perform: (input: unknown) => Promise<unknown>): Promise<void> {
    let ended: Ended[] = []
    for (;;) {
      const jobs = this.#turnOver(ended)
      if (jobs.length === 0) return
      ended = []
      for (const { input, ...claim } of jobs) ended.push({ ...claim, value: encoded(await perform(input)) })
      // As any engine, it lets timers and sockets have their turn.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  fill({ queueId, count, dueAt }: Backlog): void {
    const slice = 10_000
    for (let left = count; left > 0; left -= slice) {
      this.#write(() => {
        const some = Math.min(slice, left)
        let id = this.#take('run', some)
        for (let i = 0; i < some; i++) this.#insertWaiting(id++, queueId, dueAt ?? null)
      })
    }
  }

  close(): void {
    this.#db.exec('pragma wal_checkpoint(truncate)')
    this.#db.close()
  }

  #turnOver(ended: readonly Ended[]): ClaimedJob[] {
    return this.#write(() => {
      for (const one of ended) this.#end(one)
      const epoch = this.#take('epoch', 1)
      const startedAt = Date.now()
      const ids = (this.#sql.claim.all(epoch, startedAt, atOnce) as { id: number }[]).map(({ id }) => id)
      return ids.map((id) => ({ id, epoch, startedAt, input: this.#input(id) }))
    })
  }

  #input(id: number): unknown {
    return JSON.parse((this.#sql.body.get(id) as { input: string }).input.slice(1))
  }

  #insert(id: number, text: string): void {
    this.#sql.run.run(id, this.#ids.uuid(), 1, text, Date.now())
    this.#sql.live.run(id, 'ready', 1, null, null, 0, null)
  }

  #insertWaiting(id: number, queueId: number, dueAt: number | null): void {
    this.#sql.run.run(id, this.#ids.uuid(), queueId, 'j{"i":0,"kind":"noop"}', Date.now())
    this.#sql.live.run(id, dueAt === null ? 'ready' : 'scheduled', queueId, dueAt, null, 0, null)
  }

  #end({ id, epoch, startedAt, value }: Ended): void {
    if (this.#sql.held.get(id, epoch) === undefined) return
    this.#sql.gone.run(id)
    this.#sql.finished.run(id, value, epoch, startedAt, Date.now())
  }

  #take(name: 'run' | 'epoch', count: number): number {
    return (this.#sql.take.get(count, name) as { value: number }).value - count + 1
  }

  #inNextTurn(isStart: boolean, work: Waiting['work']): Promise<void> {
    return new Promise((done) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush())
      this.#waiting.push({ isStart, work, done })
    })
  }

  #flush(): void {
    const batch = this.#waiting
    this.#waiting = []
    this.#write(() => {
      const starts = batch.filter(({ isStart }) => isStart).length
      let id = starts === 0 ? 0 : this.#take('run', starts)
      const epoch = this.#take('epoch', 1)
      for (const { isStart, work } of batch) work(isStart ? id++ : 0, epoch)
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

function encoded(value: unknown): string {
  return `j${JSON.stringify(value)}`
}
