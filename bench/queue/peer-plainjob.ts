// plainjob, on the SQLite driver that Troupe uses: by its own setting NORMAL, and with the durability of the others.
import { join } from 'node:path'
import { openDriver, type SqlDriver } from '../../src/store/sqlite/connection/driver.ts'
import type { Peer, Wanted } from './peers.ts'
import { fromCallers, paceOf, withFolder, type Pace, wait } from '../measure.ts'
import { jobOf, Tally, type Job, type Row } from './work.ts'

export interface PlainJob {
  defineQueue(options: { connection: object; logger: object }): PlainQueue
  defineWorker(type: string, work: () => Promise<void>, options: { queue: PlainQueue; logger: object }): PlainWorker
}

interface PlainQueue {
  add(type: string, data: Job): unknown
  addMany(type: string, data: readonly Job[]): unknown
  close(): void
}

interface PlainWorker {
  start(): Promise<void>
  stop(): Promise<void>
}

interface Opened {
  readonly queue: PlainQueue
  readonly employ: (work: () => Promise<void>) => PlainWorker
}

type Synchronous = 'normal' | 'full'
type Transaction = ((...args: unknown[]) => unknown) & { immediate?: (...args: unknown[]) => unknown }

const nothing = (): void => {}
const silent = { error: nothing, warn: nothing, info: nothing, debug: nothing }
const bulkSlice = 10_000
const starts = 10

export function plainjobPeer(plainjob: PlainJob, wanted: Wanted, synchronous: Synchronous): Peer {
  const who = `plainjob ${synchronous.toUpperCase()}`
  const opened = <T>(use: (opened: Opened) => Promise<T>): Promise<T> =>
    withFolder(async (folder) => {
      const db = await openDriver(join(folder, 'plainjob.db'))
      const queue = plainjob.defineQueue({ connection: connectionOf(db), logger: silent })
      db.exec(`pragma synchronous = ${synchronous}`)
      const employ: Opened['employ'] = (work) => plainjob.defineWorker('noop', work, { queue, logger: silent })
      const result = await use({ queue, employ })
      queue.close()
      return result
    })
  const row = (what: string, use: (opened: Opened) => Promise<Pace>): Row => ({
    what,
    who,
    measure: () => opened(use),
  })
  return {
    who,
    rows: [
      row(wanted.call, ({ queue }) =>
        paceOf(wanted.count / 4, (count) => fromCallers(count, async (i) => queue.add('noop', jobOf(i)))),
      ),
      row(wanted.callMany, ({ queue }) =>
        paceOf(wanted.count, async (count) => {
          for (let left = count; left > 0; left -= bulkSlice)
            queue.addMany(
              'noop',
              Array.from({ length: Math.min(left, bulkSlice) }, (_, i) => jobOf(i)),
            )
        }),
      ),
      row(wanted.process, (parts) => processAll(parts, Math.round(wanted.count / 8))),
    ],
    latency: () => opened(latency),
    note: `${who}: each start and end is a transaction of its own, one job at a time, looked for once a second when idle; on the driver that Troupe uses`,
  }
}

async function processAll({ queue, employ }: Opened, count: number): Promise<Pace> {
  queue.addMany(
    'noop',
    Array.from({ length: count }, (_, i) => jobOf(i)),
  )
  const tally = new Tally(count)
  const worker = employ(async () => {
    tally.begins()
    tally.ends()
  })
  void tally.all().then(() => worker.stop())
  await worker.start()
  return tally.all()
}

async function latency({ queue, employ }: Opened): Promise<number[]> {
  let began: () => void = nothing
  const worker = employ(async () => began())
  const ended = worker.start()
  const times: number[] = []
  for (let i = 0; i < starts; i++) {
    const startedAt = performance.now()
    await new Promise<void>((resolve) => {
      began = resolve
      queue.add('noop', jobOf(i))
    })
    times.push(performance.now() - startedAt)
    // It looks once a second: each start comes at another moment of that second.
    await wait(((i + 0.5) / starts) * 1_000)
  }
  await worker.stop()
  await ended
  return times
}

/** What plainjob asks of a connection. */
function connectionOf(db: SqlDriver): object {
  const within = (work: (...args: unknown[]) => unknown, begin: string) => (args: unknown[]) => {
    db.exec(begin)
    const result = work(...args)
    db.exec('commit')
    return result
  }
  return {
    driver: 'better-sqlite3',
    filename: 'plainjob.db',
    pragma: (text: string) => db.exec(`pragma ${text}`),
    exec: (text: string) => db.exec(text),
    prepare: (text: string) => db.prepare(text),
    close: () => db.close(),
    transaction: (work: (...args: unknown[]) => unknown): Transaction => {
      const [deferred, immediate] = [within(work, 'begin'), within(work, 'begin immediate')]
      return Object.assign((...args: unknown[]) => deferred(args), {
        immediate: (...args: unknown[]) => immediate(args),
      })
    },
  }
}
