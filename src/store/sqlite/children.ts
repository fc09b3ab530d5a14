// Runs that other runs start: each is there together with the step by which its parent remembers it.
import { encode } from '../../lib/codec.ts'
import type { ChildRecord, JoinedChild, Started } from '../start.ts'
import type { Held } from '../store.ts'
import { circleText, isAbove } from './circles.ts'
import type { Connection } from './connection.ts'
import { reopenRuns } from './generations.ts'
import type { Write } from './runs.ts'
import { insertRuns } from './starts.ts'
import { recordSteps } from './steps.ts'

// By primary key.
const linkChild = `
update run set parent = ?1, is_detached = ?2,
  depth = case when ?2 = 1 then 0 else (select depth from run as above where above.id = ?1) + 1 end
where id = ?3`

const markParent = `update live set has_children = 1 where run_id = ?`

// By primary key prefix: what the run was given under this name in a former generation.
const findBefore = `
select 1 from step where run_id = ?1 and generation < ?3 and path = ?2 and kind = 'child' and value = ?4 limit 1`

/** The statements of this file whose plans are tested. */
export const hotChildStatements = { linkChild, markParent, findBefore }

/** Starts runs and records that as steps of their parents; tells what is remembered of those that joined a run that has their key, by the ids they were given. */
export function startChildren(write: Write, children: readonly ChildRecord[]): ReadonlyMap<string, JoinedChild> {
  const joined = new Map<string, JoinedChild>()
  const own = children.filter(({ held }) => write.fence.holds(held))
  // Only a key can give back a run that another one has started.
  const starts = own.map(({ held, start }) => (start.key === null ? start : { ...start, parent: held.runId }))
  insertRuns(write, starts).forEach((started, place) => {
    const child = own[place]
    if (child === undefined) return
    const result = started.isNew ? begunBy(write.db, child, started) : joinedBy(write, child, started)
    if (!started.isNew) joined.set(child.start.id, result)
    const ended = { kind: 'child', attempt: 1, finishedAt: write.now } as const
    recordSteps(write, [{ ...child, ...ended, ...result }])
  })
  write.news.woken += own.length
  return joined
}

function begunBy(db: Connection, { held, isDetached }: ChildRecord, { id, runId }: Started): JoinedChild {
  db.run(linkChild, held.runId, isDetached ? 1 : 0, runId)
  if (!isDetached) db.run(markParent, held.runId)
  return { isError: false, value: encode(id) }
}

/** A run that it was given back cannot be waited for when it ends with that. */
function joinedBy(write: Write, { held, path, isDetached }: ChildRecord, { id, runId }: Started): JoinedChild {
  const { db } = write
  if (goesOnAnew(db, held, { path, id })) reopenRuns(write, [id])
  const isCircle = isDetached ? runId === held.runId : isAbove(db, runId, held.runId)
  return isCircle ? { isError: true, value: circleText(db, held.runId, runId) } : { isError: false, value: encode(id) }
}

/** Whether a run that is tried again meets one by its key that it had before: what failed is started anew, and this is its next life. */
function goesOnAnew(db: Connection, { runId, generation }: Held, child: { path: string; id: string }): boolean {
  return generation > 1 && db.get(findBefore, runId, child.path, generation, encode(child.id)) !== undefined
}
