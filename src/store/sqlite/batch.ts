// One batch, one transaction: the one hot call.
import type { Batch, Committed } from '../store.ts'
import { cancelRuns, listCancelRequests } from './cancels.ts'
import type { Connection } from './connection.ts'
import { claimRuns } from './claims.ts'
import { takeFrom } from './counters.ts'
import { answerAgain, keepAnswer, markBatch } from './marks.ts'
import { beginRuns, parkRuns, releaseRuns, retryRuns, settleRuns, undoRuns } from './moves.ts'
import { continueRuns } from './continues.ts'
import { startChildren } from './children.ts'
import { recordTells, refuseMessages } from './messages.ts'
import * as nodes from './nodes.ts'
import { insertRuns } from './starts.ts'
import { recordStates } from './states.ts'
import { recordAttempts, recordSteps, recordTurns } from './steps.ts'
import { recordStreams } from './streams.ts'
import { nothingCommitted } from '../lists.ts'
import { completeRuns, recordTokens } from './tokens.ts'
import { endsIn, noNode, writeIn } from './transaction.ts'
import { upgradeRuns } from './upgrades.ts'
import { keepWaits } from './waits.ts'

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
  const cancelRequests = isNode ? listCancelRequests(db, batch.nodeId) : []
  const { lost } = write.fence
  const { woken } = write.news
  const { opensAt } = write.admission
  if (isNode) keepAnswer(db, batch.nodeId, { lost, started, joined, tells, completions, cancels, woken, heldBack })
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
    woken,
    opensAt,
    isMoreToEnd: write.news.isMoreToEnd,
  }
}

function needsEpoch(batch: Batch): boolean {
  return batch.claims.length > 0 || batch.starts.some((start) => start.directly)
}
