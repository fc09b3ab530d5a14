// The yardstick: the rows of a 3-step workflow written with bare statements, one transaction for each turn of the event loop.
// It checks that each run is still held, as any engine must, and does nothing else: no validation, retries, wake-ups or leases.
import { systemClock } from '../src/lib/clock.ts'
import { createIds } from '../src/lib/ids.ts'
import { openDriver, type SqlValue } from '../src/store/sqlite/driver.ts'
import { migrations } from '../src/store/sqlite/migrations.ts'

type Work = () => void

const insertLive = `insert into live (run_id, generation, state, queue, definition, priority, due_at, node, epoch, attempt, deliveries, started_at)
    values (?, 1, 'running', 1, 1, 0, null, 1, 1, 1, 0, ?)`

const insertFinished = `insert into finished (run_id, generation, outcome, value, attempt, epoch, started_at, finished_at)
    values (?, 1, 'succeeded', ?, 1, 1, ?, ?)`

export async function rawWorkflows(path: string): Promise<{ run(i: number): Promise<unknown>; close(): void }> {
  const db = await openDriver(path)
  db.exec('pragma journal_mode = wal')
  db.exec('pragma synchronous = full')
  for (const step of migrations) db.exec(step)
  const run = db.prepare(
    'insert into run (id, public_id, definition, queue, input, created_at) values (?, ?, 1, 1, ?, ?)',
  )
  const live = db.prepare(insertLive)
  const held = db.prepare(`select 1 from live where run_id = ? and epoch = 1 and node = 1 and state = 'running'`)
  const step = db.prepare(`insert into step values (?, 1, ?, ?, 'step', 1, 0, ?, 1, ?, ?)`)
  const finished = db.prepare(insertFinished)
  const gone = db.prepare('delete from live where run_id = ?')

  let waiting: { work: Work; done: () => void }[] = []
  const commit = (work: Work): Promise<void> =>
    new Promise((done) => {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ work, done })
    })
  const flush = (): void => {
    const batch = waiting
    waiting = []
    db.exec('begin immediate')
    for (const { work } of batch) work()
    db.exec('commit')
    for (const { done } of batch) done()
  }

  const ids = createIds(systemClock)
  let lastId = 0
  const record = (id: number, [name, seq]: [string, number], value: SqlValue): Promise<void> =>
    commit(() => {
      held.get(id)
      const now = Date.now()
      step.run(id, name, seq, value, now, now)
    })

  return {
    async run(i) {
      const id = ++lastId
      const startedAt = Date.now()
      await commit(() => {
        run.run(id, ids.uuid(), `j${i}`, startedAt)
        live.run(id, startedAt)
      })
      await record(id, ['a', 1], `j${JSON.stringify({ ok: true, i })}`)
      await record(id, ['b', 2], `j${JSON.stringify({ ok: true, i: i + 1 })}`)
      const value = `j${JSON.stringify({ ok: true, i: i + 2 })}`
      await record(id, ['c', 3], value)
      await commit(() => {
        held.get(id)
        finished.run(id, value, startedAt, Date.now())
        gone.run(id)
      })
      return JSON.parse(value.slice(1))
    },
    close: () => db.close(),
  }
}
