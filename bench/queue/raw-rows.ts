// The yardstick's side of the queue bench.
import { join } from 'node:path'
import { countRuns } from './ours.ts'
import { RawQueue } from './raw.ts'
import { check, fromCallers, paceOf, withFolder, type Pace } from '../measure.ts'
import { doneOf, jobOf, Tally, type Job, type Row } from './work.ts'

const who = 'raw'
const bulkSlice = 10_000

const perform = async (job: Job) => doneOf(job)

export const rawCallRow = (what: string, count: number): Row =>
  row(what, count + Math.ceil(count / 10), (raw) =>
    paceOf(count, (times) => fromCallers(times, (i) => raw.start(jobOf(i)))),
  )

export const rawCallManyRow = (what: string, count: number): Row =>
  row(what, count + Math.ceil(count / 10), (raw) => paceOf(count, async (times) => startMany(raw, times)))

export const rawProcessRow = (what: string, count: number): Row =>
  row(what, count, async (raw) => {
    startMany(raw, count)
    const tally = new Tally(count)
    await raw.processAll(async (job) => {
      tally.begins()
      const done = doneOf(job as Job)
      tally.ends()
      return done
    })
    return tally.all()
  })

export const rawRunRow = (what: string, count: number): Row =>
  row(what, count + Math.ceil(count / 10), (raw) =>
    paceOf(count, (times) => fromCallers(times, (i) => raw.run(jobOf(i), perform))),
  )

function row(what: string, runs: number, figure: (raw: RawQueue) => Promise<Pace>): Row {
  const measure = (): Promise<Pace> =>
    withFolder(async (folder) => {
      const file = join(folder, 'raw.db')
      const raw = await RawQueue.open(file)
      const measured = await figure(raw)
      raw.close()
      check('runs written', (await countRuns(file)).runs, runs)
      return measured
    })
  return { what, who, measure }
}

function startMany(raw: RawQueue, count: number): void {
  for (let from = 0; from < count; from += bulkSlice)
    raw.startMany(Array.from({ length: Math.min(bulkSlice, count - from) }, (_, i) => jobOf(from + i)))
}
