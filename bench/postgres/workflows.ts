// Workflows on Postgres: of three steps, and of a hundred at the same time.
import { check, quantiles, type Quantiles } from '../measure.ts'
import type { Within } from '../postgres-server.ts'
import { threeSteps, wide, withTroupeOn } from '../workflow/ours.ts'
import { measure, timeOf, type Figures } from '../workflow/three-steps.ts'
import { RawPostgres } from './raw.ts'

const width = 100
const warmUp = 50
// Each takes the ways to a server and back: fewer tell as much.
const part = 0.5

export const oursOfThree = (fresh: Within, size: number): Promise<Figures> =>
  fresh((store) =>
    withTroupeOn(store, [threeSteps], (troupe) => measure((i) => troupe.run(threeSteps, i), part * size)),
  )

export const rawOfThree = (fresh: Within, size: number): Promise<Figures> =>
  fresh(async (store) => {
    const raw = await RawPostgres.open(store)
    const figures = await measure((i) => raw.threeSteps(i), part * size)
    await raw.close()
    return figures
  })

/** Milliseconds from the call to the result of one run with a hundred steps at the same time. */
export const parallelSteps = (fresh: Within, rounds: number): Promise<{ ours: Quantiles; raw: Quantiles }> =>
  fresh((ourStore) =>
    fresh((rawStore) =>
      withTroupeOn(ourStore, [wide], async (troupe) => {
        const raw = await RawPostgres.open(rawStore)
        const [ours, raws]: [number[], number[]] = [[], []]
        for (let i = -warmUp; i < rounds; i++) {
          const our = await timeOf(async () => check('steps of a run', await troupe.run(wide, width), width))
          const its = await timeOf(() => raw.parallelSteps(width))
          if (i < 0) continue
          ours.push(our)
          raws.push(its)
        }
        await raw.close()
        return { ours: quantiles(ours), raw: quantiles(raws) }
      }),
    ),
  )
