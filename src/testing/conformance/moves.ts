// Every state against every move: each succeeds exactly where the transition table says so (I4).
import assert from 'node:assert/strict'
import { runMoves, type RunMove, type RunState } from '../../model/run.ts'
import type { Claimed, Held } from '../../store/store.ts'
import { cancel, errorValue, park, same, settle, startMs, step, type Cases, type Scene } from './scene.ts'

const states: readonly RunState[] = ['ready', 'scheduled', 'running', 'parked', 'succeeded', 'failed', 'cancelled']

const laterMs = startMs + 60_000

/** Takes a run that is held and brings it into a state. */
const enter: Readonly<Record<RunState, (scene: Scene, held: Held) => Promise<unknown>>> = {
  ready: ({ node }, held) => node.commit({ releases: [held] }),
  scheduled: ({ node }, held) => node.commit({ retries: [{ held, attempt: 2, dueAt: laterMs }] }),
  running: async () => undefined,
  parked: ({ node }, held) => node.commit({ parks: [park(held, laterMs)] }),
  succeeded: ({ node }, held) => node.commit({ settles: [settle(held, 'succeeded')] }),
  failed: ({ node }, held) => node.commit({ settles: [settle(held, 'failed')] }),
  cancelled: ({ node }, held) => node.commit({ settles: [settle(held, 'cancelled')] }),
}

/** Tries a move and tells whether the store says that it happened. */
const tryMove: Readonly<Record<RunMove, (scene: Scene, run: Claimed) => Promise<boolean>>> = {
  claim: async ({ node }, { id }) => (await node.claim()).some((claimed) => claimed.id === id),
  park: ({ node }, { held }) => node.isTaken(held, { parks: [park(held, laterMs)] }),
  wake: async (scene) => {
    await scene.clock.advance(60_000)
    return (await scene.store.wakeRuns(10)).woken === 1
  },
  retry: ({ node }, { held }) => node.isTaken(held, { retries: [{ held, attempt: 2, dueAt: laterMs }] }),
  release: ({ node }, { held }) => node.isTaken(held, { releases: [held] }),
  continue: ({ node, definitionId }, { held }) =>
    node.isTaken(held, { continues: [{ held, input: 'j1', limits: null, definitionId }] }),
  undo: async ({ node, client }, { id, held }) => {
    if (await node.isTaken(held, { undoes: [{ held, outcome: 'failed', value: errorValue('permanent') }] })) return true
    const { cancels } = await client.commit({ cancels: [cancel(id)] })
    return cancels[0] === 'asked'
  },
  succeed: ({ node }, { held }) => node.isTaken(held, { settles: [settle(held, 'succeeded')] }),
  fail: ({ node }, { held }) => node.isTaken(held, { settles: [settle(held, 'failed')] }),
  expire: async ({ store, clock }, { id }) => {
    await clock.advance(60_000)
    return (await store.expireRuns(10, () => errorValue('timed_out'))).some((run) => run.id === id)
  },
  cancel: tryCancel,
}

export const moveCases: Cases = Object.fromEntries(
  states.flatMap((state) => (Object.keys(runMoves) as RunMove[]).map((move) => caseOf(state, move))),
)

function caseOf(state: RunState, move: RunMove): [string, Cases[string]] {
  const { from, to } = runMoves[move]
  const isLegal = (from as readonly RunState[]).includes(state)
  const name = isLegal
    ? `${move} brings a run from ${state} to ${to}`
    : `${move} leaves a run that is ${state} as it is`
  const run = async (scene: Scene): Promise<void> => {
    const claimed = await scene.startAndClaim({ deadlineAt: laterMs })
    if (move === 'undo') await scene.node.commit({ steps: [step(claimed.held, 'charge', { hasUndo: true })] })
    await enter[state](scene, claimed.held)
    assert.equal(await scene.stateOf(claimed.id), state)
    const before = await scene.rowOf(claimed.id)

    assert.equal(await tryMove[move](scene, claimed), isLegal)

    assert.equal(await scene.stateOf(claimed.id), isLegal ? to : state)
    if (!isLegal) same(await scene.rowOf(claimed.id), before)
  }
  return [name, run]
}

/** A run that is running is asked to end, and its node obeys. */
async function tryCancel(scene: Scene, { id, held }: Claimed): Promise<boolean> {
  const { cancels } = await scene.client.commit({ cancels: [cancel(id)] })
  if (cancels[0] !== 'asked') return cancels[0] === 'cancelled'
  const { cancelRequests } = await scene.node.commit({})
  same(cancelRequests, [{ runId: held.runId, reason: 'asked to', skipsUndo: false }])
  return scene.node.isTaken(held, { settles: [settle(held, 'cancelled')] })
}
