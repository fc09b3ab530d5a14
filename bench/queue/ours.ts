// Troupe's side of the queue bench: one process, a store that makes each commit durable, and a worker that does nothing.
import { Troupe, worker, type Definition } from 'troupe'
import { check, fromCallers, paceOf, type Pace } from '../measure.ts'
import { onFile } from './place.ts'
import { doneOf, inSlices, jobOf, Tally, type Done, type Job, type Row } from './work.ts'

const who = 'troupe'
const bulkSlice = 10_000

/** What `callMany` is to be; not every version has it. */
interface StartsMany {
  callMany?(definition: Definition<Job, Done>, inputs: readonly Job[]): Promise<unknown>
}

export const noop = worker('noop', {}, async (_ctx, job: Job): Promise<Done> => doneOf(job))

export const open = (file: string, definition: Definition<Job, Done> = noop): Promise<Troupe> =>
  openOn(`sqlite:${file}`, definition)

export const openOn = (store: string, definition: Definition<Job, Done> = noop): Promise<Troupe> =>
  Troupe.open({ store, definitions: [definition] })

export const hasCallMany = (): boolean => 'callMany' in Troupe.prototype

export function callRow(what: string, count: number, place = onFile): Row {
  const measure = (): Promise<Pace> =>
    place.fresh(async (store) => {
      const troupe = await openOn(store)
      const figure = await paceOf(count, (times) => fromCallers(times, (i) => troupe.call(noop, jobOf(i))))
      await troupe.stop()
      check('runs started', (await place.count(store)).runs, count + Math.ceil(count / 10))
      return figure
    })
  return { what, who, measure }
}

export function callManyRow(what: string, count: number, place = onFile): Row {
  const measure = (): Promise<Pace> =>
    place.fresh(async (store) => {
      const troupe = await openOn(store)
      const figure = await paceOf(count, (times) => startMany(troupe, times))
      await troupe.stop()
      check('runs started', (await place.count(store)).runs, count + Math.ceil(count / 10))
      return figure
    })
  return { what, who, measure }
}

/** Claims, performs and ends a backlog that another engine left. */
export function processRow(what: string, count: number, place = onFile): Row {
  const measure = (): Promise<Pace> =>
    place.fresh(async (store) => {
      const client = await openOn(store)
      if (hasCallMany()) await startMany(client, count)
      else await fromCallers(count, (i) => client.call(noop, jobOf(i)))
      await client.stop()

      const tally = new Tally(count)
      const troupe = await openOn(store, tallied(tally))
      await troupe.start()
      const figure = await tally.all()
      await troupe.stop()
      check('runs finished', (await place.count(store)).finished, count)
      return figure
    })
  return { what, who, measure }
}

/** A caller waits for the end of its run before it starts the next. */
export function runRow(what: string, count: number, place = onFile): Row {
  const measure = (): Promise<Pace> =>
    place.fresh(async (store) => {
      const troupe = await openOn(store)
      await troupe.start()
      const figure = await paceOf(count, (times) => fromCallers(times, (i) => troupe.run(noop, jobOf(i))))
      await troupe.stop()
      check('runs finished', (await place.count(store)).finished, count + Math.ceil(count / 10))
      return figure
    })
  return { what, who, measure }
}

/** Starts so many runs, ten thousand at a time. */
export function startMany(troupe: Troupe, count: number): Promise<void> {
  return inSlices(count, bulkSlice, async (jobs) => (troupe as unknown as StartsMany).callMany?.(noop, jobs))
}

/** A worker of the same name that tells when each run begins and ends. */
export function tallied(tally: Tally): Definition<Job, Done> {
  return worker('noop', {}, async (_ctx, job: Job): Promise<Done> => {
    tally.begins()
    const done = doneOf(job)
    tally.ends()
    return done
  })
}
