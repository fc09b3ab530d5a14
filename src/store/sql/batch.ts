// One batch, one transaction: the one hot call.
import type { Batch, Committed } from '../store.ts'
import { askedOfNode, cancelRuns } from './runs/cancels.ts'
import type { Database } from './database/database.ts'
import { claimRuns } from './runs/claims.ts'
import { takeFrom } from './counters.ts'
import { answerAgain, keepAnswer, markBatch } from './nodes/marks.ts'
import { beginRuns, parkRuns, releaseRuns, retryRuns, settleRuns, undoRuns } from './runs/moves.ts'
import { continueRuns } from './runs/continues.ts'
import { startChildren } from './runs/children.ts'
import { recordTells, refuseMessages } from './steps/messages.ts'
import { addressed, recordHandled } from './steps/entities.ts'
import * as nodes from './nodes/nodes.ts'
import { insertRuns } from './runs/starts.ts'
import { recordStates } from './steps/states.ts'
import { recordAttempts, recordSteps, recordTurns } from './steps/steps.ts'
import { recordStreams } from './steps/streams.ts'
import { nothingCommitted } from '../lists.ts'
import { answerNow, together, type Query } from '../query.ts'
import { completeRuns, recordTokens } from './steps/tokens.ts'
import { endsIn, noNode, writeIn } from './database/transaction.ts'
import type { Write } from './runs/runs.ts'
import { upgradeRuns } from './runs/upgrades.ts'
import { keepWaits } from './steps/waits.ts'

/** The one hot call, in the order its parts depend on each other. */
export function* writeBatch(db: Database, batch: Batch, now: number): Query<Committed> {
  const isNode = batch.nodeId !== noNode
  const hasEpoch = needsEpoch(batch)
  const [epoch, isMarked, isDraining] = yield* together([
    hasEpoch ? takeFrom(db, 'epoch', 1) : none,
    isNode ? markBatch(db, batch, hasEpoch) : yes,
    batch.claims.length > 0 ? nodes.isDraining(db, batch.nodeId) : no,
  ])
  if (!isMarked) return yield* notWritten(db, batch)

  const write = writeIn(endsIn(db, now), { nodeId: batch.nodeId, epoch })
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
  yield* settleRuns(write, batch.settles)
  yield* undoRuns(write, batch.undoes)
  yield* retryRuns(write, batch.retries)
  yield* parkRuns(write, batch.parks)
  yield* continueRuns(write, batch.continues)
  yield* releaseRuns(write, batch.releases)
  const completions = yield* completeRuns(write, batch.completions)
  const tells = yield* recordTells(write, yield* addressed(write, batch.tells))
  const cancels = yield* cancelRuns(write, batch.cancels)
  const started = yield* insertRuns(write, batch.starts)
  yield* write.rollup.write(db, now)
  // Whoever was asked to stop may not have heard of it yet.
  const claims = isDraining ? batch.claims.map(() => noneClaimed) : yield* claimRuns(write, batch.claims)
  const claimed = claims.map(({ runs }) => runs)
  const heldBack = claims.map(({ isOneHeldBack }) => isOneHeldBack)
  const [{ cancelRequests, taken }] = yield* together([
    isNode ? askedOfNode(db, batch.nodeId) : nothing,
    started.length + claims.length > 0 ? write.outbox.ofStarts(claimed, started) : nothing,
  ])
  const { lost } = write.fence
  const { woken } = write.news
  const kept = { lost, taken, started, joined, tells, completions, cancels, woken, heldBack }
  if (isNode) yield* keepAnswer(db, batch.nodeId, kept)
  return { ...kept, ...newsOf(write), isNodeLost: false, claimed, cancelRequests }
}

const noneClaimed = { runs: [], isOneHeldBack: false }

/** What is a hint, or can be seen in the store. */
function newsOf({ news, admission }: Write): Pick<Committed, 'told' | 'opensAt' | 'isMoreToEnd'> {
  return { told: [...news.told], opensAt: admission.opensAt, isMoreToEnd: news.isMoreToEnd }
}

const none = answerNow(() => 0)
const yes = answerNow(() => true)
const no = answerNow(() => false)
const nothing = answerNow(() => nothingCommitted)

/** It was before, or its node was declared dead. */
function* notWritten(db: Database, batch: Batch): Query<Committed> {
  if (yield* nodes.hasNode(db, batch.nodeId)) return yield* answerAgain(db, batch)
  return { ...nothingCommitted, isNodeLost: true }
}

function needsEpoch(batch: Batch): boolean {
  return batch.claims.length > 0 || batch.starts.some((start) => start.directly)
}
