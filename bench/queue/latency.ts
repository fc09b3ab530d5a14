// How long an idle engine takes from the call to the first line of the handler, beside an insert that is committed.
import { worker } from 'troupe'
import { openOn } from './ours.ts'
import { onFile, type Raw } from './place.ts'
import { wait, quantiles, type Quantiles } from '../measure.ts'
import { doneOf, jobOf, type Done, type Job } from './work.ts'

// Long enough that whatever follows the end of a run is over before the next.
const restMs = 2
// The two sides take turns, so that a slow moment of the disk meets both.
const turn = 50
// Measured: for its first thousands of starts V8 compiles the engine on the same two cores, and a start in a hundred waits for that: 3.2 ms, then 0.9.
const warmUp = 4_000

export const startLatency = (count: number, place = onFile): Promise<{ ours: Quantiles; raw: Quantiles }> =>
  place.fresh((ourStore) =>
    place.fresh(async (rawStore) => {
      const oursOne = await ourSide(ourStore)
      const rawOne = rawSide(await place.openRaw(rawStore))
      const [ours, raw]: [number[], number[]] = [[], []]
      for (let done = -warmUp; done < count; done += turn) {
        for (let i = 0; i < turn; i++) add(ours, done, await oursOne.one(i))
        for (let i = 0; i < turn; i++) add(raw, done, await rawOne.one(i))
      }
      await oursOne.close()
      await rawOne.close()
      return { ours: quantiles(ours), raw: quantiles(raw) }
    }),
  )

interface Side {
  /** Milliseconds until the handler of one run began. */
  one(i: number): Promise<number>
  close(): unknown
}

async function ourSide(store: string): Promise<Side> {
  let beganAt = 0
  const timed = worker('noop', {}, async (_ctx, job: Job): Promise<Done> => {
    beganAt = performance.now()
    return doneOf(job)
  })
  const troupe = await openOn(store, timed)
  await troupe.start()
  return {
    one: (i) =>
      rested(
        () => troupe.run(timed, jobOf(i)),
        () => beganAt,
      ),
    close: () => troupe.stop(),
  }
}

function rawSide(raw: Raw): Side {
  let beganAt = 0
  const perform = async (job: Job): Promise<Done> => {
    beganAt = performance.now()
    return doneOf(job)
  }
  return {
    one: (i) =>
      rested(
        () => raw.run(jobOf(i), perform),
        () => beganAt,
      ),
    close: () => raw.close(),
  }
}

async function rested(run: () => Promise<unknown>, beganAt: () => number): Promise<number> {
  const calledAt = performance.now()
  await run()
  const tookMs = beganAt() - calledAt
  await wait(restMs)
  return tookMs
}

function add(values: number[], done: number, ms: number): void {
  if (done >= 0) values.push(ms)
}
