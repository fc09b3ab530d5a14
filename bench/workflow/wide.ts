// One run of many steps: a hundred at the same time, and thousands one after the other.
import { join } from 'node:path'
import { check, quantiles, withFolder, type Quantiles } from '../measure.ts'
import { long, wide, withTroupe } from './ours.ts'
import { RawWorkflows } from './raw.ts'
import { timeOf } from './three-steps.ts'

const warmUp = 100
const rounds = 500

/** Milliseconds from the call to the result of one run with so many steps at the same time. */
export const parallelSteps = (count: number): Promise<{ ours: Quantiles; raw: Quantiles }> =>
  withFolder((folder) =>
    withTroupe(folder, [wide], async (troupe) => {
      const raw = await RawWorkflows.open(join(folder, 'raw.db'))
      const ours: number[] = []
      const theirs: number[] = []
      for (let i = -warmUp; i < rounds; i++) {
        const our = await timeOf(async () => check('steps of a run', await troupe.run(wide, count), count))
        const their = await timeOf(() => raw.parallelSteps(count))
        if (i < 0) continue
        ours.push(our)
        theirs.push(their)
      }
      raw.close()
      return { ours: quantiles(ours), raw: quantiles(theirs) }
    }),
  )

/** Milliseconds of a step in a run of so many, for each tenth of them. */
export const longRun = (count: number): Promise<number[]> =>
  withFolder((folder) =>
    withTroupe(folder, [long], async (troupe) => {
      await troupe.run(long, count / 10)
      const handle = await troupe.call(long, count)
      check('steps of a run', await handle.result(), count)
      const ends = (await troupe.steps(handle.id)).map(({ finishedAt }) => Number(finishedAt))
      const tenth = count / 10
      return Array.from({ length: 10 }, (_, i) => {
        const [from, to] = [ends[i * tenth] ?? Number.NaN, ends[(i + 1) * tenth - 1] ?? Number.NaN]
        return (to - from) / (tenth - 1)
      })
    }),
  )
