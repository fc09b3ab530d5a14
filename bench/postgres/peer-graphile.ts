// graphile-worker: jobs are fetched five hundred at a time and ended in batches.
import { check, fromCallers, paceOf, type Pace } from '../measure.ts'
import { ask, type Within } from '../postgres-server.ts'
import type { Peer, Wanted } from '../queue/peers.ts'
import { Beginnings, inSlices, jobOf, Tally, type Job, type Row } from '../queue/work.ts'

export const graphileName = 'graphile-worker'

export interface GraphileWorker {
  readonly Logger: new (factory: () => () => void) => object
  makeWorkerUtils(options: object): Promise<Utils>
  run(options: object): Promise<{ stop(): Promise<void> }>
}

interface Utils {
  migrate(): Promise<void>
  addJob(name: string, payload: Job): Promise<unknown>
  addJobs(jobs: readonly { identifier: string; payload: Job }[]): Promise<unknown>
  release(): Promise<void>
}

interface Opened {
  readonly utils: Utils
  /** Calls `use` while a worker does `work`. */
  withWorker<T>(work: () => Promise<void>, use: () => Promise<T>): Promise<T>
}

const concurrentJobs = 24
const maxPoolSize = concurrentJobs + 1
const bulkSlice = 1_000
const starts = 300
const restMs = 20

const settings = {
  concurrentJobs,
  maxPoolSize,
  // Of the sizes 500 and 2,000 the one that is better is not always the same; the former is that of its own benchmark.
  localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
}

export function graphilePeer(graphile: GraphileWorker, wanted: Wanted, within: Within): Peer {
  const who = graphileName
  const logger = new graphile.Logger(() => () => {})
  const opened = <T>(use: (opened: Opened) => Promise<T>): Promise<T> =>
    within(async (connectionString) => {
      const utils = await graphile.makeWorkerUtils({ connectionString, maxPoolSize, logger })
      await utils.migrate()
      const withWorker: Opened['withWorker'] = async (work, useIt) => {
        const preset = { worker: { ...settings, connectionString, logger } }
        const runner = await graphile.run({ preset, taskList: { noop: work }, noHandleSignals: true })
        try {
          return await useIt()
        } finally {
          await runner.stop()
          const [left] = await ask<{ n: string }>(connectionString, 'select count(*) as n from graphile_worker.jobs')
          check('jobs left', left?.n, '0')
        }
      }
      try {
        return await use({ utils, withWorker })
      } finally {
        await utils.release()
      }
    })
  const row = (what: string, figure: (opened: Opened) => Promise<Pace>): Row => ({
    what,
    who,
    measure: () => opened(figure),
  })
  const { call, callMany, process, count } = wanted
  return {
    who,
    rows: [
      // Each is a transaction with a notification: fewer tell as much.
      row(call, ({ utils }) => paceOf(count / 8, (some) => fromCallers(some, (i) => utils.addJob('noop', jobOf(i))))),
      row(callMany, ({ utils }) => paceOf(count, (some) => addMany(utils, some))),
      row(process, (parts) => processAll(parts, count)),
    ],
    latency: () => opened(latency),
    note: `${who}: concurrency ${concurrentJobs}, local queue of 500, ends in batches (delay 0); no result and no history is kept: a job that has ended is deleted`,
  }
}

async function processAll({ utils, withWorker }: Opened, count: number): Promise<Pace> {
  await addMany(utils, count)
  const tally = new Tally(count)
  const work = async (): Promise<void> => {
    tally.begins()
    tally.ends()
  }
  return withWorker(work, () => tally.all())
}

function latency({ utils, withWorker }: Opened): Promise<number[]> {
  const beginnings = new Beginnings()
  return withWorker(
    async () => beginnings.began(),
    () => beginnings.after((job) => utils.addJob('noop', job), starts, restMs),
  )
}

function addMany(utils: Utils, count: number): Promise<void> {
  return inSlices(count, bulkSlice, (jobs) => utils.addJobs(jobs.map((payload) => ({ identifier: 'noop', payload }))))
}
