// Troupe's side of the queue bench: one process, a SQLite file with synchronous=FULL, and a worker that does nothing.
import { join } from 'node:path'
import { Troupe, worker, type Definition } from 'troupe'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'
import { check, fromCallers, paceOf, withFolder, type Pace } from '../measure.ts'
import { doneOf, jobOf, Tally, type Done, type Job, type Row } from './work.ts'

const who = 'troupe'
const bulkSlice = 10_000

/** What `callMany` is to be; not every version has it. */
interface StartsMany {
  callMany?(definition: Definition<Job, Done>, inputs: readonly Job[]): Promise<unknown>
}

export const noop = worker('noop', {}, async (_ctx, job: Job): Promise<Done> => doneOf(job))

export const open = (file: string, definition: Definition<Job, Done> = noop): Promise<Troupe> =>
  Troupe.open({ store: `sqlite:${file}`, definitions: [definition] })

export const hasCallMany = (): boolean => 'callMany' in Troupe.prototype

/** How many runs a store holds, and how many of them have ended. */
export async function countRuns(file: string): Promise<{ runs: number; finished: number }> {
  const db = await openDriver(file)
  const count = (table: string): number => (db.prepare(`select count(*) as n from ${table}`).get() as { n: number }).n
  const counts = { runs: count('run'), finished: count('finished') }
  db.close()
  return counts
}

export function callRow(what: string, count: number): Row {
  const measure = (): Promise<Pace> =>
    withFolder(async (folder) => {
      const file = join(folder, 'troupe.db')
      const troupe = await open(file)
      const figure = await paceOf(count, (times) => fromCallers(times, (i) => troupe.call(noop, jobOf(i))))
      await troupe.stop()
      check('runs started', (await countRuns(file)).runs, count + Math.ceil(count / 10))
      return figure
    })
  return { what, who, measure }
}

export function callManyRow(what: string, count: number): Row {
  const measure = (): Promise<Pace> =>
    withFolder(async (folder) => {
      const file = join(folder, 'troupe.db')
      const troupe = await open(file)
      const figure = await paceOf(count, (times) => startMany(troupe, times))
      await troupe.stop()
      check('runs started', (await countRuns(file)).runs, count + Math.ceil(count / 10))
      return figure
    })
  return { what, who, measure }
}

/** Claims, performs and ends a backlog that another engine left. */
export function processRow(what: string, count: number): Row {
  const measure = (): Promise<Pace> =>
    withFolder(async (folder) => {
      const file = join(folder, 'troupe.db')
      const client = await open(file)
      if (hasCallMany()) await startMany(client, count)
      else await fromCallers(count, (i) => client.call(noop, jobOf(i)))
      await client.stop()

      const tally = new Tally(count)
      const troupe = await open(file, tallied(tally))
      await troupe.start()
      const figure = await tally.all()
      await troupe.stop()
      check('runs finished', (await countRuns(file)).finished, count)
      return figure
    })
  return { what, who, measure }
}

/** A caller waits for the end of its run before it starts the next. */
export function runRow(what: string, count: number): Row {
  const measure = (): Promise<Pace> =>
    withFolder(async (folder) => {
      const file = join(folder, 'troupe.db')
      const troupe = await open(file)
      await troupe.start()
      const figure = await paceOf(count, (times) => fromCallers(times, (i) => troupe.run(noop, jobOf(i))))
      await troupe.stop()
      check('runs finished', (await countRuns(file)).finished, count + Math.ceil(count / 10))
      return figure
    })
  return { what, who, measure }
}

async function startMany(troupe: Troupe, count: number): Promise<void> {
  for (let from = 0; from < count; from += bulkSlice) {
    const inputs = Array.from({ length: Math.min(bulkSlice, count - from) }, (_, i) => jobOf(from + i))
    await (troupe as unknown as StartsMany).callMany?.(noop, inputs)
  }
}

function tallied(tally: Tally): Definition<Job, Done> {
  return worker('noop', {}, async (_ctx, job: Job): Promise<Done> => {
    tally.begins()
    const done = doneOf(job)
    tally.ends()
    return done
  })
}
