// Runs that would wait for themselves: found where a run is given back to one that it started, and where the last of those that wait for one another is parked.
import { toErrorRecord } from '../../../lib/error-record.ts'
import { circularWait } from '../../../model/family-errors.ts'
import type { Held } from '../../store.ts'
import type { WaitRecord } from '../../waits.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import type { Write } from './runs.ts'
import { recordSteps } from '../steps/steps.ts'
import { deleteWait } from '../steps/waits.ts'

// Whether a run is one of those that another ends with, or that one itself; by primary key, one look for each of them.
const findAbove = `
with recursive above (id, parent) as (
  select id, case when is_detached = 1 then null else parent end from run where id = ?1
  union all
  select run.id, case when run.is_detached = 1 then null else run.parent end
  from above cross join run on run.id = above.parent
)
select 1 from above cross join live on live.run_id = above.id where above.id = ?2`

// By the unique public id, then by primary keys.
const findAwaited = `
select run.id as runId, live.state, wait.kind, wait.name, wait.due_at as dueAt
from run left join live on live.run_id = run.id left join wait on wait.run_id = run.id
where run.public_id = ?`

// By primary keys.
const findNames = `
select run.public_id as id, definition.name from run cross join definition on definition.id = run.definition where run.id = ?`

// By primary key.
const findLastSeq = `select coalesce(max(seq), 0) as seq from step where run_id = ? and generation = ?`

/** The statements of this file whose plans are tested. */
export const hotCircleStatements = { findAbove, findAwaited }

// Longer ones are left alone.
const mostRuns = 1_000

/** Whether a run cannot end before this one does: it is this one, or one that this one ends with. */
export function* isAbove(db: Database, runId: number, below: number): Query<boolean> {
  return runId === below || (yield* db.has(findAbove, below, runId))
}

/** What is told to a run that would wait for itself, as an error record in JSON. */
export function* circleText(db: Database, runId: number, awaited: number): Query<string> {
  const error = circularWait(yield* namesOf(db, runId), yield* namesOf(db, awaited))
  return JSON.stringify(toErrorRecord(error))
}

/** Ends the wait of a run that was parked with these waits, when it can never end: with an error, in the place of its result. Tells whether it did. */
export function* breakCircle(write: Write, held: Held, waits: readonly WaitRecord[]): Query<boolean> {
  const found = yield* circleOf(write.db, held, waits)
  if (found === undefined) return false
  const { path, awaited } = found
  const last = yield* write.db.get<{ seq: number }>(findLastSeq, held.runId, held.generation)
  const seq = (last?.seq ?? 0) + 1
  const value = yield* circleText(write.db, held.runId, awaited)
  const ended = { kind: 'result', attempt: 1, isError: true, startedAt: write.now, finishedAt: write.now } as const
  yield* recordSteps(write, [{ ...ended, held, path, seq, value }])
  yield* deleteWait(write.db, held.runId, path)
  return true
}

interface Circle {
  readonly path: string
  readonly awaited: number
}

/** By which of its waits a run waits for itself: only where all that it leads to waits for nothing but ends of runs, for ever. */
function* circleOf(db: Database, { runId }: Held, waits: readonly WaitRecord[]): Query<Circle | undefined> {
  if (waits.some((wait) => !isForEnd(wait))) return undefined
  const known = new Map<string, Awaited>()
  const open = waits.flatMap(({ name }) => name ?? [])
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (known.has(id)) continue
    const awaited = yield* awaitedOf(db, id)
    if (awaited === undefined || known.size === mostRuns) return undefined
    known.set(id, awaited)
    open.push(...awaited.names)
  }
  for (const { path, name } of waits) {
    const awaited = known.get(name ?? '')
    if (awaited !== undefined && leadsTo(known, awaited, runId)) return { path, awaited: awaited.runId }
  }
  return undefined
}

interface Awaited {
  readonly runId: number
  /** The runs whose ends it waits for, by their ids. */
  readonly names: readonly string[]
}

/** Undefined for a run that may go on: it is not parked, or not only for ends of runs. */
function* awaitedOf(db: Database, id: string): Query<Awaited | undefined> {
  const rows = yield* db.all<Pick<WaitRecord, 'kind' | 'name' | 'dueAt'> & { runId: number; state: string | null }>(
    findAwaited,
    id,
  )
  const runId = rows[0]?.runId
  if (runId === undefined || rows.some((row) => row.state !== 'parked' || !isForEnd(row))) return undefined
  return { runId, names: rows.flatMap(({ name }) => name ?? []) }
}

function isForEnd({ kind, dueAt }: Pick<WaitRecord, 'kind' | 'dueAt'>): boolean {
  return kind === 'run' && dueAt === null
}

function leadsTo(known: ReadonlyMap<string, Awaited>, from: Awaited, runId: number): boolean {
  const seen = new Set<Awaited>([from])
  for (const awaited of seen) {
    if (awaited.runId === runId) return true
    for (const name of awaited.names) {
      const next = known.get(name)
      if (next !== undefined) seen.add(next)
    }
  }
  return false
}

function* namesOf(db: Database, runId: number): Query<{ readonly id: string; readonly name: string }> {
  const names = yield* db.get<{ id: string; name: string }>(findNames, runId)
  return names ?? { id: '', name: '' }
}
