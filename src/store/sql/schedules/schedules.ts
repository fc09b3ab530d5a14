// Schedules: their rows, which of them are due, and who declares them.
import { isSameTiming, type NextTick, type Rule } from '../../../model/schedule.ts'
import type { ScheduleRecord, ScheduleView } from '../../schedules.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

// By the unique name.
const findOne = `select id, rule, tick_at as tickAt, due_at as dueAt, is_paused as isPaused from schedule where name = ?`

const upsertOne = `
insert into schedule (name, rule, definition, queue, priority, tags, input, limits, start_key, timeout_ms, is_declared, tick_at, due_at, is_paused, revision, skipped)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0)
on conflict (name) do update set rule = excluded.rule, definition = excluded.definition, queue = excluded.queue,
  priority = excluded.priority, tags = excluded.tags, input = excluded.input, limits = excluded.limits, start_key = excluded.start_key, timeout_ms = excluded.timeout_ms,
  is_declared = excluded.is_declared,
  tick_at = excluded.tick_at, due_at = excluded.due_at, is_paused = excluded.is_paused, revision = schedule.revision + 1
returning id`

const insertDeclared = `insert into declared (schedule, node) values (?, ?) on conflict do nothing`

const deleteForgotten = `
delete from declared where not exists (select 1 from node where node.id = declared.node)
  or not exists (select 1 from schedule where schedule.id = declared.schedule)`

// Made by a program, or in the code of a node that is there; by primary key prefix and then by primary key.
const isWanted = `
(is_declared = 0 or exists (
  select 1 from declared cross join node on node.id = declared.node where declared.schedule = schedule.id
))`

const deleteUnwanted = `delete from schedule where due_at < ? and not ${isWanted} returning name`

const deleteOne = `delete from schedule where name = ? returning id`

const columns = `
schedule.id as scheduleId, schedule.name, rule, definition, definition.name as definitionName, queue, priority, schedule.tags, schedule.input, tick_at as tickAt,
due_at as dueAt, is_paused as isPaused, is_declared as isDeclared, revision, skipped,
(select max(scheduled_at) from run where run.schedule = schedule.id) as lastTickAt,
coalesce(
  (select public_id from run where run.schedule = schedule.id and scheduled_at is not null order by scheduled_at desc limit 1),
  (select public_id from run where run.schedule = schedule.id and scheduled_at is null order by id desc limit 1)) as lastRunId,
coalesce((select json_group_array(name) from (
  select node.name from declared cross join node on node.id = declared.node where declared.schedule = schedule.id order by declared.node) as declaring), '[]') as declaredBy`

const views = `select ${columns} from schedule cross join definition on definition.id = schedule.definition`

const findViews = `${views} where ${isWanted} order by schedule.name`

const findView = `${views} where schedule.name = ? and ${isWanted}`

// Walks schedule_due.
const findDue = `${views} where due_at <= ? and is_paused = 0 and ${isWanted} order by due_at, schedule.id limit ?`

/** When the next one is due; walks schedule_due up to the first that anybody wants. */
export const nextSchedule = `
select due_at from schedule where due_at is not null and is_paused = 0 and ${isWanted} order by due_at limit 1`

const pauseOne = `update schedule set is_paused = 1, revision = revision + 1 where name = ?`

const unpauseOne = `
update schedule set is_paused = 0, tick_at = ?, due_at = ?, revision = revision + 1 where name = ? and is_paused = 1`

/** The statements of this file whose plans are tested. */
export const hotScheduleStatements = { findDueSchedules: findDue, findNextSchedule: nextSchedule }

interface KnownSchedule {
  readonly rule: string
  readonly tickAt: number | null
  readonly dueAt: number | null
  readonly isPaused: number
}

interface ScheduleRow extends KnownSchedule {
  readonly scheduleId: number
  readonly name: string
  readonly definition: number
  readonly definitionName: string
  readonly queue: number
  readonly priority: number
  readonly tags: string | null
  readonly input: string
  readonly isDeclared: number
  readonly revision: number
  readonly skipped: number
  readonly lastTickAt: number | null
  readonly lastRunId: string | null
  readonly declaredBy: string
}

export function* saveSchedules(db: Database, records: readonly ScheduleRecord[], nodeId: number | null): Query<void> {
  if (nodeId !== null) yield* db.run(deleteForgotten)
  for (const record of records) yield* saveOne(db, record, nodeId)
}

export function* pruneSchedules(db: Database, before: number): Query<string[]> {
  const unwanted = yield* db.all<{ name: string }>(deleteUnwanted, before)
  yield* db.run(deleteForgotten)
  return unwanted.map(({ name }) => name)
}

export function deleteSchedule(db: Database, name: string): Query<boolean> {
  return db.has(deleteOne, name)
}

export function* listSchedules(db: Database): Query<ScheduleView[]> {
  const rows = yield* db.all<ScheduleRow>(findViews)
  return rows.map(viewOf)
}

export function* findSchedule(db: Database, name: string): Query<ScheduleView | undefined> {
  const row = yield* db.get<ScheduleRow>(findView, name)
  return row === undefined ? undefined : viewOf(row)
}

export function* listDueSchedules(db: Database, now: number, limit: number): Query<ScheduleView[]> {
  const rows = yield* db.all<ScheduleRow>(findDue, now, limit)
  return rows.map(viewOf)
}

export function* nextScheduleAt(db: Database): Query<number | null> {
  const row = yield* db.get<{ due_at: number }>(nextSchedule)
  return row?.due_at ?? null
}

export function* pauseSchedule(
  db: Database,
  name: string,
  goesOn: { readonly next: NextTick | null } | null,
): Query<boolean> {
  if (goesOn === null) yield* db.run(pauseOne, name)
  else yield* db.run(unpauseOne, goesOn.next?.tickAt ?? null, goesOn.next?.dueAt ?? null, name)
  return yield* db.has(findOne, name)
}

/** One that ticks as before goes on where it was; what was paused or resumed by hand stays so until the code says otherwise. */
function* saveOne(db: Database, record: ScheduleRecord, nodeId: number | null): Query<void> {
  const { name, rule, definitionId, queueId, priority, tags, input, limits, key, timeoutMs } = record
  const known = yield* db.get<KnownSchedule>(findOne, name)
  const before = known === undefined ? undefined : (JSON.parse(known.rule) as Rule)
  const isPaused = known === undefined || before?.paused !== rule.paused ? rule.paused : known.isPaused === 1
  const next = known !== undefined && before !== undefined && isSameTiming(before, rule) ? nextOf(known) : record.next
  const row = yield* db.get<{ id: number }>(
    upsertOne,
    name,
    JSON.stringify(rule),
    definitionId,
    queueId,
    priority,
    tags,
    input,
    limits === null ? null : JSON.stringify(limits),
    key === null ? null : JSON.stringify(key),
    timeoutMs,
    nodeId === null ? 0 : 1,
    next?.tickAt ?? null,
    next?.dueAt ?? null,
    isPaused ? 1 : 0,
  )
  if (row === undefined) throw new Error(`Schedule ${name} was not kept`)
  if (nodeId !== null) yield* db.run(insertDeclared, row.id, nodeId)
}

function viewOf(row: ScheduleRow): ScheduleView {
  const { scheduleId, name, priority, tags, input, revision, skipped, lastTickAt, lastRunId } = row
  return {
    scheduleId,
    name,
    rule: JSON.parse(row.rule) as Rule,
    definitionId: row.definition,
    definition: row.definitionName,
    queueId: row.queue,
    priority,
    tags,
    input,
    next: nextOf(row),
    isPaused: row.isPaused === 1,
    revision,
    skipped,
    lastTickAt,
    lastRunId,
    declaredBy: row.isDeclared === 1 ? (JSON.parse(row.declaredBy) as string[]) : null,
  }
}

function nextOf({ tickAt, dueAt }: KnownSchedule): NextTick | null {
  return tickAt === null || dueAt === null ? null : { tickAt, dueAt }
}
