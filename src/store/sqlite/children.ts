// Runs that other runs start: each is there together with the step by which its parent remembers it.
import { encode } from '../../lib/codec.ts'
import type { ChildRecord } from '../start.ts'
import type { Write } from './runs.ts'
import { insertRuns } from './starts.ts'
import { recordSteps } from './steps.ts'

// By primary key.
const linkChild = `
update run set parent = ?1, is_detached = ?2,
  depth = case when ?2 = 1 then 0 else (select depth from run as above where above.id = ?1) + 1 end
where id = ?3`

const markParent = `update live set has_children = 1 where run_id = ?`

/** The statements of this file whose plans are tested. */
export const hotChildStatements = { linkChild, markParent }

/** Starts runs and records that as steps of their parents; tells which joined a run that has their key, by the ids they were given. */
export function startChildren(write: Write, children: readonly ChildRecord[]): ReadonlyMap<string, string> {
  const joined = new Map<string, string>()
  const own = children.filter(({ held }) => write.fence.holds(held))
  const starts = own.map(({ held, start }) => ({ ...start, parent: held.runId }))
  insertRuns(write, starts).forEach((started, place) => {
    const child = own[place]
    if (child === undefined) return
    const { held, start, isDetached, ...step } = child
    if (started.isNew) write.db.run(linkChild, held.runId, isDetached ? 1 : 0, started.runId)
    else joined.set(start.id, started.id)
    if (started.isNew && !isDetached) write.db.run(markParent, held.runId)
    const value = encode(started.id)
    const ended = { kind: 'child', attempt: 1, isError: false, value, finishedAt: write.now } as const
    recordSteps(write, [{ ...step, ...ended, held }])
  })
  write.news.woken += own.length
  return joined
}
