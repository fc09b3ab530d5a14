// The yardstick's side of the queue bench.
import { check, fromCallers, paceOf, type Pace } from '../measure.ts'
import { onFile, type Place, type Raw } from './place.ts'
import { doneOf, inSlices, jobOf, Tally, type Job, type Row } from './work.ts'

const who = 'raw'
const bulkSlice = 10_000

const perform = async (job: Job) => doneOf(job)

export const rawCallRow = (what: string, count: number, place = onFile): Row =>
  row({ what, place, runs: count + Math.ceil(count / 10) }, (raw) =>
    paceOf(count, (times) => fromCallers(times, (i) => raw.start(jobOf(i)))),
  )

export const rawCallManyRow = (what: string, count: number, place = onFile): Row =>
  row({ what, place, runs: count + Math.ceil(count / 10) }, (raw) => paceOf(count, (times) => startMany(raw, times)))

export const rawProcessRow = (what: string, count: number, place = onFile): Row =>
  row({ what, place, runs: count }, async (raw) => {
    await startMany(raw, count)
    const tally = new Tally(count)
    await raw.processAll(async (job) => {
      tally.begins()
      const done = doneOf(job as Job)
      tally.ends()
      return done
    })
    return tally.all()
  })

export const rawRunRow = (what: string, count: number, place = onFile): Row =>
  row({ what, place, runs: count + Math.ceil(count / 10) }, (raw) =>
    paceOf(count, (times) => fromCallers(times, (i) => raw.run(jobOf(i), perform))),
  )

interface Measured {
  readonly what: string
  readonly place: Place
  /** How many there are in the end. */
  readonly runs: number
}

function row({ what, place, runs }: Measured, figure: (raw: Raw) => Promise<Pace>): Row {
  const measure = (): Promise<Pace> =>
    place.fresh(async (store) => {
      const raw = await place.openRaw(store)
      const measured = await figure(raw)
      await raw.close()
      check('runs written', (await place.count(store)).runs, runs)
      return measured
    })
  return { what, who, measure }
}

function startMany(raw: Raw, count: number): Promise<void> {
  return inSlices(count, bulkSlice, async (jobs) => raw.startMany(jobs))
}
