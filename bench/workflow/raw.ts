// The yardstick: the rows of a 3-step workflow written with bare statements, one transaction for each turn of the event loop.
// It checks that each run is still held, as any engine must, and does nothing else: no validation, retries, wake-ups or leases.
import { systemClock } from '../../src/lib/clock.ts'
import { createIds } from '../../src/lib/ids.ts'
import { openDriver, type SqlDriver, type SqlStatement } from '../../src/store/sqlite/connection/driver.ts'
import { migrations } from '../../src/store/sqlite/migrations/migrations.ts'

type Work = () => void

const statements = {
  run: 'insert into run (id, public_id, definition, queue, input, created_at) values (?, ?, 1, 1, ?, ?)',
  live: `insert into live (run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at)
    values (?, 1, 'running', 1, 1, 0, null, 1, 1, 1, 0, ?)`,
  held: `select 1 from live where run_id = ? and epoch = 1 and node = 1 and state = 'running'`,
  step: `insert into step (run_id, generation, path, seq, kind, attempt, is_error, value, epoch, started_at, finished_at)
    values (?, 1, ?, ?, 'step', 1, 0, ?, 1, ?, ?)`,
  finished: `insert into finished (run_id, generation, outcome, value, attempt, epoch, started_at, finished_at)
    values (?, 1, 'succeeded', ?, 1, 1, ?, ?)`,
  gone: 'delete from live where run_id = ?',
}

/** Bare statements for what a workflow of steps writes. */
export class RawWorkflows {
  readonly #db: SqlDriver
  readonly #sql: Record<keyof typeof statements, SqlStatement>
  readonly #ids = createIds(systemClock)
  #lastId = 0
  #waiting: { work: Work; done: () => void }[] = []

  private constructor(db: SqlDriver) {
    this.#db = db
    this.#sql = Object.fromEntries(Object.entries(statements).map(([name, sql]) => [name, db.prepare(sql)])) as Record<
      keyof typeof statements,
      SqlStatement
    >
  }

  static async open(path: string): Promise<RawWorkflows> {
    const db = await openDriver(path)
    db.exec('pragma journal_mode = wal')
    db.exec('pragma synchronous = full')
    for (const step of migrations) db.exec(step)
    return new RawWorkflows(db)
  }

  close(): void {
    this.#db.close()
  }

  async threeSteps(i: number): Promise<unknown> {
    const { id, startedAt } = await this.#start(i)
    await this.#step(id, ['a', 1], { ok: true, i })
    await this.#step(id, ['b', 2], { ok: true, i: i + 1 })
    const output = { ok: true, i: i + 2 }
    await this.#step(id, ['c', 3], output)
    return this.#end(id, startedAt, output)
  }

  async parallelSteps(count: number): Promise<unknown> {
    const { id, startedAt } = await this.#start(count)
    const steps = Array.from({ length: count }, (_, i) => this.#step(id, [`step-${i}`, i + 1], { ok: true, i }))
    await Promise.all(steps)
    return this.#end(id, startedAt, count)
  }

  /** Each step once all it needs are recorded; a counter for each tells when that is. */
  async graph(needs: readonly (readonly number[])[]): Promise<unknown> {
    const { id, startedAt } = await this.#start(needs.length)
    const left = needs.map(({ length }) => length)
    const dependents: number[][] = needs.map(() => [])
    for (const [i, all] of needs.entries()) for (const need of all) dependents[need]?.push(i)
    let seq = 0
    const perform = async (i: number): Promise<void> => {
      await this.#step(id, [`step-${i}`, ++seq], { ok: true, i })
      const ready = (dependents[i] ?? []).filter((next) => --(left[next] as number) === 0)
      await Promise.all(ready.map(perform))
    }
    await Promise.all([...left.keys()].filter((i) => left[i] === 0).map(perform))
    return this.#end(id, startedAt, null)
  }

  async #start(input: number): Promise<{ id: number; startedAt: number }> {
    const id = ++this.#lastId
    const startedAt = Date.now()
    await this.#commit(() => {
      this.#sql.run.run(id, this.#ids.uuid(), `j${input}`, startedAt)
      this.#sql.live.run(id, startedAt)
    })
    return { id, startedAt }
  }

  #step(id: number, [name, seq]: [string, number], output: object): Promise<void> {
    return this.#commit(() => {
      this.#sql.held.get(id)
      const now = Date.now()
      this.#sql.step.run(id, name, seq, `j${JSON.stringify(output)}`, now, now)
    })
  }

  async #end(id: number, startedAt: number, output: unknown): Promise<unknown> {
    const value = JSON.stringify(output)
    await this.#commit(() => {
      this.#sql.held.get(id)
      this.#sql.finished.run(id, `j${value}`, startedAt, Date.now())
      this.#sql.gone.run(id)
    })
    return JSON.parse(value)
  }

  #commit(work: Work): Promise<void> {
    return new Promise((done) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush())
      this.#waiting.push({ work, done })
    })
  }

  #flush(): void {
    const batch = this.#waiting
    this.#waiting = []
    this.#db.exec('begin immediate')
    for (const { work } of batch) work()
    this.#db.exec('commit')
    for (const { done } of batch) done()
  }
}
