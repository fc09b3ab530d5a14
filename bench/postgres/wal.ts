// How many bytes of write-ahead log a run costs from its claim to its end, the images of whole pages aside.
import { check } from '../measure.ts'
import { ask, type Within } from '../postgres-server.ts'
import { openOn, startMany, tallied } from '../queue/ours.ts'
import { doneOf, jobOf, Tally, type Job } from '../queue/work.ts'
import { countRuns } from './place.ts'
import { RawPostgres } from './raw.ts'

export interface Wal {
  /** Bytes for each run. */
  readonly records: number
  /** Of pages that were written for the first time after a checkpoint: they tell more about how often that is. */
  readonly images: number
}

const findPlace = 'select pg_current_wal_flush_lsn() as place'

const sumOf = (from: string, to: string): string =>
  `select sum(record_size) as records, sum(fpi_size) as images from pg_get_wal_stats('${from}', '${to}')`

export const walOfOurs = (fresh: Within, count: number): Promise<Wal> =>
  fresh(async (store) => {
    const client = await openOn(store)
    await startMany(client, count)
    await client.stop()
    const consume = async (): Promise<void> => {
      const tally = new Tally(count)
      const troupe = await openOn(store, tallied(tally))
      await troupe.start()
      await tally.all()
      await troupe.stop()
    }
    const wal = await walOf(store, consume, count)
    check('runs finished', (await countRuns(store)).finished, count)
    return wal
  })

export const walOfRaw = (fresh: Within, count: number): Promise<Wal> =>
  fresh(async (store) => {
    const raw = await RawPostgres.open(store)
    await raw.startMany(Array.from({ length: count }, (_, i) => jobOf(i)))
    const wal = await walOf(store, () => raw.processAll(async (job) => doneOf(job as Job)), count)
    await raw.close()
    check('runs finished', (await countRuns(store)).finished, count)
    return wal
  })

async function walOf(store: string, consume: () => Promise<void>, count: number): Promise<Wal> {
  const [from] = await ask<{ place: string }>(store, 'create extension pg_walinspect', 'checkpoint', findPlace)
  await consume()
  const [to] = await ask<{ place: string }>(store, findPlace)
  const [sums] = await ask<Record<keyof Wal, string>>(store, sumOf(from?.place ?? '', to?.place ?? ''))
  return { records: Number(sums?.records) / count, images: Number(sums?.images) / count }
}
