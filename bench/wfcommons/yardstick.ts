// What one commit costs on this machine by bare statements, in a row and after idleness: a task that slept is followed by one.
import { join } from 'node:path'
import { quantiles, wait, withFolder } from '../measure.ts'
import { RawWorkflows } from '../workflow/raw.ts'

const count = 40
const warmUp = 10
/** Those of a run without steps: its start and its end. */
const commits = 2

/** Milliseconds of a commit, the median, each after a pause of so many milliseconds. */
export const commitAfter = (pauseMs: number): Promise<number> =>
  withFolder(async (folder) => {
    const raw = await RawWorkflows.open(join(folder, 'raw.db'))
    const times: number[] = []
    for (let i = -warmUp; i < count; i++) {
      if (pauseMs > 0) await wait(pauseMs)
      const startedAt = performance.now()
      await raw.parallelSteps(0)
      if (i >= 0) times.push((performance.now() - startedAt) / commits)
    }
    raw.close()
    return quantiles(times).p50
  })
