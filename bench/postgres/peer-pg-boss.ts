// pg-boss: batches of five hundred, told of new jobs by the server.
import { fromCallers, paceOf, type Pace } from '../measure.ts'
import type { Within } from '../postgres-server.ts'
import type { Peer, Wanted } from '../queue/peers.ts'
import { Beginnings, inSlices, jobOf, Tally, type Job, type Row } from '../queue/work.ts'

export interface PgBossModule {
  readonly PgBoss: new (options: object) => PgBoss
}

interface PgBoss {
  on(event: 'error' | 'warning', hear: (told: unknown) => void): unknown
  start(): Promise<unknown>
  stop(options: object): Promise<void>
  createQueue(name: string, options: object): Promise<unknown>
  send(name: string, data: Job): Promise<unknown>
  insert(name: string, jobs: readonly { data: Job }[]): Promise<unknown>
  work(name: string, options: object, work: (jobs: readonly unknown[]) => Promise<void>): Promise<unknown>
}

const workers = 2
const batchSize = 500
const bulkSlice = 1_000
const starts = 200
const restMs = 20

export function pgBossPeer({ PgBoss }: PgBossModule, wanted: Wanted, within: Within): Peer {
  const who = 'pg-boss'
  const opened = <T>(use: (boss: PgBoss) => Promise<T>): Promise<T> =>
    within(async (connectionString) => {
      const boss = new PgBoss({ connectionString, max: 20, useListenNotify: true, supervise: false, schedule: false })
      // What it warns of, as that many jobs wait, is what is asked of it.
      for (const event of ['error', 'warning'] as const) boss.on(event, () => {})
      await boss.start()
      await boss.createQueue('noop', { notify: true })
      try {
        return await use(boss)
      } finally {
        await boss.stop({ graceful: true, wait: true })
      }
    })
  const row = (what: string, figure: (boss: PgBoss) => Promise<Pace>): Row => ({
    what,
    who,
    measure: () => opened(figure),
  })
  const { call, callMany, process, count } = wanted
  return {
    who,
    rows: [
      row(call, (boss) => paceOf(count / 8, (some) => fromCallers(some, (i) => boss.send('noop', jobOf(i))))),
      row(callMany, (boss) => paceOf(count, (some) => addMany(boss, some))),
      row(process, (boss) => processAll(boss, count)),
    ],
    latency: () => opened(latency),
    note: `${who}: ${workers} workers with batches of ${batchSize}, which end together; LISTEN/NOTIFY on; what has ended is kept`,
  }
}

async function processAll(boss: PgBoss, count: number): Promise<Pace> {
  await addMany(boss, count)
  const tally = new Tally(count)
  await employ(boss, async (jobs) => {
    tally.begins()
    for (let i = 0; i < jobs.length; i++) tally.ends()
  })
  return tally.all()
}

async function latency(boss: PgBoss): Promise<number[]> {
  const beginnings = new Beginnings()
  await employ(boss, async () => beginnings.began())
  return beginnings.after((job) => boss.send('noop', job), starts, restMs)
}

async function employ(boss: PgBoss, work: (jobs: readonly unknown[]) => Promise<void>): Promise<void> {
  const options = { batchSize, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
  for (let i = 0; i < workers; i++) await boss.work('noop', options, work)
}

function addMany(boss: PgBoss, count: number): Promise<void> {
  return inSlices(count, bulkSlice, (jobs) =>
    boss.insert(
      'noop',
      jobs.map((data) => ({ data })),
    ),
  )
}
