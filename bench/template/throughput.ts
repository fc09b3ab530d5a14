// Steps of templates a second, beside a bare loop over the same graph with the same group commit.
import { join } from 'node:path'
import { stopwatch, withFolder, type Pace } from '../measure.ts'
import { withTroupe } from '../workflow/ours.ts'
import { RawWorkflows } from '../workflow/raw.ts'
import type { Graph } from './graphs.ts'
import { templateOf, work } from './ours.ts'

export interface Load {
  readonly graph: Graph
  /** How many runs are under way at once. */
  readonly atOnce: number
  readonly runs: number
}

/** Steps a second of Troupe. */
export const oursOf = (load: Load): Promise<Pace> =>
  withFolder((folder) => {
    const definition = templateOf(load.graph)
    return withTroupe(folder, [work, definition], (troupe) => paceOf(load, () => troupe.run(definition)))
  })

/** Steps a second of bare statements. */
export const rawOf = (load: Load): Promise<Pace> =>
  withFolder(async (folder) => {
    const raw = await RawWorkflows.open(join(folder, 'raw.db'))
    const pace = await paceOf(load, () => raw.graph(load.graph.needs))
    raw.close()
    return pace
  })

/** After a warm-up of a quarter. */
async function paceOf({ graph, atOnce, runs }: Load, run: () => Promise<unknown>): Promise<Pace> {
  await inLine(Math.ceil(runs / 4), atOnce, run)
  const stop = stopwatch()
  await inLine(runs, atOnce, run)
  return stop(runs * graph.needs.length)
}

async function inLine(count: number, atOnce: number, run: () => Promise<unknown>): Promise<void> {
  let left = count
  const caller = async (): Promise<void> => {
    while (left-- > 0) await run()
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, caller))
}
