// BullMQ on a Redis of this machine; the durability is that of the server.
import type { Peer, Wanted } from './peers.ts'
import { fromCallers, paceOf, type Pace, wait } from '../measure.ts'
import { doneOf, jobOf, Tally, type Done, type Job, type Row } from './work.ts'

export interface BullMq {
  readonly Queue: new (name: string, options: object) => BullQueue
  readonly Worker: new (
    name: string,
    work: (job: { data: Job }) => Promise<Done>,
    options: object,
  ) => { close(): Promise<void>; waitUntilReady(): Promise<unknown> }
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

export function bullmqPeer(bull: BullMq, wanted: Wanted, port: number): Peer {
  const who = 'bullmq'
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }
  const name = `troupe-bench-${process.pid}`
  const withQueue = async <T>(use: (queue: BullQueue) => Promise<T>): Promise<T> => {
    const queue = new bull.Queue(name, { connection })
    try {
      return await use(queue)
    } finally {
      await queue.obliterate({ force: true })
      await queue.close()
    }
  }
  const withWorker = async <T>(work: (job: { data: Job }) => Promise<Done>, use: () => Promise<T>): Promise<T> => {
    const worker = new bull.Worker(name, work, { connection, concurrency })
    try {
      await worker.waitUntilReady()
      return await use()
    } finally {
      await worker.close()
    }
  }
  const row = (what: string, use: (queue: BullQueue) => Promise<Pace>): Row => ({
    what,
    who,
    measure: () => withQueue(use),
  })
  return {
    who,
    rows: [
      row(wanted.call, (queue) =>
        paceOf(wanted.count / 4, (count) => fromCallers(count, (i) => queue.add('noop', jobOf(i), opts))),
      ),
      row(wanted.callMany, (queue) => paceOf(wanted.count / 4, (count) => addMany(queue, count))),
      row(wanted.process, async (queue) => {
        const count = Math.round(wanted.count / 4)
        await addMany(queue, count)
        const tally = new Tally(count)
        const work = async ({ data }: { data: Job }): Promise<Done> => {
          tally.begins()
          const done = doneOf(data)
          tally.ends()
          return done
        }
        return withWorker(work, () => tally.all())
      }),
    ],
    latency: (count) => withQueue((queue) => latency(queue, withWorker, count)),
    note: `${who}: concurrency ${concurrency}, removeOnComplete; as durable as its Redis is set to be`,
  }
}

type WithWorker = (work: (job: { data: Job }) => Promise<Done>, use: () => Promise<number[]>) => Promise<number[]>

function latency(queue: BullQueue, withWorker: WithWorker, count: number): Promise<number[]> {
  let began: () => void = () => {}
  const work = async ({ data }: { data: Job }): Promise<Done> => {
    began()
    return doneOf(data)
  }
  return withWorker(work, async () => {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const startedAt = performance.now()
      const begun = new Promise<void>((resolve) => {
        began = resolve
      })
      await queue.add('noop', jobOf(i), opts)
      await begun
      times.push(performance.now() - startedAt)
      await wait(5)
    }
    return times
  })
}

async function addMany(queue: BullQueue, count: number): Promise<void> {
  for (let from = 0; from < count; from += bulkSlice) {
    const some = Math.min(bulkSlice, count - from)
    await queue.addBulk(Array.from({ length: some }, (_, i) => ({ name: 'noop', data: jobOf(from + i), opts })))
  }
}
