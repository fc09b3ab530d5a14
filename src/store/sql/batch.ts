// One batch, one transaction: the one hot call.
import type { AskedOfNode } from '../cancels.ts'
import type { Batch, Committed, Held } from '../store.ts'
import { askedOfNode, cancelRuns, forgetTaken } from './runs/cancels.ts'
import type { Database } from './database/database.ts'
import { claimRuns } from './runs/claims.ts'
import { takeFrom } from './counters.ts'
import { answerAgain, keepAnswer, markBatch } from './nodes/marks.ts'
import { isEndingKnown, lookUpEnding, type EndingLive } from './runs/runs-to-end.ts'
import { beginRuns, forgetRequests, parkRuns, releaseRuns, retryRuns, settleRuns, undoRuns } from './runs/moves.ts'
import { continueRuns } from './runs/continues.ts'
import { startChildren } from './runs/children.ts'
import { recordTells, refuseMessages } from './steps/messages.ts'
import { addressed, recordHandled } from './steps/entities.ts'
import * as nodes from './nodes/nodes.ts'
import { insertRuns } from './runs/starts.ts'
import { recordStates } from './steps/states.ts'
import { recordAttempts, recordSteps, recordTurns } from './steps/steps.ts'
import { recordStreams } from './steps/streams.ts'
import { heldLists, nothingCommitted } from '../lists.ts'
import { answerNow, together, type Query } from '../query.ts'
import { completeRuns, recordTokens } from './steps/tokens.ts'
import { endsIn, noNode, writeIn } from './database/transaction.ts'
import { Fence, type Write } from './runs/runs.ts'
import { upgradeRuns } from './runs/upgrades.ts'
import { PausedQueues } from './views/queues.ts'
import { keepWaits } from './steps/waits.ts'

/** The one hot call, in the order its parts depend on each other. */
export function* writeBatch(db: Database, batch: Batch, now: number): Query<Committed> {
  const { write, isMarked, isDraining, firstRunId, asked, ending } = yield* askFirst(db, batch, now)
  if (!isMarked) return yield* notWritten(db, batch)

  yield* upgradeRuns(write, batch.upgrades)
  // Invariant: before the results that end them.
  yield* keepWaits(write, batch.waits)
  yield* recordSteps(write, batch.steps)
  yield* recordTurns(write, batch.turns)
  yield* recordAttempts(write, batch.attempts)
  yield* recordStreams(write, batch)
  yield* recordStates(write, batch.states)
  yield* recordTokens(write, batch.tokens)
  yield* refuseMessages(write, batch.refusals)
  yield* recordHandled(write, batch.handled)
  yield* beginRuns(write, batch.begins)
  // Invariant: before the end of the run that starts them, which they end with.
  const joined = yield* startChildren(write, batch.children)
  yield* settleRuns(write, batch.settles, ending ?? (yield* lookUpEnding(db, batch)))
  yield* undoRuns(write, batch.undoes)
  yield* retryRuns(write, batch.retries)
  yield* parkRuns(write, batch.parks)
  yield* continueRuns(write, batch.continues)
  yield* releaseRuns(write, batch.releases)
  const completions = yield* completeRuns(write, batch.completions)
  const tells = yield* recordTells(write, yield* addressed(write, batch.tells))
  const cancels = yield* cancelRuns(write, batch.cancels)
  const started = yield* insertRuns(write, batch.starts, firstRunId)
  yield* write.rollup.write(db, now)
  // Whoever was asked to stop may not have heard of it yet.
  const claims = isDraining ? batch.claims.map(() => noneClaimed) : yield* claimRuns(write, batch.claims)
  const claimed = claims.map(({ runs }) => runs)
  const heldBack = claims.map(({ isOneHeldBack }) => isOneHeldBack)
  if (started.length + claims.length > 0) yield* write.outbox.ofStarts(claimed, started)
  const { cancelRequests, taken } = isAskedAnew(write, batch, asked) ? yield* askedOf(db, batch) : asked
  yield* forgetTaken(db, batch.nodeId, taken)
  // Invariant: I15. Who was asked to end may have ended by itself with this batch.
  if (asked.cancelRequests.length > 0) yield* forgetRequests(db)
  const { lost } = write.fence
  const { woken } = write.news
  const kept = { lost, taken, started, joined, tells, completions, cancels, woken, heldBack }
  if (batch.nodeId !== noNode) yield* keepAnswer(db, batch, kept)
  return { ...kept, ...newsOf(write), isNodeLost: false, claimed, cancelRequests }
}

const noneClaimed = { runs: [], isOneHeldBack: false }

interface First {
  readonly write: Write
  /** It is written for the first time, by a node that is there. */
  readonly isMarked: boolean
  readonly isDraining: boolean
  readonly firstRunId: number
  readonly asked: AskedOfNode
  /** The runs that end, where nothing of the batch changes what is known of them. */
  readonly ending: readonly EndingLive[] | undefined
}

/** All that can be known, and taken, before anything is written: a server is asked for it at once. */
function* askFirst(db: Database, batch: Batch, now: number): Query<First> {
  const { nodeId, starts, claims } = batch
  const hasEpoch = claims.length > 0 || starts.some(({ directly }) => directly)
  const ends = endsIn(db, now)
  const [fence, paused] = [new Fence(db, nodeId), new PausedQueues(db)]
  const [epoch, isMarked, isDraining, firstRunId, asked, , , , ending] = yield* together([
    hasEpoch ? takeFrom(db, 'epoch', 1) : none,
    nodeId === noNode ? yes : markBatch(db, batch, hasEpoch),
    claims.length > 0 ? nodes.isDraining(db, nodeId) : no,
    starts.length === 0 ? none : takeFrom(db, 'run', starts.length),
    askedOf(db, batch),
    fence.letIn(keptFor(batch)),
    ends.outbox.look(),
    hasEpoch ? paused.ids() : nothing,
    isEndingKnown(batch) ? lookUpEnding(db, batch) : unknown,
  ])
  const write = writeIn(ends, { nodeId, epoch, fence, paused })
  return { write, isMarked, isDraining, firstRunId, asked, ending }
}

// Invariant: I5. What lets go of runs comes later: only the first of that is let in.
const lettingGo: readonly (typeof heldLists)[number][] = ['settles', 'undoes', 'retries', 'parks', 'continues']
const keptLists = heldLists.filter((list) => !lettingGo.includes(list))

function keptFor(batch: Batch): { readonly held: Held }[] {
  return keptLists.flatMap((list): readonly { readonly held: Held }[] => batch[list])
}

/** What is asked of runs that came, or went, with this batch is known at its end alone. */
function isAskedAnew({ news }: Write, { claims }: Batch, { cancelRequests }: AskedOfNode): boolean {
  return news.isAsked || claims.length > 0 || cancelRequests.length > 0
}

function askedOf(db: Database, { nodeId }: Batch): Query<AskedOfNode> {
  return nodeId === noNode ? nothing : askedOfNode(db, nodeId)
}

/** What is a hint, or can be seen in the store. */
function newsOf({ news, admission }: Write): Pick<Committed, 'told' | 'opensAt' | 'isMoreToEnd'> {
  return { told: [...news.told], opensAt: admission.opensAt, isMoreToEnd: news.isMoreToEnd }
}

const none = answerNow(() => 0)
const yes = answerNow(() => true)
const no = answerNow(() => false)
const nothing = answerNow(() => nothingCommitted)
const unknown = answerNow(() => undefined)

/** It was before, or its node was declared dead. */
function* notWritten(db: Database, batch: Batch): Query<Committed> {
  if (yield* nodes.hasNode(db, batch.nodeId)) return yield* answerAgain(db, batch)
  return { ...nothingCommitted, isNodeLost: true }
}
