// BullMQ: on a Redis that is there already, on one of its own, and on a Postgres of its own.
import type { Peer, Wanted } from './peers.ts'
import { fromCallers, paceOf, type Pace, wait } from '../measure.ts'
import { withPostgres, type Within } from '../postgres-server.ts'
import { answersRedis, hasRedis, withRedis } from '../redis.ts'
import { Beginnings, doneOf, inSlices, jobOf, Tally, type Done, type Job, type Row } from './work.ts'

export interface BullMq extends Classes {
  withBackend(backend: unknown): Classes
  readonly createPostgresBackend: unknown
}

interface Classes {
  readonly Queue: new (name: string, options: object) => BullQueue
  readonly Worker: new (
    name: string,
    work: (job: { data: Job }) => Promise<Done>,
    options: object,
  ) => { close(): Promise<void>; waitUntilReady(): Promise<unknown> }
}

interface Opened {
  readonly queue: BullQueue
  withWorker<T>(work: (job: { data: Job }) => Promise<Done>, use: () => Promise<T>): Promise<T>
}

interface BullQueue {
  add(name: string, data: Job, options: object): Promise<unknown>
  addBulk(jobs: readonly { name: string; data: Job; opts: object }[]): Promise<unknown>
  obliterate(options: { force: boolean }): Promise<void>
  close(): Promise<void>
}

const opts = { removeOnComplete: true }
const bulkSlice = 1_000
const concurrency = 100
const starts = 500
const restMs = 5

/** What it stores its jobs in. */
interface Storage extends Classes {
  readonly who: string
  readonly note: string
  /** Fewer runs than others take tell as much. */
  readonly part: number
  /** Calls `use` with what it is to connect to. */
  connected<T>(use: (connection: object) => Promise<T>): Promise<T>
}

/** On the Redis that listens on that port of this machine, or else on one of its own. Throws where there is neither. */
export async function bullmqOnSomeRedis(bull: BullMq, wanted: Wanted, port: number): Promise<Peer> {
  if (await answersRedis(port)) return bullmqOnRedis(bull, wanted, port)
  if (hasRedis()) return bullmqOnOwnRedis(bull, wanted)
  throw new Error(`no Redis answers on 127.0.0.1:${port}, and redis-server is not on this machine`)
}

/** On a Redis that listens on this machine. */
const bullmqOnRedis = (bull: BullMq, wanted: Wanted, port: number): Peer =>
  bullmqPeer(wanted, {
    who: 'bullmq',
    ...classesOf(bull),
    part: 1 / 4,
    connected: (use) => use(redisAt(port)),
    note: 'as durable as its Redis is set to be',
  })

/** On a Redis of its own for each row. */
const bullmqOnOwnRedis = (bull: BullMq, wanted: Wanted): Peer =>
  bullmqPeer(wanted, {
    who: 'bullmq',
    ...classesOf(bull),
    part: 1 / 4,
    connected: (use) => withRedis((port) => use(redisAt(port))),
    note: 'its Redis syncs each write before it answers (appendfsync always)',
  })

/** On a Postgres of its own for each row, unless told. */
export const bullmqOnPostgres = (bull: BullMq, wanted: Wanted, within: Within = withPostgres): Peer =>
  bullmqPeer(wanted, {
    who: 'bullmq on Postgres',
    ...bull.withBackend(bull.createPostgresBackend),
    part: 1 / 16,
    connected: (use) =>
      within(async (connectionString) => {
        const result = await use({ connectionString, migrate: true, max: 20 })
        // Its connections end a moment after it says so.
        await wait(100)
        return result
      }),
    note: 'with fsync, reached over TCP by 20 connections each of its queue and its worker',
  })

const classesOf = ({ Queue, Worker }: BullMq): Classes => ({ Queue, Worker })

const redisAt = (port: number): object => ({ host: '127.0.0.1', port, maxRetriesPerRequest: null })

function bullmqPeer(wanted: Wanted, { who, note, part, connected, Queue, Worker }: Storage): Peer {
  const count = Math.round(wanted.count * part)
  const name = `troupe-bench-${process.pid}`
  const opened = <T>(use: (opened: Opened) => Promise<T>): Promise<T> =>
    connected(async (connection) => {
      const queue = new Queue(name, { connection })
      const withWorker: Opened['withWorker'] = async (work, useIt) => {
        const worker = new Worker(name, work, { connection, concurrency })
        try {
          await worker.waitUntilReady()
          return await useIt()
        } finally {
          await worker.close()
        }
      }
      try {
        return await use({ queue, withWorker })
      } finally {
        await queue.obliterate({ force: true })
        await queue.close()
      }
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
        paceOf(count, (some) => fromCallers(some, (i) => queue.add('noop', jobOf(i), opts))),
      ),
      row(wanted.callMany, ({ queue }) => paceOf(count, (some) => addMany(queue, some))),
      row(wanted.process, (parts) => processAll(parts, count)),
    ],
    latency: () => opened(latency),
    note: `${who}: concurrency ${concurrency}, removeOnComplete; ${note}`,
  }
}

async function processAll({ queue, withWorker }: Opened, count: number): Promise<Pace> {
  await addMany(queue, count)
  const tally = new Tally(count)
  const work = async ({ data }: { data: Job }): Promise<Done> => {
    tally.begins()
    const done = doneOf(data)
    tally.ends()
    return done
  }
  return withWorker(work, () => tally.all())
}

function latency({ queue, withWorker }: Opened): Promise<number[]> {
  const beginnings = new Beginnings()
  const work = async ({ data }: { data: Job }): Promise<Done> => {
    beginnings.began()
    return doneOf(data)
  }
  return withWorker(work, () => beginnings.after((job) => queue.add('noop', job, opts), starts, restMs))
}

function addMany(queue: BullQueue, count: number): Promise<void> {
  return inSlices(count, bulkSlice, (jobs) => queue.addBulk(jobs.map((data) => ({ name: 'noop', data, opts }))))
}
