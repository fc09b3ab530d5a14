// Questions to runs: in one order with what they are told, until the run has answered or nobody waits any more.
import type { AskEnd, AskRow, AskStore } from '../../asks.ts'
import type { StepRecord } from '../../store.ts'
import type { CompletionResult, RefusalRecord, TellAnswer, TellRecord, WaitRecord } from '../../waits.ts'
import type { Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import type { Write } from '../runs/runs.ts'
import { wholeMs } from '../database/times.ts'
import type { Access } from '../database/transaction.ts'
import { wakeRun } from '../runs/wakes.ts'

// Invariant: I15. What one run may have to answer.
const mostOpen = 10_000

// By the unique public id, then by primary keys.
const findRunAsked = `
select run.id as runId, live.state,
  exists (
    select 1 from wait where wait.run_id = run.id and ((wait.kind = 'ask' and wait.name = ?2) or wait.kind = 'mail')) as isHeard
from run left join live on live.run_id = run.id where run.public_id = ?1`

const insertAsk = `
insert into ask (seq, run_id, name, value, is_checked, until_at) values (?, ?, ?, ?, ?, ?)`

// By the index on their times.
const dropLate = `delete from ask where until_at <= ?`

// Walks ask_open, once a batch for each run that is asked something.
const countOpen = `select count(*) as count from ask indexed by ask_open where run_id = ? and is_taken = 0`

// Walks ask_open, in the order in which they came.
const findOpen = `
select seq, name, value, is_checked as isChecked from ask indexed by ask_open
where run_id = ? and is_taken = 0 and until_at > ? and name in (select value from json_each(?) /* texts */)
order by seq
limit ?`

// Walks ask_open.
const findOpenOf = `
select 1 from ask indexed by ask_open where run_id = ? and is_taken = 0 and name = ? and until_at > ? limit 1`

// By primary key.
const takeAsk = `update ask set is_taken = 1 where seq = ? and run_id = ?`

// By primary key. The first reply holds.
const setReply = `
update ask set is_taken = 1, is_error = ?, reply = ? where seq = ? and run_id = ? and reply is null`

// By the index on their runs, seldom: what a run has begun to answer and not ended is begun anew by what goes on without its memory.
const untakeAsks = `update ask set is_taken = 0 where run_id = ? and is_taken = 1 and reply is null`

// By primary keys.
const findAskEnds = `
select cast(asked.value as integer) as seq, ask.seq is null as isGone, live.run_id is null as hasEnded, ask.is_error as isError, ask.reply,
  ask.is_taken = 0 and live.state = 'parked' and not exists (
    select 1 from wait where wait.run_id = ask.run_id
      and ((wait.kind = 'ask' and wait.name = ask.name) or wait.kind = 'mail')) as isMissing
from json_each(?) as asked left join ask on ask.seq = cast(asked.value as integer) left join live on live.run_id = ask.run_id`

// By primary key.
const withdrawAsk = `delete from ask where seq = ? and is_taken = 0 returning seq`

/** The statements of this file whose plans are tested. */
export const hotAskStatements = {
  findRunAsked,
  dropLate,
  countOpen,
  findOpen,
  findOpenOf,
  takeAsk,
  setReply,
  untakeAsks,
  findAskEnds,
  withdrawAsk,
}

export class SqlAskStore implements AskStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  listOpen(runId: number, names: readonly string[], limit: number): Promise<AskRow[]> {
    const { db, read, now } = this.#access
    return read(function* () {
      const rows = yield* db.all<Omit<AskRow, 'isChecked'> & { isChecked: number }>(
        findOpen,
        runId,
        now(),
        JSON.stringify(names),
        limit,
      )
      return rows.map((row) => ({ ...row, isChecked: row.isChecked === 1 }))
    })
  }

  listEnds(seqs: readonly number[]): Promise<ReadonlyMap<number, AskEnd>> {
    const { db, read } = this.#access
    return read(function* () {
      const rows = yield* db.all<EndRow>(findAskEnds, JSON.stringify(seqs))
      return new Map(rows.flatMap((row) => endOf(row)))
    })
  }

  withdraw(seq: number): Promise<boolean> {
    const { db, write } = this.#access
    return write(() => db.has(withdrawAsk, seq))
  }
}

interface EndRow {
  readonly seq: number
  readonly isGone: number
  readonly hasEnded: number
  readonly isMissing: number | null
  readonly isError: number | null
  readonly reply: string | null
}

function endOf({ seq, isGone, hasEnded, isMissing, isError, reply }: EndRow): [number, AskEnd][] {
  if (isGone === 1) return [[seq, 'gone']]
  if (reply !== null) return [[seq, { isError: isError === 1, value: reply }]]
  if (hasEnded === 1) return [[seq, 'finished']]
  return isMissing === 1 ? [[seq, 'missing']] : []
}

/** Forgets what nobody waits for any more. */
export function dropLateAsks({ db, now }: Write): Query<unknown> {
  return db.run(dropLate, now)
}

/** Whether something is asked of a run that it has an answer to. */
export function* hasAsk(
  { db, now }: Pick<Write, 'db' | 'now'>,
  runId: number,
  waits: readonly WaitRecord[],
): Query<boolean> {
  for (const { kind, name } of waits) {
    if (kind === 'ask' && (yield* db.has(findOpenOf, runId, name, now))) return true
  }
  return false
}

/** A step that begins to answer, or that is the answer. */
export function answerAsk(db: Database, { held, kind, isError, value }: StepRecord, ask: number): Query<unknown> {
  if (kind === 'ask') return db.run(takeAsk, ask, held.runId)
  return db.run(setReply, isError ? 1 : 0, value, ask, held.runId)
}

/** Answers a run's ask, whose caller may have gone. */
export function replyTo(
  db: Database,
  ask: { readonly runId: number; readonly seq: number },
  reply: CompletionResult,
): Query<unknown> {
  return db.run(setReply, reply.isError ? 1 : 0, reply.value, ask.seq, ask.runId)
}

/** What does not fit is answered with why. */
export function* refuseAsk(db: Database, { held, ask, why }: RefusalRecord): Query<void> {
  if (ask !== undefined) yield* db.run(setReply, 1, why, ask, held.runId)
}

/** Invariant: I3. The run forgets what it did: what it has not answered is open again. */
export function reopenAsks(db: Database, runId: number): Query<unknown> {
  return db.run(untakeAsks, runId)
}

/** Keeps an ask under its number, or says why not. */
export function* recordAsk(write: Write, ask: TellRecord, { seq, open }: AskPlace): Query<TellAnswer> {
  const { db } = write
  const { id, name, value, isChecked, askedUntil = 0, most = mostOpen } = ask
  const run = yield* db.get<{ runId: number; state: string | null; isHeard: number }>(findRunAsked, id, name)
  if (run === undefined) return 'not_found'
  if (run.state === null) return 'finished'
  if (run.state === 'parked' && run.isHeard === 0) return 'missing'
  const count = open.get(run.runId) ?? (yield* openCountOf(db, run.runId))
  if (count >= most) return 'full'
  open.set(run.runId, count + 1)
  yield* db.run(insertAsk, seq, run.runId, name, value, isChecked === true ? 1 : 0, wholeMs(askedUntil))
  if (run.state === 'running') write.news.told.add(id)
  if (run.state === 'parked') yield* wakeRun(write, run.runId, { isDecided: false })
  return { ask: seq }
}

function* openCountOf(db: Database, runId: number): Query<number> {
  const row = yield* db.get<{ count: number }>(countOpen, runId)
  return row?.count ?? 0
}

export interface AskPlace {
  readonly seq: number
  /** How many the runs of this batch have not begun to answer. */
  readonly open: Map<number, number>
}
