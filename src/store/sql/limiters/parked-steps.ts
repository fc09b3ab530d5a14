// Steps that wait for limiters while their run is set aside: each stands in a line of its run with the turn it had, and passes together with that.
import { turnFrom } from '../../../model/limiter.ts'
import type { Claimed } from '../../store.ts'
import type { WaitRecord } from '../../waits.ts'
import type { Query } from '../../query.ts'
import { usesFrom, type Holder } from './admission.ts'
import type { Database } from '../database/database.ts'
import { candidateOf } from './limited.ts'
import { lineOf, type Head } from './lines.ts'
import { statesBefore } from '../../../model/moves.ts'
import { runMoves } from '../../../model/run.ts'
import type { Ends } from '../runs/runs.ts'

// By primary key.
const findPlace = `select queue, definition, priority, deliveries from live where run_id = ?`

// By the index of waiters, then by primary key. A run that is ready already is claimed without its steps, which come back with their turns.
const findStep = `
select waiter.run_id as runId, waiter.path, waiter.uses from waiter cross join live on live.run_id = waiter.run_id
where waiter.ticket = ? and waiter.path is not null and live.state = 'parked'`

// By primary key; its claim follows.
const wakeForStep = `update live set state = 'ready' where run_id = ? and state in (${statesBefore(runMoves.wake)})`

/** The statements of this file whose plans are tested. */
export const hotParkedStepStatements = { findPlace, findStep, wakeForStep }

type Passers = Pick<Ends, 'db' | 'admission'>

/** Puts the steps that a run was parked with into its lines. */
export function* lineUpSteps({ db, admission }: Passers, runId: number, waits: readonly WaitRecord[]): Query<void> {
  const steps = waits.filter(({ kind }) => kind === 'limiter')
  const place = steps.length === 0 ? undefined : yield* db.get<Place>(findPlace, runId)
  if (place === undefined) return
  const line = { ...place, definition: lineOf(place.definition, place.deliveries) }
  for (const { path, name } of steps) {
    const { ticket, uses } = turnFrom(name ?? '')
    yield* admission.enqueue({ ...line, ticket, uses, runId, path })
  }
}

interface Place {
  readonly queue: number
  readonly definition: number
  readonly priority: number
  readonly deliveries: number
}

/** The run of the first of a line, where that is a step whose run is set aside. */
export function* runOfStep(db: Database, ticket: number): Query<number | undefined> {
  const row = yield* db.get<{ runId: number }>(findStep, ticket)
  return row?.runId
}

/** Lets a run pass with the step of it that is the first of a line: all that both have to pass, or nothing. It is ready to be claimed then. */
export function* admitWithStep({ db, admission }: Passers, head: Head, holder: Holder): Query<boolean> {
  const step = yield* db.get<{ runId: number; path: string; uses: string | null }>(findStep, head.ticket)
  if (step === undefined) return false
  const { runId, path, uses } = step
  const { ticket, queue, definition, priority } = head
  const own = uses === null ? [{ limiterId: head.limiter, key: head.key }] : usesFrom(uses)
  const who = { ticket, uses: own, queue, definition, priority, runId, path }
  const run = yield* candidateOf(db, runId)
  const refused = yield* admission.admitAll(run === undefined ? [who] : [run, who], holder)
  yield* admission.dequeue([ticket])
  if (refused !== undefined) yield* admission.enqueue(who, refused)
  else yield* db.run(wakeForStep, runId)
  return refused === undefined
}

/** Those that were claimed wait on their node from now on, as soon as their code comes to it. */
export function* leaveLines({ admission }: Passers, claimed: readonly Claimed[]): Query<void> {
  for (const { held, waits } of claimed) {
    if (waits.some(({ kind }) => kind === 'limiter')) yield* admission.dequeueRun(held.runId)
  }
}
