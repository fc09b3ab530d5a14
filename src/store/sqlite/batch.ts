// One batch, one transaction: the one hot call.
import type { Batch, Committed } from '../store.ts'
import { askedOfNode, cancelRuns } from './runs/cancels.ts'
import type { Connection } from './connection/connection.ts'
import { claimRuns } from './runs/claims.ts'
import { takeFrom } from './counters.ts'
import { answerAgain, keepAnswer, markBatch } from './nodes/marks.ts'
import { beginRuns, parkRuns, releaseRuns, retryRuns, settleRuns, undoRuns } from './runs/moves.ts'
import { continueRuns } from './runs/continues.ts'
import { startChildren } from './runs/children.ts'
import { recordTells, refuseMessages } from './steps/messages.ts'
import * as nodes from './nodes/nodes.ts'
import { insertRuns } from './runs/starts.ts'
import { recordStates } from './steps/states.ts'
import { recordAttempts, recordSteps, recordTurns } from './steps/steps.ts'
import { recordStreams } from './steps/streams.ts'
import { nothingCommitted } from '../lists.ts'
import { completeRuns, recordTokens } from './steps/tokens.ts'
import { endsIn, noNode, writeIn } from './connection/transaction.ts'
import { upgradeRuns } from './runs/upgrades.ts'
import { keepWaits } from './steps/waits.ts'

/** The one hot call, in the order its parts depend on each other. */
export function writeBatch(db: Connection, batch: Batch, now: number): Committed {
  const isNode = batch.nodeId !== noNode
  if (isNode && !nodes.hasNode(db, batch.nodeId)) return { ...nothingCommitted, isNodeLost: true }
  const epoch = needsEpoch(batch) ? takeFrom(db, 'epoch', 1) : 0
  if (isNode && !markBatch(db, batch, epoch)) return answerAgain(db, batch)

  const write = writeIn(endsIn(db, now), { nodeId: batch.nodeId, epoch })
  upgradeRuns(write, batch.upgrades)
  // Invariant: before the results that end them.
  keepWaits(write, batch.waits)
  recordSteps(write, batch.steps)
  recordTurns(write, batch.turns)
  recordAttempts(write, batch.attempts)
  recordStreams(write, batch)
  recordStates(write, batch.states)
  recordTokens(write, batch.tokens)
  refuseMessages(write, batch.refusals)
  beginRuns(write, batch.begins)
  // Invariant: before the end of the run that starts them, which they end with.
  const joined = startChildren(write, batch.children)
  settleRuns(write, batch.settles)
  undoRuns(write, batch.undoes)
  retryRuns(write, batch.retries)
  parkRuns(write, batch.parks)
  continueRuns(write, batch.continues)
  releaseRuns(write, batch.releases)
  const completions = completeRuns(write, batch.completions)
  const tells = recordTells(write, batch.tells)
  const cancels = cancelRuns(write, batch.cancels)
  const started = insertRuns(write, batch.starts)
  write.rollup.write(db, now)
  const claims = claimRuns(write, batch.claims)
  const claimed = claims.map(({ runs }) => runs)
  if (started.length + claims.length > 0) write.outbox.ofStarts(claimed, started)
  const heldBack = claims.map(({ isOneHeldBack }) => isOneHeldBack)
  const { cancelRequests, taken } = isNode ? askedOfNode(db, batch.nodeId) : nothingCommitted
  const { lost } = write.fence
  const { woken } = write.news
  const { opensAt } = write.admission
  const told = { lost, taken, started, joined, tells, completions, cancels, woken, heldBack }
  if (isNode) keepAnswer(db, batch.nodeId, told)
  return {
    isNodeLost: false,
    lost,
    started,
    joined,
    tells,
    completions,
    cancels,
    claimed,
    heldBack,
    cancelRequests,
    taken,
    woken,
    opensAt,
    isMoreToEnd: write.news.isMoreToEnd,
  }
}

function needsEpoch(batch: Batch): boolean {
  return batch.claims.length > 0 || batch.starts.some((start) => start.directly)
}
