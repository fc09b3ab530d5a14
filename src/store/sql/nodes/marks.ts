// The mark of a batch: issued twice, a batch is written once, and the second time only its answer is told.
import { heldLists } from '../../lists.ts'
import type { JoinedChild, Started } from '../../start.ts'
import type { CompletionAnswer, TellAnswer } from '../../waits.ts'
import type { CancelAnswer, TakenRun } from '../../cancels.ts'
import { type Batch, type Claimed, type Committed, type Held } from '../../store.ts'
import { mapEach, type Query } from '../../query.ts'
import { askedOfNode, forgetTaken } from '../runs/cancels.ts'
import { listClaimed, loadRun } from '../runs/claims.ts'
import type { Database } from '../database/database.ts'

// By primary keys; changes nothing when this batch was committed before, or its node is not there any more. The epoch was taken in this transaction.
const insertMark = `
insert into mark (node, slot, seq, epoch)
select node.id, cast(?4 as integer), cast(?2 as integer), case when cast(?3 as integer) = 1 then (select value from counter where name = 'epoch') else 0 end
from node where node.id = ?1
on conflict (node, slot) do update set seq = excluded.seq, epoch = excluded.epoch, answer = null
where excluded.seq > mark.seq
returning seq`

// By primary key.
const updateAnswer = `update mark set answer = ? where node = ? and slot = ?`

const findMark = `select epoch, answer from mark where node = ? and slot = ?`

const findStarted = `
select run.id as runId, run.created_at as createdAt, live.epoch, live.node
from run left join live on live.run_id = run.id
where run.public_id = ?`

/** What cannot be told later, when others have moved the runs. */
interface KeptAnswer {
  /** Run and epoch of each. */
  readonly lost: readonly (readonly [number, number])[]
  readonly taken: readonly TakenRun[]
  readonly cancels: readonly CancelAnswer[]
  readonly completions: readonly CompletionAnswer[]
  readonly tells: readonly TellAnswer[]
  readonly woken: number
  readonly heldBack: readonly boolean[]
  readonly joined: readonly (readonly [string, JoinedChild])[]
  /** The starts that met a run of their key, by their place. */
  readonly met: Readonly<Record<number, Met>>
}

type Met = Pick<Started, 'id' | 'runId' | 'isNew' | 'isAmended' | 'createdAt'> & { readonly replacedId?: string }

type Kept = Pick<
  Committed,
  'lost' | 'taken' | 'started' | 'joined' | 'cancels' | 'completions' | 'tells' | 'woken' | 'heldBack'
>

const nothingKept: KeptAnswer = {
  lost: [],
  taken: [],
  cancels: [],
  completions: [],
  tells: [],
  woken: 0,
  heldBack: [],
  joined: [],
  met: {},
}

/** The statements of this file whose plans are tested. */
export const hotMarkStatements = { findMark, updateAnswer, findStarted }

/** Marks a batch as committed, under the epoch that was taken last where it has one; false when it was before, and when its node is gone. */
export function markBatch(db: Database, { nodeId, seq }: Batch, hasEpoch: boolean): Query<boolean> {
  return db.has(insertMark, nodeId, seq, hasEpoch ? 1 : 0, seq % db.spread)
}

/** Keeps the part of the answer that the store does not show otherwise; most batches have none. */
export function* keepAnswer(
  db: Database,
  { nodeId, seq }: Batch,
  { lost, started, joined, ...rest }: Kept,
): Query<void> {
  const met = metBy(started)
  const { taken, cancels, completions, tells, woken, heldBack } = rest
  const kinds = lost.size + taken.length + cancels.length + completions.length + tells.length + joined.size + woken
  if (kinds === 0 && !heldBack.includes(true) && met === undefined) return
  const lostRuns = Array.from(lost, ({ runId, epoch }) => [runId, epoch] as const)
  const kept: KeptAnswer = { ...rest, lost: lostRuns, joined: [...joined], met: met ?? {} }
  yield* db.run(updateAnswer, JSON.stringify(kept), nodeId, seq % db.spread)
}

/** The answer to a batch that was committed and whose answer was lost. */
export function* answerAgain(db: Database, batch: Batch): Query<Committed> {
  const mark = yield* db.get<{ epoch: number; answer: string | null }>(findMark, batch.nodeId, batch.seq % db.spread)
  const kept: KeptAnswer = { ...nothingKept, ...(JSON.parse(mark?.answer ?? '{}') as Partial<KeptAnswer>) }
  const epoch = mark?.epoch ?? 0
  const { cancelRequests, taken } = yield* askedOfNode(db, batch.nodeId)
  yield* forgetTaken(db, batch.nodeId, taken)
  const started = yield* startedAgain(db, batch, { epoch, met: kept.met })
  return {
    isNodeLost: false,
    lost: lostAgain(batch, kept),
    started,
    joined: new Map(kept.joined),
    cancels: kept.cancels,
    completions: kept.completions,
    tells: kept.tells,
    told: [],
    woken: kept.woken,
    claimed: yield* claimedAgain(db, batch, { epoch, started }),
    heldBack: batch.claims.map((_claim, place) => kept.heldBack[place] ?? false),
    cancelRequests,
    taken: [...kept.taken, ...taken],
    opensAt: null,
    isMoreToEnd: false,
  }
}

function metBy(started: readonly Started[]): Record<number, Met> | undefined {
  let met: Record<number, Met> | undefined
  for (let place = 0; place < started.length; place++) {
    const one = started[place]
    if (one === undefined || (one.isNew && one.replacedId === undefined)) continue
    const { id, runId, isNew, isAmended, createdAt, replacedId } = one
    met ??= {}
    met[place] = { id, runId, isNew, isAmended, createdAt, ...(replacedId !== undefined && { replacedId }) }
  }
  return met
}

function* startedAgain(
  db: Database,
  batch: Batch,
  { epoch, met }: Pick<KeptAnswer, 'met'> & { epoch: number },
): Query<Started[]> {
  return yield* mapEach(batch.starts, function* (start, place): Query<Started> {
    const known = met[place]
    const replacedId = known?.replacedId
    if (known !== undefined && !known.isNew) return { ...known, replacedId, held: undefined }
    const own = yield* db.get<{ runId: number; createdAt: number; epoch: number | null; node: number | null }>(
      findStarted,
      start.id,
    )
    if (own === undefined) throw new Error(`Batch ${batch.seq} is marked and its run ${start.id} is not there`)
    const { runId, createdAt } = own
    const isHere = start.directly && own.node === batch.nodeId && own.epoch === epoch
    const held = isHere ? { runId, generation: 1, epoch } : undefined
    return { id: start.id, runId, isNew: true, isAmended: false, replacedId, held, createdAt }
  })
}

function lostAgain(batch: Batch, kept: KeptAnswer): Set<Held> {
  if (kept.lost.length === 0) return new Set()
  const keys = new Set(kept.lost.map(([runId, epoch]) => `${runId}/${epoch}`))
  return new Set(heldOf(batch).filter(({ runId, epoch }) => keys.has(`${runId}/${epoch}`)))
}

function heldOf(batch: Batch): Held[] {
  return [...heldLists.flatMap((list) => batch[list].map(({ held }) => held)), ...batch.releases]
}

/** The runs this batch claimed, each given to the first claim that can have brought it. */
function* claimedAgain(
  db: Database,
  batch: Batch,
  known: { epoch: number; started: readonly Started[] },
): Query<Claimed[][]> {
  const startedHere = new Set(known.started.flatMap(({ held }) => (held === undefined ? [] : [held.runId])))
  const all = yield* listClaimed(db, batch.nodeId, known.epoch)
  let rows = all.filter(({ runId }) => !startedHere.has(runId))
  return yield* mapEach(batch.claims, function* (claim) {
    const fitting = rows.filter(({ definition }) => claim.definitionIds.includes(definition))
    const inOrder = claim.queueIds.flatMap((queueId) => fitting.filter(({ queue }) => queue === queueId))
    const taken = inOrder.slice(0, claim.want)
    rows = rows.filter((row) => !taken.includes(row))
    return yield* mapEach(taken, (row) =>
      loadRun(db, row, { epoch: known.epoch, claimedAt: row.createdAt, hasBegun: row.hasBegun === 1 }),
    )
  })
}
