// Two moves at the same run, in all pairs and both orders: it has one outcome, and who comes too late is told (I11).
import assert from 'node:assert/strict'
import type { Claimed } from '../../store/store.ts'
import { cancel, errorValue, park, same, settle, startMs, type Cases, type Scene } from './scene.ts'

/** Tells whether it won. */
type Contender = (scene: Scene, run: Claimed) => Promise<boolean>

interface Move {
  readonly tries: Contender
  /** The state in which it leaves the run. */
  readonly leads: string
}

const laterMs = startMs + 60_000
const fate = { maxDeliveries: 1, value: errorValue('run_lost') }

/** What the node that holds the run may do. */
const own: Readonly<Record<string, Move>> = {
  succeed: { leads: 'succeeded', tries: ({ node }, { held }) => node.isTaken(held, { settles: [settle(held)] }) },
  fail: { leads: 'failed', tries: ({ node }, { held }) => node.isTaken(held, { settles: [settle(held, 'failed')] }) },
  obey: {
    leads: 'cancelled',
    tries: ({ node }, { held }) => node.isTaken(held, { settles: [settle(held, 'cancelled')] }),
  },
  park: { leads: 'parked', tries: ({ node }, { held }) => node.isTaken(held, { parks: [park(held, laterMs)] }) },
  retry: {
    leads: 'scheduled',
    tries: ({ node }, { held }) => node.isTaken(held, { retries: [{ held, attempt: 2, dueAt: laterMs }] }),
  },
  undo: {
    leads: 'ready',
    tries: ({ node }, { held }) =>
      node.isTaken(held, { undoes: [{ held, outcome: 'failed', value: errorValue('permanent') }] }),
  },
  release: { leads: 'ready', tries: ({ node }, { held }) => node.isTaken(held, { releases: [held] }) },
}

/** What others may do to it. */
const others: Readonly<Record<string, Move>> = {
  rescue: {
    leads: 'failed',
    tries: async (scene) => {
      const on = await scene.connect()
      const { givenUp } = await on.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], fate)
      return givenUp.length === 1
    },
  },
  lose: {
    leads: 'ready',
    tries: async (scene) => (await (await scene.connect()).releaseUnheld(scene.node.nodeId, () => false)) === 1,
  },
}

/** A cancel wins only against a run that nobody runs; otherwise it is a request. */
const outside: Readonly<Record<string, Move>> = {
  ...others,
  cancel: {
    leads: 'cancelled',
    tries: async (scene, { id }) => {
      const client = await scene.addClient()
      return (await client.commit({ cancels: [cancel(id)] })).cancels[0] === 'cancelled'
    },
  },
}

export const raceCases: Cases = Object.fromEntries([...orderedPairs(), ...simultaneousPairs()])

// After any of these the node does not hold the run, so nothing more is taken from it.
function orderedPairs(): [string, Cases[string]][] {
  return Object.entries({ ...own, ...others }).flatMap(([first, earlier]) =>
    Object.entries({ ...own, ...others }).map(([second, later]): [string, Cases[string]] => [
      `${first} leaves nothing to a later ${second}`,
      async (scene) => {
        const run = await scene.startAndClaim()
        assert.equal(await earlier.tries(scene, run), true)
        const before = await scene.rowOf(run.id)
        assert.equal(before?.state, earlier.leads)

        assert.equal(await later.tries(scene, run), false)

        same(await scene.rowOf(run.id), before)
      },
    ]),
  )
}

function simultaneousPairs(): [string, Cases[string]][] {
  return Object.entries({ ...own, ...others }).flatMap(([left, one]) =>
    Object.entries(outside).map(([right, other]): [string, Cases[string]] => [
      `${left} and ${right} at the same time leave a run in one state`,
      (scene) => race(scene, one, other),
    ]),
  )
}

async function race(scene: Scene, one: Move, other: Move): Promise<void> {
  const run = await scene.startAndClaim()

  const [isFirst, isSecond] = await Promise.all([one.tries(scene, run), other.tries(scene, run)])

  const isCancel = other.leads === 'cancelled'
  if (!isCancel) same([isFirst, isSecond].toSorted(), [false, true], 'exactly one wins')
  const winner = isSecond ? other : one
  const state = await scene.stateOf(run.id)
  assert.equal(state, winner.leads)
  const isFinal = state === 'succeeded' || state === 'failed' || state === 'cancelled'
  assert.equal((await scene.store.findFinished(run.id))?.outcome, isFinal ? state : undefined)
}
