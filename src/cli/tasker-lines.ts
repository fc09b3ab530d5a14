// What is known of a run in the words of Tasker, for people.
import { taskerStates, type SeenRun } from '../template/tasker-states.ts'
import type { Troupe } from '../troupe.ts'
import type { Drawn } from './run-picture.ts'
import { oneLine, type Paint } from './paint.ts'
import { padEnd, widthOf } from './width.ts'

/** With the runs that it started, of which `drawn` says nothing. */
export async function seenRun(troupe: Troupe, { run, steps, waits, attempts }: Drawn): Promise<SeenRun> {
  const children = await troupe.runs({ parent: run.id, limit: 1_000 })
  const [investigation] = await troupe.investigations({ runId: run.id, limit: 1 })
  return { run, steps, waits, attempts, children, investigation }
}

export function taskerLines(seen: SeenRun, paint: Paint): string[] {
  const { task, steps } = taskerStates(seen)
  const width = Math.max(4, ...[...steps.keys()].map((path) => widthOf(oneLine(path))))
  const rows = [...steps].map(([path, state]) => `  ${padEnd(oneLine(path), width)}  ${state}`)
  return ['', paint('bold', 'In the words of Tasker'), `  ${padEnd('task', width)}  ${task}`, ...rows]
}

export function taskerJson(seen: SeenRun): object {
  const { task, steps } = taskerStates(seen)
  return { task, steps: Object.fromEntries(steps) }
}
