// Tokens: what comes from outside for runs that wait for it, from whoever was given the token.
import type {
  Awaiting,
  AwaitingStep,
  CompletedStep,
  CompletionAnswer,
  CompletionRecord,
  TokenRecord,
  TokenUse,
  TokenView,
  WaitRecord,
} from '../../waits.ts'
import type { Held } from '../../store.ts'
import { mapEach, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'
import type { Write } from '../runs/runs.ts'
import { wholeMs } from '../database/times.ts'
import { wakeRun } from '../runs/wakes.ts'

const insertToken = `
insert into token (hash, run_id, path, epoch, started_at, timeout_at, heartbeat_ms, heard_at)
values (?, ?, ?, ?, ?, ?, ?, ?)`

// By primary key, then by those of run and live.
const findToken = `
select run.public_id as id, token.run_id as runId, token.path, token.epoch, token.used_at as usedAt, token.timeout_at as timeoutAt,
  token.heartbeat_ms as heartbeatMs, run.definition, run.deadline_at as deadlineAt, live.state, live.epoch as liveEpoch
from token cross join run on run.id = token.run_id left join live on live.run_id = token.run_id
where token.hash = ?`

// What a person recorded is nobody's attempt; by primary keys.
const findByHand = `
select 1 from live cross join step on step.run_id = live.run_id and step.generation = live.generation and step.path = ?2
where live.run_id = ?1 and step.attempt = 0`

// By primary key.
const useToken = `update token set used_at = ?, is_error = ?, value = ? where hash = ?`

// By primary key.
const hearOfToken = `update token set heard_at = ? where hash = ?`

// By primary key.
const moveWait = `update wait set due_at = ? where run_id = ? and path = ?`

// The earliest of its waits, or the end of its time; by primary key.
const moveDue = `
update live set due_at = (select case when min(due_at) > ?1 then ?1 else min(due_at) end from wait where wait.run_id = live.run_id)
where run_id = ?2 and state = 'parked'`

// What came may stand here before the run waits for it; by primary key.
const addWait = `insert into wait (run_id, path, kind) values (?, ?, 'completion') on conflict do nothing`

// Whether something came for a token of the current claim; walks token_run.
const findResult = `
select is_error as isError from token where run_id = ? and epoch = ? and path = ? and value is not null`

// The attempt that waits; walks token_run.
const findAwaiting = `
select started_at as startedAt, timeout_at as timeoutAt, heartbeat_ms as heartbeatMs, heard_at as heardAt,
  is_error as isError, value
from token where run_id = ? and epoch = ? and path = ''`

// Walks token_run. Of steps only those that wait: what another was given means nothing, since it is done again.
const moveToClaim = `
update token set epoch = ? where run_id = ? and epoch = ? and (
  path = '' or exists (select 1 from wait where wait.run_id = token.run_id and wait.path = token.path and wait.kind = 'completion')
)`

// Walks token_run.
const findAwaitingSteps = `
select path, started_at as startedAt, timeout_at as timeoutAt, is_error as isError, value
from token where run_id = ? and epoch = ? and path <> ''`

// Walks token_run. Those that have been taken in are of the past.
const findCompletions = `
select path, started_at as startedAt, is_error as isError, value
from token where run_id = ? and epoch = ? and path <> '' and value is not null`

// Walks token_run.
const closeTokensAt = `update token set epoch = 0, value = null where run_id = ? and path = ?`

// Walks token_run. What is in a scope: 0 follows the slash after it.
const closeTokensInside = `update token set epoch = 0, value = null where run_id = ? and path > ? and path < ?`

// Walks token_run.
const hearOfRun = `update token set heard_at = ? where run_id = ? and epoch = ?`

// Walks token_run.
const closeTokens = `update token set epoch = 0, value = null where run_id = ? and epoch = ?`

// By primary key prefix.
const dropAwaited = `delete from wait where run_id = ? and kind = 'completion'`

// By primary key. Left behind, it would let the next attempt's token pass for one that was given out.
const dropAwaitedAt = `delete from wait where run_id = ? and path = ? and kind = 'completion'`

/** The statements of this file whose plans are tested. */
export const hotTokenStatements = {
  findToken,
  useToken,
  hearOfToken,
  moveWait,
  moveDue,
  findResult,
  findAwaiting,
  moveToClaim,
  hearOfRun,
  closeTokens,
  closeTokensAt,
  closeTokensInside,
  findAwaitingSteps,
  findCompletions,
  dropAwaited,
  dropAwaitedAt,
}

interface TokenRow extends Pick<TokenRecord, 'path' | 'timeoutAt' | 'heartbeatMs'> {
  readonly id: string
  readonly runId: number
  readonly epoch: number
  readonly usedAt: number | null
  readonly definition: number
  readonly deadlineAt: number | null
  readonly state: string | null
  readonly liveEpoch: number | null
}

export function* recordTokens({ db, now, fence }: Write, tokens: readonly TokenRecord[]): Query<void> {
  for (const { held, hash, path, startedAt, timeoutAt, heartbeatMs } of yield* fence.letIn(tokens)) {
    if (path !== '') yield* closeTokensOfStep(db, held.runId, path)
    yield* db.run(insertToken, hash, held.runId, path, held.epoch, startedAt, timeoutAt, heartbeatMs, now)
  }
}

/** Invariant: I8. A token takes one result, and only while the claim it belongs to is the latest. */
export function completeRuns(write: Write, completions: readonly CompletionRecord[]): Query<CompletionAnswer[]> {
  return mapEach(completions, (completion) => completeOne(write, completion))
}

export function* tokenOf(db: Database, hash: string): Query<TokenView | undefined> {
  const token = yield* db.get<TokenRow>(findToken, hash)
  return token && { id: token.id, definitionId: token.definition, path: token.path }
}

export function* listCompletions(db: Database, { runId, epoch }: Held): Query<readonly CompletedStep[]> {
  const rows = yield* db.all<Omit<CompletedStep, 'result'> & { isError: number; value: string }>(
    findCompletions,
    runId,
    epoch,
  )
  return rows.map(({ path, startedAt, isError, value }) => {
    return { path, startedAt, result: { isError: isError === 1, value } }
  })
}

/** Whether something came for a run under its current claim. */
export function hasCompletion(db: Database, { runId, epoch }: Omit<Held, 'generation'>, path = ''): Query<boolean> {
  return db.has(findResult, runId, epoch, path)
}

/** Whether a run is as good as succeeded, though nobody has taken that in yet. */
export function* hasSucceeded(db: Database, { runId, epoch }: Omit<Held, 'generation'>): Query<boolean> {
  const row = yield* db.get<{ isError: number }>(findResult, runId, epoch, '')
  return row?.isError === 0
}

/** The end of the handler is a sign of life. */
export function hearOfPark({ db, now }: Write, { runId, epoch }: Held): Query<unknown> {
  return db.run(hearOfRun, now, runId, epoch)
}

/** What a run waits with, whose waits are these; from now on it waits under the new claim. */
export function* awaitingOf(
  db: Database,
  claim: { readonly runId: number; readonly epochBefore: number; readonly epoch: number },
  waits: readonly WaitRecord[],
): Query<Awaiting | undefined> {
  const { runId, epochBefore, epoch } = claim
  if (!waits.some(({ kind }) => kind === 'completion')) return undefined
  if (epoch !== epochBefore) yield* db.run(moveToClaim, epoch, runId, epochBefore)
  const row = yield* db.get<Omit<Awaiting, 'result'> & { isError: number | null; value: string | null }>(
    findAwaiting,
    runId,
    epoch,
  )
  if (row === undefined) return undefined
  const { startedAt, timeoutAt, heartbeatMs, heardAt, isError, value } = row
  return {
    startedAt,
    timeoutAt,
    heartbeatMs,
    heardAt,
    result: value === null ? null : { isError: isError === 1, value },
  }
}

/** What the steps of a run wait with under its claim, once that was moved to it. */
export function* awaitingStepsOf(
  db: Database,
  { runId, epoch }: Omit<Held, 'generation'>,
  waits: readonly WaitRecord[],
): Query<readonly AwaitingStep[]> {
  if (!waits.some(({ kind, path }) => kind === 'completion' && path !== '')) return noSteps
  const rows = yield* db.all<Omit<AwaitingStep, 'result'> & { isError: number | null; value: string | null }>(
    findAwaitingSteps,
    runId,
    epoch,
  )
  return rows.map(({ path, startedAt, timeoutAt, isError, value }) => ({
    path,
    startedAt,
    timeoutAt,
    result: value === null ? null : { isError: isError === 1, value },
  }))
}

const noSteps: readonly AwaitingStep[] = []

/** The attempt of a step has ended: what it was given means nothing any more, and nobody waits for it. */
export function* closeTokensOfStep(db: Database, runId: number, path: string): Query<void> {
  yield* db.run(closeTokensAt, runId, path)
  yield* db.run(dropAwaitedAt, runId, path)
}

/** What was given out in this scope means nothing any more. */
export function closeTokensWithin(db: Database, runId: number, scope: string): Query<unknown> {
  return db.run(closeTokensInside, runId, `${scope}/`, `${scope}0`)
}

/** Ends the tokens of an attempt that ends; false when something came for one of them first: then the run has to go on with that. */
export function* endTokens(db: Database, held: Held, use: TokenUse): Query<boolean> {
  if (use === 'open' && (yield* hasCompletion(db, held))) return false
  yield* closeTokensOf(db, held)
  yield* db.run(dropAwaited, held.runId)
  return true
}

/** Tokens of this claim mean nothing any more. */
export function closeTokensOf(db: Database, { runId, epoch }: Omit<Held, 'generation'>): Query<unknown> {
  return db.run(closeTokens, runId, epoch)
}

function* completeOne(write: Write, { hash, result }: CompletionRecord): Query<CompletionAnswer> {
  const { db, now } = write
  const token = yield* db.get<TokenRow>(findToken, hash)
  if (token === undefined) return 'not_found'
  if (token.usedAt !== null) return 'used'
  if (token.state === null) return 'finished'
  if (token.epoch !== token.liveEpoch) {
    const isByHand = yield* db.has(findByHand, token.runId, token.path)
    return isByHand ? 'resolved' : 'superseded'
  }
  if (result === null) {
    yield* hearOf(write, hash, token)
    return 'accepted'
  }
  yield* db.run(useToken, now, result.isError ? 1 : 0, result.value, hash)
  yield* db.run(addWait, token.runId, token.path)
  // Race: its handler may still be at work; then the park or the end of the attempt finds what came.
  if (token.state !== 'running') yield* wakeRun(write, token.runId, { isDecided: token.path === '' })
  return 'accepted'
}

/** The silence begins anew. */
function* hearOf({ db, now }: Write, hash: string, token: TokenRow): Query<void> {
  yield* db.run(hearOfToken, now, hash)
  const { runId, path, timeoutAt, heartbeatMs, deadlineAt, state } = token
  if (state !== 'parked' || heartbeatMs === null) return
  const dueAt = wholeMs(Math.min(now + heartbeatMs, timeoutAt ?? Infinity))
  yield* db.run(moveWait, dueAt, runId, path)
  yield* db.run(moveDue, deadlineAt ?? Number.MAX_SAFE_INTEGER, runId)
}
