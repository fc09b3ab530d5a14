// Starts: each begins a run, joins or changes the one that has its key, or takes its place.
import { toErrorRecord } from '../../../lib/error-record.ts'
import type { Room } from '../../../model/append.ts'
import { runCancelled } from '../../../model/errors.ts'
import { decideStart, type StartKey } from '../../../model/start-key.ts'
import type { StartRecord, Started } from '../../start.ts'
import type { Query } from '../../query.ts'
import { isAbove } from './circles.ts'
import { cancelRun, forgetRequests } from './moves.ts'
import { takeFrom } from '../counters.ts'
import {
  changeInput,
  extendInput,
  changeTimes,
  detachRun,
  findRunOfKey,
  inputOf,
  keepKey,
  ownerOf,
  wakeUnbegunRuns,
  type Keyed,
} from './keys.ts'
import { beginLimited, changeLimits } from '../limiters/limited.ts'
import { earliest, NewRuns, type Beginning } from './new-runs.ts'
import type { Write } from './runs.ts'
import { wholeMs } from '../database/times.ts'

const none: ReadonlySet<number> = new Set()

/** `firstId` is the number of the first of them, where theirs were taken before. */
export function* insertRuns(write: Write, starts: readonly StartRecord[], firstId?: number): Query<Started[]> {
  if (starts.length === 0) return []
  const runs = new NewRuns(write)
  const paused = starts.some(({ directly }) => directly) ? yield* write.paused.ids() : none
  let runId = firstId ?? (yield* takeFrom(write.db, 'run', starts.length))
  const started: Started[] = []
  for (const asked of starts) {
    const start = writtenAt(write.now, asked)
    const { key, limits, directly, queueId } = start
    const order = { start, runs, runId: runId++, isDirect: directly && !paused.has(queueId) }
    if (key !== null) started.push(yield* startKeyed(write, order, key))
    else if (limits !== null) started.push(yield* beginOfLimited(write, order, beginningOf(order, start)))
    else started.push(begin(write, order, beginningOf(order, start)))
  }
  yield* runs.write()
  return started
}

/** What was given as a time from the call on counts from now on. */
function writtenAt(now: number, start: StartRecord): StartRecord {
  const { askedAt = now, deadlineAt, expiresAt } = start
  if ((deadlineAt === null && expiresAt === null) || askedAt >= now) return start
  const moved = (at: number | null): number | null => (at === null ? null : at + now - askedAt)
  return { ...start, deadlineAt: moved(deadlineAt), expiresAt: moved(expiresAt) }
}

/** A start and the number of its run, should it become one. */
interface Order {
  readonly start: StartRecord
  readonly runs: NewRuns
  readonly runId: number
  /** An actor is free for it. */
  readonly isDirect: boolean
}

function begin(write: Write, order: Order, beginning: Beginning): Started {
  order.runs.add(order.runId, order.start, beginning)
  return begun(write, order, beginning.state === 'running')
}

/** The same for a run that has limiters to pass. */
function* beginOfLimited(write: Write, order: Order, beginning: Beginning): Query<Started> {
  const { start, runs, runId } = order
  const isDirect = beginning.state === 'running'
  const dueAt = earliest(start.deadlineAt, start.expiresAt)
  runs.add(runId, start, isDirect ? { ...beginning, state: 'ready', dueAt } : beginning)
  yield* runs.write()
  const isReady = isDirect || beginning.state === 'ready'
  const isRunning = yield* beginLimited(write, { runId, limits: start.limits ?? [], isDirect, isReady }, write)
  return begun(write, order, isRunning)
}

function begun({ epoch, now }: Write, { start, runId }: Order, isRunning: boolean): Started {
  const held = isRunning ? { runId, generation: 1, epoch } : undefined
  return { id: start.id, runId, isNew: true, isAmended: false, replacedId: undefined, held, createdAt: now }
}

function beginningOf({ isDirect }: Order, { priority, dueAt, deadlineAt, expiresAt }: StartRecord): Beginning {
  // Invariant: only what waits for a time is in live_due; a run that runs would be found there in vain.
  if (isDirect) return { state: 'running', priority, dueAt: null }
  if (dueAt !== null) return { state: 'scheduled', priority, dueAt: wholeMs(dueAt) }
  return { state: 'ready', priority, dueAt: earliest(deadlineAt, expiresAt) }
}

/** find → decide → do. Race: whoever begins, ends or starts a run of the key does so in another transaction. */
function* startKeyed(write: Write, order: Order, key: StartKey): Query<Started> {
  // The run of the key may be one of those that begin beside it.
  yield* order.runs.write()
  const owner = yield* ownerOf(write.db, key, order.start.definitionId)
  const found = yield* findRunOfKey(write.db, key, owner)
  const move = decideStart(key, found, write.now)
  if (found === undefined || move === 'start')
    return yield* beginKeyed(write, { order, key, owner }, found?.ahead ?? null)
  if (move === 'attach') return yield* share(write, order.start, found)
  if (move === 'follow') return yield* beginKeyed(write, { order, key, owner }, found.runId)
  if (move === 'amend' && (yield* amend(write, { start: order.start, key, found }))) return joined(found, true)
  if (move === 'replace') yield* cancel(write, found, order.start.id)
  const started = yield* beginKeyed(write, { order, key, owner }, null)
  return move === 'replace' ? { ...started, replacedId: found.id } : started
}

/** One that others wait for too does not end with the run that started it; what ends with it is no other. */
function* share({ db }: Write, { parent }: StartRecord, found: Keyed): Query<Started> {
  const isShared = found.place !== '' && found.endsWith !== null && found.endsWith !== parent
  if (isShared && (parent === undefined || !(yield* isAbove(db, found.runId, parent))))
    yield* detachRun(db, found.runId)
  return joined(found, false)
}

function joined({ id, runId, createdAt }: Keyed, isAmended: boolean): Started {
  return { id, runId, isNew: false, isAmended, replacedId: undefined, held: undefined, createdAt }
}

/** Begins a run that has a key from now on; where there is a run `ahead` it waits for the end of that. */
function* beginKeyed(
  write: Write,
  { order, key, owner }: { readonly order: Order; readonly key: StartKey; readonly owner: number },
  ahead: number | null,
): Query<Started> {
  const { start, runs, runId } = order
  const isFull = key.rule === 'append' && write.db.lists.isFull(start.input, key)
  const free = beginningOf(order, isFull ? { ...start, dueAt: null } : start)
  const dueAt = earliest(start.deadlineAt, start.expiresAt)
  const beginning: Beginning = ahead === null ? free : { ...free, state: 'parked', dueAt }
  const started =
    start.limits === null ? begin(write, order, beginning) : yield* beginOfLimited(write, order, beginning)
  yield* runs.write()
  yield* keepKey(write.db, key, { owner, runId, ahead })
  return started
}

/** Changes a run that waits into what a later start asks for; false when that does not fit into it. */
function* amend(
  write: Write,
  { start, key, found }: { readonly start: StartRecord; readonly key: StartKey; readonly found: Keyed },
): Query<boolean> {
  if (key.rule === 'append') return yield* append(write, { start, room: key, found })
  yield* changeInput(write.db, found.runId, start)
  yield* changeLimits(write, { runId: found.runId, isReady: found.place === 'ready' }, start)
  const latestAt = key.rule === 'debounce' && key.mostMs !== null ? found.createdAt + key.mostMs : Infinity
  const dueAt = start.dueAt === null ? null : Math.min(start.dueAt, latestAt)
  yield* changeTimes(write, found, { ...start, dueAt: key.rule === 'debounce' ? dueAt : null })
  return true
}

function* append(
  write: Write,
  { start, room, found }: { readonly start: StartRecord; readonly room: Room; readonly found: Keyed },
): Query<boolean> {
  const input = yield* inputOf(write.db, found.runId)
  const appended = write.db.lists.append(input, start.input, room)
  if (appended !== undefined) yield* extendInput(write.db, found.runId, { ...start, input: appended.input })
  // What is full has nothing more to wait for.
  if (appended?.isFull !== false && found.place === 'scheduled') yield* wakeUnbegunRuns(write, [found.runId])
  return appended !== undefined
}

function* cancel(write: Write, { id, runId, name, place, epoch }: Keyed, byId: string): Query<void> {
  yield* forgetRequests(write.db)
  const reason = `replaced by run ${byId}, which has its idempotency key`
  const value = JSON.stringify(toErrorRecord(runCancelled(name, id, reason)))
  yield* cancelRun(write, { runId, state: place, epoch }, { value, reason })
}
