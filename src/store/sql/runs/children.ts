// Runs that other runs start: each is there together with the step by which its parent remembers it.
import { encode } from '../../../lib/codec.ts'
import { undoPath } from '../../../model/path.ts'
import type { ChildRecord, JoinedChild, Started } from '../../start.ts'
import type { Held } from '../../store.ts'
import type { Query } from '../../query.ts'
import { circleText, isAbove } from './circles.ts'
import type { Database } from '../database/database.ts'
import { leaveTheDead, reopenRuns } from './generations.ts'
import { childOfStep } from './journal-copies.ts'
import type { Write } from './runs.ts'
import { insertRuns } from './starts.ts'
import { recordSteps } from '../steps/steps.ts'

// By primary key.
const linkChild = `
update run set parent = ?1, is_detached = cast(?2 as integer),
  depth = case when cast(?2 as integer) = 1 then 0 else (select depth from run as above where above.id = ?1) + 1 end
where id = ?3`

const markParent = `update live set has_children = 1 where run_id = ?`

// What a run was given last under a name in its former generations, back to that which began with the input it has: of those before that nothing is left.
// By primary keys, and by the unique public id.
const findFormer = `
with recursive former(generation) as (
  select ?3 - 1
  union all
  select generation - 1 from former
  where generation > 1 and (exists (select 1 from step where step.run_id = ?1 and step.generation = former.generation)
    or exists (select 1 from finished where finished.run_id = ?1 and finished.generation = former.generation))
)
select run.id as runId, run.public_id as id, run.definition, run.input, run.parent, run.is_detached as isDetached,
  exists (select 1 from live where live.run_id = run.id and (live.undo = 2 or live.run_id in (select run_id from cancel_request))) as isToEnd,
  exists (
    select 1 from step as undo
    where undo.run_id = ?1 and undo.generation = former.generation and undo.path = ?4 and undo.is_error = 0) as isUndone
from former cross join step on step.run_id = ?1 and step.generation = former.generation and step.path = ?2
cross join run on ${childOfStep}
where step.kind = 'child' and step.is_error = 0
limit 1`

/** The statements of this file whose plans are tested. */
export const hotChildStatements = { linkChild, markParent, findFormer }

/**
 * Starts runs and records that as steps of their parents; tells what is remembered of those that were there, by the ids they were given:
 * one that has their key, or that the parent started there in a former generation.
 */
export function* startChildren(
  write: Write,
  children: readonly ChildRecord[],
): Query<ReadonlyMap<string, JoinedChild>> {
  const joined = new Map<string, JoinedChild>()
  const own = yield* write.fence.letIn(children)
  const anew: ChildRecord[] = []
  for (const child of own) {
    const taken = yield* takenUp(write.db, child)
    if (taken === undefined) anew.push(child)
    else joined.set(child.start.id, yield* join(write, child, taken))
  }
  // Only a key can give back a run that another one has started.
  const starts = anew.map(({ held, start }) => (start.key === null ? start : { ...start, parent: held.runId }))
  const begun = yield* insertRuns(write, starts)
  for (const [place, child] of anew.entries()) {
    const started = begun[place]
    if (started?.isNew === true) yield* keep(write, child, yield* begunBy(write.db, child, started))
    else if (started !== undefined) joined.set(child.start.id, yield* join(write, child, started))
  }
  write.news.woken += own.length
  return joined
}

/** Gives a run that is there to the parent of a child; tells what that remembers of it. */
function* join(write: Write, child: ChildRecord, run: Pick<Started, 'id' | 'runId'>): Query<JoinedChild> {
  const result = yield* joinedBy(write, child, run)
  yield* keep(write, child, result)
  return result
}

function* keep(write: Write, child: ChildRecord, result: JoinedChild): Query<void> {
  yield* recordSteps(write, [{ ...child, kind: 'child', attempt: 1, finishedAt: write.now, ...result }])
}

function* begunBy(db: Database, { held, isDetached }: ChildRecord, { id, runId }: Started): Query<JoinedChild> {
  yield* db.run(linkChild, held.runId, isDetached ? 1 : 0, runId)
  if (!isDetached) yield* db.run(markParent, held.runId)
  return { isError: false, value: encode(id) }
}

/** A run that it was given back cannot be waited for when it ends with that. What failed is started anew: this is its next life. */
function* joinedBy(
  write: Write,
  { held, path, isDetached }: ChildRecord,
  { id, runId }: Pick<Started, 'id' | 'runId'>,
): Query<JoinedChild> {
  const { db } = write
  const former = yield* formerOf(db, held, path)
  if (former?.runId === runId) yield* reopenRuns(write, [id])
  const isCircle = isDetached ? runId === held.runId : yield* isAbove(db, runId, held.runId)
  if (!isCircle) return { isError: false, value: encode(id) }
  return { isError: true, value: yield* circleText(db, held.runId, runId) }
}

/**
 * The run without a key that a run which is tried again started there before: one that failed or was cancelled goes on, and one that somebody has
 * tried again meanwhile, or that has succeeded since, is that which is asked for. A second one beside it could do again what that does.
 */
function* takenUp(db: Database, { held, path, start }: ChildRecord): Query<Former | undefined> {
  if (start.key !== null) return undefined
  const former = yield* formerOf(db, held, path)
  // What was undone is done again, and what has yet to end as was decided, or cancelled, is of no use.
  if (former?.parent !== held.runId || former.isUndone === 1 || former.isToEnd === 1) return undefined
  if (former.definition === start.definitionId && db.lists.isSame(former.input, start.input)) return former
  if (former.isDetached === 0) yield* leaveTheDead(db, former.runId)
  return undefined
}

interface Former {
  readonly runId: number
  readonly id: string
  readonly definition: number
  readonly input: string
  readonly parent: number | null
  readonly isDetached: number
  /** Somebody has asked it to end, or it undoes what it did. */
  readonly isToEnd: number
  readonly isUndone: number
}

/** What a run that is tried again was given under this name before. */
function* formerOf(db: Database, { runId, generation }: Held, path: string): Query<Former | undefined> {
  return generation === 1 ? undefined : yield* db.get<Former>(findFormer, runId, path, generation, undoPath(path))
}
