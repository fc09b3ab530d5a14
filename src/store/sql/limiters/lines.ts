// The lines before limiters: who waits where, and which line is the next to let somebody pass.
import { isTurnOfOldest } from '../../../model/ageing.ts'
import { isSuspect } from '../../../model/suspect.ts'
import type { Query } from '../../query.ts'
import type { Database, SqlValue } from '../database/database.ts'

// A limiter and key have one line for each queue and definition, so that a claim finds what it can perform without passing over what it cannot:
// runs that are suspected have lines of their own, of the definition's number negated.
const ofLine = `limiter = ? and key = ? and queue = ? and definition = ?`
const ofGivenLine = `limiter = ?1 and key = ?2 and queue = ?3 and definition = ?4`

const insertWaiter = `
insert into waiter (limiter, key, queue, definition, priority, ticket, run_id, path, uses) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict do nothing`

// By the indexes of waiters.
const deleteWaiters = `
delete from waiter where ticket in (select value from json_each(?))
returning limiter, key, queue, definition`

const deleteWaitersOf = `
delete from waiter where run_id in (select value from json_each(?))
returning limiter, key, queue, definition`

// By primary key prefix, in its order.
const findHead = `
select priority, ticket from waiter where ${ofLine} order by priority desc, ticket limit 1`

// The oldest of a line, whatever its priority: a loose scan of the primary key, one seek for each priority.
const findOldest = `
with recursive level (priority) as (
  select max(priority) from waiter where ${ofGivenLine}
  union all
  select (select max(priority) from waiter where ${ofGivenLine} and priority < level.priority)
  from level where level.priority is not null
)
select priority, (select min(ticket) from waiter where ${ofGivenLine} and priority = level.priority) as ticket
from level where priority is not null order by ticket limit 1`

// By primary key.
const findPasses = `select passes from line where ${ofLine}`

const deleteLine = `delete from line where ${ofLine}`

const upsertLine = `
insert into line (limiter, key, queue, definition, turn, is_open, opens_at, priority, ticket, passes)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (limiter, key, queue, definition) do update set is_open = excluded.is_open, opens_at = excluded.opens_at,
  priority = excluded.priority, ticket = excluded.ticket, passes = excluded.passes`

// By primary key prefix.
const findLineOfKey = `select 1 as waits from line where limiter = ? and key = ? limit 1`

const findLineOfAny = `select 1 as waits from line where limiter = ? limit 1`

const updateOpen = `update line set is_open = ?, opens_at = ? where limiter = ? and key = ?`

const updateTurn = `update line set turn = ?, is_open = ?, opens_at = ? where limiter = ? and key = ?`

const findKeys = `select distinct key from line where limiter = ?`

// The doorbell: two looks into indexes that are empty where no limiter holds anything up.
const findOpening = `
select exists (select 1 from line where is_open = 1) as isOpen,
  (select min(opens_at) from line where opens_at is not null) as opensAt`

// Walks line_due.
const openDue = `update line set is_open = 1, opens_at = null where opens_at is not null and opens_at <= ? returning limiter`

// The limiters with open lines of a queue: a loose scan of line_open.
const findOpenLimiters = `
with recursive found (limiter) as (
  select min(limiter) from line where is_open = 1 and queue = ?1
  union all
  select (select min(limiter) from line where is_open = 1 and queue = ?1 and limiter > found.limiter)
  from found where found.limiter is not null
)
select limiter from found where limiter is not null`

// Whose turn it is at a limiter: the key that was served longest ago; walks line_open.
const findNext = `
select limiter, key, queue, definition, priority, ticket, turn, passes from line
where is_open = 1 and queue = ? and limiter = ? and definition in (select value from json_each(?))
order by turn, priority desc, ticket limit 1`

// The first of each line of a limiter, in turn; walks line_open.
const findHeads = `
select limiter, key, queue, definition, priority, ticket, turn, passes from line
where is_open = 1 and queue = ? and limiter = ? order by turn, priority desc, ticket limit 100`

/** The statements of this file whose plans are tested. */
export const hotLineStatements = {
  deleteWaiters,
  deleteWaitersOf,
  findHead,
  findOldestInLine: findOldest,
  findPasses,
  findLineOfKey,
  findLineOfAny,
  updateTurn,
  findOpening,
  openDue,
  findOpenLimiters,
  findNextInLine: findNext,
  findHeads,
}

export interface Line {
  readonly limiter: number
  readonly key: string
  readonly queue: number
  readonly definition: number
}

export interface Waiter {
  readonly priority: number
  /** The number of the run, or of whatever else waits; a lower one is older. */
  readonly ticket: number
  readonly runId: number | null
  /** Of a step of the run, else null. */
  readonly path: string | null
}

/** The first of a line. */
export interface Head extends Line {
  readonly priority: number
  /** The number of the run, or of whatever else waits; a lower one is older. */
  readonly ticket: number
  readonly turn: number
  /** How many have left the line since somebody waits in it. */
  readonly passes: number
}

/** The line of a run, by its definition. */
export function lineOf(definitionId: number, deliveries: number): number {
  return isSuspect(deliveries) ? -definitionId : definitionId
}

/** The lines of definitions, with those of suspected runs where these may be performed; a list as JSON. */
export function linesOf(definitionIds: readonly number[], mostDeliveries: number): string {
  return JSON.stringify(
    isSuspect(mostDeliveries) ? [...definitionIds, ...definitionIds.map((id) => -id)] : definitionIds,
  )
}

/** Whether the first of a line is its oldest, in place of its most urgent. */
export function isOldest({ passes }: Pick<Head, 'passes'>): boolean {
  return isTurnOfOldest(passes)
}

/** Null when nobody may pass, else from when on. */
export type OpensAt = number | null

/** Of all lines: whether one is open, and when the next one opens by itself. */
export function* findOpenings(db: Database): Query<LineState> {
  const row = yield* db.get<{ isOpen: number; opensAt: number | null }>(findOpening)
  return { isOpen: row?.isOpen === 1, opensAt: row?.opensAt ?? null }
}

/** Opens the lines whose time has come and counts them. */
export function* openDueLines(db: Database, now: number): Query<number> {
  const rows = yield* db.all(openDue, now)
  return rows.length
}

/** Whether anybody waits for a limiter; with a key, in its lines. */
export function hasLine(db: Database, limiter: number, key: string | null): Query<boolean> {
  return key === null ? db.has(findLineOfAny, limiter) : db.has(findLineOfKey, limiter, key)
}

/** `uses` is what it has to pass where nothing else says so. */
export function addWaiter(db: Database, line: Line, who: Waiter & { readonly uses: string | null }): Query<unknown> {
  return db.run(insertWaiter, ...valuesOf(line), who.priority, who.ticket, who.runId, who.path, who.uses)
}

/** Takes everything of these runs out; the runs are given as JSON. */
export function dropWaitersOf(db: Database, runIds: string): Query<Line[]> {
  return db.all<Line>(deleteWaitersOf, runIds)
}

/** Takes waiters out, each from the one line it stands in. */
export function dropWaiters(db: Database, tickets: readonly number[]): Query<Line[]> {
  return db.all<Line>(deleteWaiters, JSON.stringify(tickets))
}

/**
 * Keeps what a line is about: its first, and when that may pass; a line of nobody goes. `turn` is that of a new line, `left` how many have left it.
 * Every eighth time its oldest is the first.
 */
export function* writeLine(
  db: Database,
  line: Line,
  { turn, open, left }: { readonly turn: number; readonly open: LineState; readonly left: number },
): Query<void> {
  const at = valuesOf(line)
  const before = yield* db.get<{ passes: number }>(findPasses, ...at)
  const passes = (before?.passes ?? 0) + left
  const head = yield* db.get<{ priority: number; ticket: number }>(isOldest({ passes }) ? findOldest : findHead, ...at)
  if (head === undefined) yield* db.run(deleteLine, ...at)
  else yield* db.run(upsertLine, ...at, turn, ...valuesOfState(open), head.priority, head.ticket, passes)
}

export interface LineState {
  readonly isOpen: boolean
  /** When it opens by itself. */
  readonly opensAt: number | null
}

/** For all lines of a key; with a turn the key goes behind all others. */
export function writeState(
  db: Database,
  { limiter, key }: KeyOfLimiter,
  state: LineState & { readonly turn?: number | undefined },
): Query<unknown> {
  if (state.turn === undefined) return db.run(updateOpen, ...valuesOfState(state), limiter, key)
  return db.run(updateTurn, state.turn, ...valuesOfState(state), limiter, key)
}

export interface KeyOfLimiter {
  readonly limiter: number
  readonly key: string
}

export function* keysOfLines(db: Database, limiter: number): Query<string[]> {
  const rows = yield* db.all<{ key: string }>(findKeys, limiter)
  return rows.map(({ key }) => key)
}

export function* openLimiters(db: Database, queue: number): Query<number[]> {
  const rows = yield* db.all<{ limiter: number }>(findOpenLimiters, queue)
  return rows.map(({ limiter }) => limiter)
}

export function nextHead(
  db: Database,
  at: { readonly queue: number; readonly limiter: number; readonly lines: string },
): Query<Head | undefined> {
  return db.get<Head>(findNext, at.queue, at.limiter, at.lines)
}

export function openHeads(db: Database, queue: number, limiter: number): Query<Head[]> {
  return db.all<Head>(findHeads, queue, limiter)
}

function valuesOf({ limiter, key, queue, definition }: Line): SqlValue[] {
  return [limiter, key, queue, definition]
}

function valuesOfState({ isOpen, opensAt }: LineState): SqlValue[] {
  return [isOpen ? 1 : 0, opensAt]
}
