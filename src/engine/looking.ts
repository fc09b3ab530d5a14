// What can be seen of runs: in the store those of all nodes, in memory those that live in this process only.
import type { EndedRuns, Store } from '../store/store.ts'
import { checkText } from './checks.ts'
import type { LocalRuns } from './local-runs.ts'

export interface Sight {
  readonly store: Store
  readonly local: LocalRuns
}

/** The ids of what is being performed; of one name when it is given. */
export async function runningIds({ store, local }: Sight, name?: string): Promise<string[]> {
  if (name !== undefined) checkText('The name of a definition', name)
  const filter = { state: 'running', limit: Number.MAX_SAFE_INTEGER, ...(name !== undefined && { name }) } as const
  const rows = await store.listRuns(filter)
  return [...rows.map(({ id }) => id), ...local.running(name)]
}

/** What became of the runs of one name; undefined when there are none at all, neither ended nor under way. */
export async function endedRuns({ store, local }: Sight, name: string): Promise<EndedRuns[] | undefined> {
  checkText('The name of a definition', name)
  const ended = [...(await store.countEnded(name)), ...local.countEnded(name)]
  const isKnown = ended.length > 0 || (await store.listRuns({ name, limit: 1 })).length > 0
  return isKnown ? ended : undefined
}
