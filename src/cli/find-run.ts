// Finding a run by its id, or by the beginning of it.
import type { RunStatus } from '../engine/verbs/run-status.ts'
import { runNotFound } from '../model/errors.ts'
import type { Troupe } from '../troupe.ts'
import { usage } from './usage.ts'

const leastPrefix = 8
// An id may be shortened to what only one of this many newest runs has.
const searched = 1_000

/** Throws `run_not_found`, and `usage` when the text is too short or fits several. */
export async function findRun(troupe: Troupe, typed: string): Promise<RunStatus> {
  return (await troupe.get(typed)) ?? findByPrefix(troupe, typed)
}

async function findByPrefix(troupe: Troupe, typed: string): Promise<RunStatus> {
  if (typed.length < leastPrefix)
    throw usage(
      `'${typed}' is too short for an id: give at least its first ${leastPrefix} characters. List the ids: troupe runs`,
    )
  const prefix = typed.toLowerCase()
  const runs = (await troupe.runs({ limit: searched })).filter((run) => run.id.startsWith(prefix))
  const [only, ...others] = runs
  if (only === undefined) throw runNotFound(typed)
  if (others.length === 0) return only
  const lines = runs.slice(0, 10).map((run) => `  ${run.id}  ${run.name}`)
  const more = runs.length > lines.length ? `\n  and ${runs.length - lines.length} more` : ''
  throw usage(`${runs.length} runs begin with '${typed}', give more of the id:\n\n${lines.join('\n')}${more}`)
}
