// Runs that undo what they did: how one ends is decided once, whoever else wants to end it, and nothing but that comes of it.
import assert from 'node:assert/strict'
import type { ErrorRecord } from '../../lib/error-record.ts'
import type { Held } from '../../store/store.ts'
import type { DecidedEnd } from '../../store/undoing.ts'
import { cancel, errorValue, park, same, settle, startMs, step, type Cases, type Part, type Scene } from './scene.ts'

const laterMs = startMs + 60_000
const fate = { maxDeliveries: 1, value: errorValue('run_lost') }

export const undoingCases: Cases = {
  'I11: a cancel that was asked for before is over with the decision, which stays as it is': async (scene) => {
    const { id, held } = await doing(scene)
    same((await scene.client.commit({ cancels: [cancel(id)] })).cancels, ['asked'])
    const { lost, cancelRequests } = await scene.node.commit(decide(held))
    same([lost.size, cancelRequests], [0, []])
    const { claimed, cancelRequests: later } = await scene.node.commit({ claims: [scene.claimRequest()] })
    same([claimed[0]?.map(({ undoing }) => undoing), later], [[decided('failed', 'permanent')], []])
  },

  'a cancel that leaves what was done is still to be heard after the decision': async (scene) => {
    const { id, held } = await doing(scene)
    await scene.client.commit({ cancels: [{ ...cancel(id), skipsUndo: true }] })
    same((await scene.node.commit(decide(held))).lost.size, 0)
    const { claimed, cancelRequests } = await scene.node.commit({ claims: [scene.claimRequest()] })
    const runId = claimed[0]?.[0]?.held.runId
    same([runId, cancelRequests], [held.runId, [{ runId, reason: 'asked to', skipsUndo: true }]])
  },

  'I11: a cancel that comes after the decision is told that it is too late, in the same batch too': async (scene) => {
    const { id, held } = await doing(scene)
    const { cancels } = await scene.node.commit({ ...decide(held), cancels: [cancel(id), cancel(id)] })
    same(cancels, ['finished', 'finished'])
    const again = await scene.node.claimOne()
    same((await scene.client.commit({ cancels: [cancel(id)] })).cancels, ['finished'])
    same((await scene.node.commit({})).cancelRequests, [])
    same(again.undoing, decided('failed', 'permanent'))
  },

  'is cut short where it waits: it ends as was decided, and tells what cut it short': async (scene) => {
    const { id, held } = await doing(scene)
    await scene.node.commit(decide(held))
    const { cancels } = await scene.client.commit({ cancels: [{ ...cancel(id), skipsUndo: true }] })
    same(cancels, ['cancelled'])
    const end = await scene.store.findFinished(id)
    const { code, errors } = JSON.parse(end?.value ?? '{}') as ErrorRecord
    same([end?.outcome, code, errors?.map((error) => error.code)], ['failed', 'permanent', ['run_cancelled']])
    same(await scene.node.claim(), [])
  },

  'is cut short while it undoes: its node is told so, and a claim after that': async (scene) => {
    const { id, held } = await doing(scene)
    await scene.node.commit(decide(held))
    const again = await scene.node.claimOne()
    const { cancels } = await scene.client.commit({ cancels: [{ ...cancel(id), skipsUndo: true }] })
    const request = { runId: held.runId, reason: 'asked to', skipsUndo: true }
    same([cancels, (await scene.node.commit({})).cancelRequests], [['asked'], [request]])
    await scene.node.commit({ releases: [again.held] })
    const { claimed, cancelRequests } = await scene.node.commit({ claims: [scene.claimRequest()] })
    same([claimed[0]?.length, cancelRequests], [1, [request]])
  },

  'I11: of a decision and an end of one batch the end wins, as it comes first there': async (scene) => {
    const { id, held } = await doing(scene)
    const copy = { ...held }
    const { lost } = await scene.node.commit({ ...decide(copy), settles: [settle(held)] })
    assert.deepEqual(
      [...lost].map((one) => one === copy),
      [true],
    )
    same([await scene.stateOf(id), await scene.node.claim()], ['succeeded', []])
  },

  'I11: an end under the claim that was decided under changes nothing': async (scene) => {
    const { id, held } = await doing(scene)
    await scene.node.commit(decide(held))
    const { lost } = await scene.node.commit({ settles: [settle(held)] })
    same([lost, await scene.stateOf(id)], [new Set([held]), 'ready'])
    const again = await scene.node.claimOne()
    const twice = await scene.node.commit(decide(held))
    same([twice.lost, again.undoing], [new Set([held]), decided('failed', 'permanent')])
  },

  'is decided once by a batch that is issued twice': async (scene) => {
    const { held } = await doing(scene)
    const batch = scene.node.batch(decide(held))
    same([(await scene.store.commit(batch)).lost.size, (await scene.store.commit(batch)).lost.size], [0, 0])
    same((await scene.node.claimOne()).undoing, decided('failed', 'permanent'))
    same(await scene.node.claim(), [])
  },

  'I11: what somebody with a token told before it was decided is its end': async (scene) => {
    const { id, held } = await doing(scene)
    const token = { held, hash: 'given', path: '', startedAt: startMs, timeoutAt: null, heartbeatMs: null }
    await scene.node.commit({ tokens: [token] })
    await scene.client.commit({ completions: [{ hash: 'given', result: { isError: false, value: 'j1' } }] })
    const undo = { held, outcome: 'failed', value: errorValue('permanent'), token: 'open' } as const
    same((await scene.node.commit({ undoes: [undo] })).lost, new Set([held]))
    const again = await scene.node.claimOne()
    same([again.undoing, again.awaiting?.result, again.id], [undefined, { isError: false, value: 'j1' }, id])
  },

  'begins for a parked run at once, without its waits, its time and what it had to wait for': async (scene) => {
    const { id, held } = await doing(scene, { deadlineAt: laterMs })
    await scene.node.commit({ parks: [park(held, startMs + 5)] })
    same((await scene.client.commit({ cancels: [cancel(id)] })).cancels, ['asked'])
    await scene.clock.advance(60_000)
    same(await scene.store.wakeRuns(9), { woken: 0, nextDueAt: null, nextScheduleAt: null })
    same(await scene.store.expireRuns(9, () => errorValue('timed_out')), [])
    const again = await scene.node.claimOne()
    same([again.undoing, again.waits, again.deadlineAt], [decided('cancelled', 'run_cancelled'), [], null])
  },

  'begins where its time is up before it goes on, and where it killed too many nodes': async (scene) => {
    const late = await doing(scene, { deadlineAt: laterMs })
    await scene.node.commit({ releases: [late.held] })
    await scene.clock.advance(60_000)
    await scene.store.expireRuns(9, () => errorValue('timed_out'))
    same((await scene.node.claimOne()).undoing, { ...decided('failed', 'timed_out'), at: laterMs })
    const killer = await scene.start()
    for (const name of ['second', 'third']) {
      const other = await scene.addNode(name)
      const { held } = await other.claimOne()
      if (name === 'second') await other.commit({ steps: [charge(held)] })
      await scene.store.rescueNodes([{ nodeId: other.nodeId, isProved: true }], { ...fate, maxDeliveries: 2 })
    }
    const again = await scene.node.claimOne()
    same([again.id, again.deliveries, again.undoing?.outcome], [killer, 0, 'failed'])
  },

  'goes on when it is given back and woken, though its time is up': async (scene) => {
    const { id, held } = await doing(scene, { deadlineAt: laterMs })
    await scene.node.commit(decide(held))
    await scene.node.commit({ releases: [(await scene.node.claimOne()).held] })
    await scene.node.commit({ parks: [park((await scene.node.claimOne()).held, laterMs)] })
    await scene.clock.advance(60_000)
    same((await scene.store.wakeRuns(9)).woken, 1)
    same(await scene.store.expireRuns(9, () => errorValue('timed_out')), [])
    same([await scene.stateOf(id), (await scene.node.claimOne()).id], ['ready', id])
  },

  'that kills too many nodes ends as was decided, and tells so': async (scene) => {
    const { id, held } = await doing(scene)
    await scene.node.commit(decide(held))
    const other = await scene.addNode()
    await other.claimOne()
    await scene.store.rescueNodes([{ nodeId: other.nodeId, isProved: true }], fate)
    const end = await scene.store.findFinished(id)
    const { code, errors } = JSON.parse(end?.value ?? '{}') as ErrorRecord
    same([end?.outcome, code, errors?.map((error) => error.code)], ['failed', 'permanent', ['run_lost']])
  },

  'decides an end with nothing of it left when it has ended': async (scene) => {
    const { id, held } = await doing(scene)
    await scene.node.commit(decide(held))
    const again = await scene.node.claimOne()
    const undone = step(again.held, 'charge/undo', { seq: 2, kind: 'undo' })
    await scene.node.commit({ steps: [undone], settles: [settle(again.held, 'failed')] })
    const { undoingOutcome, undoingValue } = (await scene.store.findRun(id)) ?? {}
    same([await scene.stateOf(id), undoingOutcome, undoingValue], ['failed', null, null])
    same(await scene.store.operating.reopenRuns([id], undefined), ['reopened'])
    const next = await scene.node.claimOne()
    same([next.undoing, next.steps], [undefined, []])
    same(next.lives, { run: 1, steps: new Map([['charge', 2]]) })
  },

  'knows what it did in the generations before and does not remember, up to where it went on as a new one': async (
    scene,
  ) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ steps: [step(held, 'of another input', { isError: true })] })
    await scene.node.commit({ retries: [{ held, attempt: 2, dueAt: startMs }] })
    await scene.store.wakeRuns(9)
    const second = await scene.node.claimOne()
    const anew = { input: 'j2', limits: null, definitionId: scene.definitionId }
    await scene.node.commit({ continues: [{ held: second.held, ...anew }] })
    const third = await scene.node.claimOne()
    const failed = step(third.held, 'ask', { seq: 1, isError: true, value: errorValue('busy') })
    const kept = step(third.held, 'charge', { seq: 2, hasUndo: true })
    await scene.node.commit({ steps: [failed, kept], retries: [{ held: third.held, attempt: 2, dueAt: startMs }] })
    await scene.store.wakeRuns(9)
    const fourth = await scene.node.claimOne()
    same([fourth.held.generation, fourth.steps.map(({ path }) => path), fourth.formerSteps], [4, ['charge'], undefined])
    same([second.lives?.run, third.lives?.run, fourth.lives?.run], [1, 3, 3])
    await scene.node.commit(decide(fourth.held))
    const { steps, formerSteps } = await scene.node.claimOne()
    same(steps, [{ path: 'charge', seq: 2, kind: 'step', isError: false, value: 'j"charge"', hasUndo: true }])
    same(formerSteps, [{ path: 'ask', seq: 1, kind: 'step', isError: true, value: errorValue('busy') }])
  },

  'I5: a decision under an old claim changes nothing and is told': async (scene) => {
    const { held } = await doing(scene)
    await scene.node.commit({ releases: [held] })
    const again = await (await scene.addNode()).claimOne()
    same((await scene.node.commit(decide(held))).lost, new Set([held]))
    same([again.undoing, await scene.node.claim()], [undefined, []])
  },
}

/** A run that is held and has done something that can be undone. */
async function doing(scene: Scene, start: Parameters<Scene['startAndClaim']>[0] = {}) {
  const run = await scene.startAndClaim(start)
  await scene.node.commit({ steps: [charge(run.held)] })
  return run
}

function charge(held: Held) {
  return step(held, 'charge', { hasUndo: true })
}

function decide(held: Held): Part {
  return { undoes: [{ held, outcome: 'failed', value: errorValue('permanent') }] }
}

function decided(outcome: DecidedEnd['outcome'], code: string): DecidedEnd {
  return { outcome, value: errorValue(code), at: startMs }
}
