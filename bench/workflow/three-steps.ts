// Workflows of three steps: how many a second, and how long one takes alone.
import { join } from 'node:path'
import { fromCallers, quantiles, withFolder } from '../measure.ts'
import { threeSteps, withTroupe } from './ours.ts'
import { RawWorkflows } from './raw.ts'

export interface Figures {
  /** Workflows a second, from a hundred callers. */
  readonly perSecond: number
  /** Milliseconds of one alone, the median. */
  readonly aloneMs: number
}

const together = 20_000
const alone = 1_000
const warmUp = 2_000

export const oursOfThree = (): Promise<Figures> =>
  withFolder((folder) => withTroupe(folder, [threeSteps], (troupe) => measure((i) => troupe.run(threeSteps, i))))

export const rawOfThree = (): Promise<Figures> =>
  withFolder(async (folder) => {
    const raw = await RawWorkflows.open(join(folder, 'raw.db'))
    const figures = await measure((i) => raw.threeSteps(i))
    raw.close()
    return figures
  })

/** The same for a peer: `start` resolves with the end of the workflow. */
export async function measure(start: (i: number) => Promise<unknown>, part = 1): Promise<Figures> {
  await fromCallers(warmUp * part, start)
  const count = together * part
  const startedAt = performance.now()
  await fromCallers(count, start)
  const perSecond = (count / (performance.now() - startedAt)) * 1_000
  const times: number[] = []
  for (let i = 0; i < alone * part; i++) times.push(await timeOf(() => start(i)))
  return { perSecond, aloneMs: quantiles(times).p50 }
}

/** Milliseconds. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
