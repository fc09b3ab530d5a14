// Messages to runs: kept in the order of their commits until the run has received them; what is left at its end is a dead letter.
import type {
  MailRow,
  MessageRow,
  MessageSlice,
  RefusalRecord,
  TellAnswer,
  TellRecord,
  WaitRecord,
} from '../../waits.ts'
import { mapEach, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import { dropLateAsks, recordAsk, refuseAsk } from './asks.ts'
import { takeFrom } from '../counters.ts'
import type { Write } from '../runs/runs.ts'
import { wakeRun } from '../runs/wakes.ts'

// Invariant: I15. What may wait for one run to receive it.
const mostUnread = 10_000

// By the unique public id, then by primary key.
const findRun = `
select run.id as runId, live.state from run left join live on live.run_id = run.id where run.public_id = ?`

const insertMessage = `insert into message (run_id, seq, name, value, key, is_checked, at, refused) values (?, ?, ?, ?, ?, ?, ?, ?)`

// By primary key prefix, once a batch for each run that is told something.
const countMessages = `select count(*) as count from message where run_id = ?`

// By primary key prefix; a run waits for few things.
const findWaiting = `
select 1 from wait where run_id = ? and ((kind = 'message' and name = ? and (key is null or key = ?)) or kind = 'mail')`

// By primary key prefix, in the order in which they came.
const findMessages = `
select seq, name, value, at, key, is_checked as isChecked, refused from message
where run_id = (select id from run where public_id = ?1)
  and (cast(?2 as text) is null or (name = ?2 and refused is null)) and (cast(?3 as text) is null or key = ?3) and seq > ?5
order by seq
limit ?4`

// By primary key prefix.
const findMessage = `
select 1 from message where run_id = ?1 and name = ?2 and (cast(?3 as text) is null or key = ?3) and refused is null limit 1`

// By primary key prefix, and by that of ask_open; merged in their order.
const findMail = `
select seq, name, value, null as until from message where run_id = ?1 and seq > ?2 and refused is null
union all
select seq, name, value, until_at as until from ask indexed by ask_open
where run_id = ?1 and seq > ?2 and is_taken = 0 and until_at > ?3
order by seq
limit ?4`

// By primary key.
const refuseMessage = `update message set refused = ? where run_id = ? and seq = ?`

// By primary key.
const deleteMessage = `delete from message where run_id = ? and seq = ?`

/** The statements of this file whose plans are tested. */
export const hotMessageStatements = {
  findRunOfMessage: findRun,
  countMessages,
  findWaitForMessage: findWaiting,
  findMessages,
  findMessage,
  findMail,
  refuseMessage,
  deleteMessage,
}

export function* recordTells(write: Write, tells: readonly TellRecord[]): Query<TellAnswer[]> {
  if (tells.length === 0) return []
  let seq = yield* takeFrom(write.db, 'message', tells.length)
  const unread = new Map<number, number>()
  const open = new Map<number, number>()
  if (tells.some(({ askedUntil }) => askedUntil !== undefined)) yield* dropLateAsks(write)
  return yield* mapEach(tells, (tell) => {
    const place = { seq: seq++, unread, open }
    return tell.askedUntil === undefined ? recordTell(write, tell, place) : recordAsk(write, tell, place)
  })
}

export function* listMessages(db: Database, { id, name, key, after = 0, limit }: MessageSlice): Query<MessageRow[]> {
  const rows = yield* db.all<Omit<MessageRow, 'isChecked'> & { isChecked: number }>(
    findMessages,
    id,
    name,
    key ?? null,
    limit,
    after,
  )
  return rows.map((row) => ({ ...row, isChecked: row.isChecked === 1 }))
}

/** What a run was told and asked, in one order. */
export function listMail({ db, now }: Pick<Write, 'db' | 'now'>, slice: MailSlice): Query<MailRow[]> {
  return db.all<MailRow>(findMail, slice.runId, slice.after, now, slice.limit)
}

interface MailSlice {
  readonly runId: number
  readonly after: number
  readonly limit: number
}

/** Whether one of the messages that a run waits for is there. */
export function* hasMessage(
  { db, now }: Pick<Write, 'db' | 'now'>,
  runId: number,
  waits: readonly WaitRecord[],
): Query<boolean> {
  for (const { kind, name, key } of waits) {
    if (kind === 'mail' && (yield* db.has(findMail, runId, 0, now, 1))) return true
    if (kind === 'message' && (yield* db.has(findMessage, runId, name, key ?? null))) return true
  }
  return false
}

/** What a run does not take keeps it awake no more, and what is asked is answered so. */
export function* refuseMessages({ db, fence }: Write, refusals: readonly RefusalRecord[]): Query<void> {
  for (const refusal of yield* fence.letIn(refusals)) {
    const { held, message, why } = refusal
    if (message !== undefined) yield* db.run(refuseMessage, why, held.runId, message)
    yield* refuseAsk(db, refusal)
  }
}

/** It is kept as one that nobody received. */
export function refuseOne(
  db: Database,
  message: { readonly runId: number; readonly seq: number },
  why: string,
): Query<unknown> {
  return db.run(refuseMessage, why, message.runId, message.seq)
}

/** A message is gone in the commit that records that it was received. */
export function forgetMessage(db: Database, runId: number, seq: number): Query<unknown> {
  return db.run(deleteMessage, runId, seq)
}

interface Place {
  readonly seq: number
  /** How many messages the runs of this batch have not received. */
  readonly unread: Map<number, number>
}

function* recordTell(write: Write, tell: TellRecord, { seq, unread }: Place): Query<TellAnswer> {
  const { id, name, value, key = null, isChecked = false, most = mostUnread } = tell
  const { db, now } = write
  const run = yield* db.get<{ runId: number; state: string | null }>(findRun, id)
  if (run === undefined) return 'not_found'
  const count = unread.get(run.runId) ?? (yield* unreadCountOf(db, run.runId))
  if (count >= most) return 'full'
  unread.set(run.runId, count + 1)
  // Who told it was told that nobody receives it: it is not received in another life of the run either.
  const refused = run.state === null ? 'the run had ended' : null
  yield* db.run(insertMessage, run.runId, seq, name, value, key, isChecked ? 1 : 0, now, refused)
  if (run.state === null) return 'finished'
  if (run.state === 'running') write.news.told.add(id)
  if (run.state === 'parked' && (yield* db.has(findWaiting, run.runId, name, key))) {
    yield* wakeRun(write, run.runId, { isDecided: false })
  }
  return 'told'
}

function* unreadCountOf(db: Database, runId: number): Query<number> {
  const row = yield* db.get<{ count: number }>(countMessages, runId)
  return row?.count ?? 0
}
