// The fence: only the node that holds a run writes to it, and only under its latest claim (I5, I7).
import assert from 'node:assert/strict'
import type { Held } from '../../store/store.ts'
import {
  attempt,
  errorValue,
  park,
  same,
  settle,
  startMs,
  step,
  type Cases,
  type Part,
  type Peer,
  type Scene,
} from './scene.ts'

const laterMs = startMs + 60_000

/** One write of each kind. */
const writes: Readonly<Record<string, (held: Held) => Part>> = {
  'a step': (held) => ({ steps: [step(held, 'late')] }),
  'an attempt': (held) => ({ attempts: [attempt(held, 'late', 1)] }),
  'a message': (held) => ({ emits: [{ held, n: 99, value: 'j"late"' }] }),
  'a log line': (held) => ({ logs: [{ held, n: 99, level: 'info', text: 'late', fields: null, at: startMs }] }),
  'a state': (held) => ({ states: [{ held, key: 'late', value: 'j1' }] }),
  progress: (held) => ({ progress: [{ held, done: 99, total: 100 }] }),
  'a token': (held) => ({
    tokens: [{ held, hash: 'late', path: '', startedAt: startMs, timeoutAt: null, heartbeatMs: null }],
  }),
  'an outcome': (held) => ({ settles: [settle(held, 'failed')] }),
  'an end that is decided': (held) => ({
    undoes: [{ held, outcome: 'failed', value: errorValue('permanent') }],
  }),
  'a retry': (held) => ({ retries: [{ held, attempt: 9, dueAt: laterMs }] }),
  'what it waits for': (held) => ({ waits: [{ held, waits: park(held, laterMs).waits }] }),
  'a park': (held) => ({ parks: [park(held, laterMs)] }),
  'a version': (held) => ({
    upgrades: [{ held, definitionId: 1, input: 'j"late"', steps: [{ path: 'kept', value: 'j1' }] }],
  }),
  'a release': (held) => ({ releases: [held] }),
}

/** Ways in which a claim stops being the latest; each returns the claim that is one now, if there is one. */
const takeovers: Readonly<Record<string, (scene: Scene, held: Held) => Promise<Held | undefined>>> = {
  'was claimed anew by the same node': async ({ node }, held) => {
    await node.commit({ releases: [held] })
    return (await node.claimOne()).held
  },
  'is run by another node': async (scene, held) => {
    await scene.node.commit({ releases: [held] })
    return (await (await scene.addNode()).claimOne()).held
  },
  'waits to be claimed': async ({ node }, held) => void (await node.commit({ releases: [held] })),
  'is parked': async ({ node }, held) => void (await node.commit({ parks: [park(held, laterMs)] })),
  'has finished': async ({ node }, held) => void (await node.commit({ settles: [settle(held)] })),
}

export const fencingCases: Cases = {
  ...Object.fromEntries(
    Object.entries(takeovers).flatMap(([how, takeOver]) =>
      Object.entries(writes).map(([what, write]) => [
        `I5: ${what} under an old claim of a run that ${how} changes nothing and is told`,
        (scene: Scene) => staleChangesNothing(scene, takeOver, write),
      ]),
    ),
  ),

  ...Object.fromEntries(
    Object.entries(writes).map(([what, write]) => [
      `I5: ${what} of a node that does not hold the run changes nothing and is told`,
      (scene: Scene) => strangerChangesNothing(scene, write),
    ]),
  ),

  'tells of every write of a lost run, and takes every other of the batch': async (scene) => {
    const [lost, kept] = [await scene.startAndClaim(), await scene.startAndClaim()]
    await scene.store.releaseUnheld(scene.node.nodeId, (runId) => runId === kept.held.runId)
    const committed = await scene.node.commit({
      starts: [scene.startRecord({ id: 'new' })],
      steps: [step(lost.held, 'a'), step(kept.held, 'a')],
      emits: [lost, kept].map(({ held }) => ({ held, n: 1, value: 'j1' })),
      settles: [settle(lost.held), settle(kept.held)],
    })
    same(committed.lost, new Set([lost.held]))
    assert.equal(committed.isNodeLost, false)
    same([await scene.stateOf(lost.id), await scene.stateOf(kept.id)], ['ready', 'succeeded'])
    same([await pathsOf(scene, lost.id), await pathsOf(scene, kept.id)], [[], ['a']])
    assert.equal(await scene.stateOf('new'), 'ready')
  },

  'I5: of steps of many runs in one batch takes those of the runs that are held under their claims, and tells the others':
    async (scene) => {
      const held: Held[] = []
      for (let n = 0; n < 30; n++) held.push((await scene.startAndClaim()).held)
      const [givenBack, elsewhere, ended, old] = held as [Held, Held, Held, Held]
      await scene.node.commit({ releases: [givenBack, elsewhere, old], settles: [settle(ended)] })
      const others = [await scene.addNode(), scene.node] as const
      for (const peer of others) assert.equal((await peer.claim(1)).length, 1)
      const { lost } = await scene.node.commit({ steps: held.flatMap((one) => [step(one, 'a'), step(one, 'b')]) })
      same(lost, new Set([givenBack, elsewhere, ended, old]))
      const kept = await Promise.all((await scene.store.listRuns({ limit: 100 })).map(({ id }) => pathsOf(scene, id)))
      same(kept.filter((paths) => paths.length === 2).length, 26)
      same(kept.filter((paths) => paths.length === 0).length, 4)
    },

  'takes everything of a batch that ends the run it writes for': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const { lost } = await scene.node.commit({
      steps: [step(held, 'a')],
      attempts: [attempt(held, '', 1)],
      emits: [{ held, n: 1, value: 'j1' }],
      settles: [settle(held)],
    })
    assert.equal(lost.size, 0)
    same(await pathsOf(scene, id), ['a'])
  },

  'ends a run once that a batch ends twice, and calls the second one lost': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const copy = { ...held }
    const { lost } = await scene.node.commit({ settles: [settle(held), settle(copy, 'failed')] })
    assert.deepEqual(
      [...lost].map((one) => one === copy),
      [true],
    )
    assert.equal(await scene.stateOf(id), 'succeeded')
  },

  'raises the epoch with every claim and every direct start': async (scene) => {
    const second = await scene.addNode()
    const epochs: number[] = []
    for (let turn = 0; turn < 3; turn++) {
      const { started } = await scene.node.commit({ starts: [scene.startRecord({ directly: true })] })
      const own = started[0]?.held
      assert.ok(own !== undefined)
      await scene.node.commit({ releases: [own] })
      for (const peer of [scene.node, second]) epochs.push(await claimAndRelease(peer))
      epochs.push(await claimAndRelease(scene.node))
    }
    same(
      epochs,
      [...new Set(epochs)].toSorted((a, b) => a - b),
    )
  },

  'raises the epoch of a run also after all others are gone': async (scene) => {
    const first = await scene.startAndClaim()
    await scene.node.commit({ settles: [settle(first.held)] })
    const second = await scene.startAndClaim()
    assert.ok(second.held.epoch > first.held.epoch)
    assert.ok(second.held.runId > first.held.runId)
  },

  'believes no client that says it holds a run': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    assert.equal(await scene.client.isTaken(held, { settles: [settle(held)] }), false)
    await scene.node.commit({ releases: [held] })
    const unclaimed = { ...held, epoch: 0 }
    assert.equal(await scene.client.isTaken(unclaimed, { settles: [settle(unclaimed)] }), false)
    assert.equal(await scene.stateOf(id), 'ready')
  },
}

async function staleChangesNothing(
  scene: Scene,
  takeOver: (scene: Scene, held: Held) => Promise<Held | undefined>,
  write: (held: Held) => Part,
): Promise<void> {
  const { id, held } = await scene.startAndClaim()
  await takeOver(scene, held)
  const before = await everythingOf(scene, id)

  const { lost } = await scene.node.commit(write(held))

  same(lost, new Set([held]))
  same(await everythingOf(scene, id), before)
}

async function strangerChangesNothing(scene: Scene, write: (held: Held) => Part): Promise<void> {
  const { id, held } = await scene.startAndClaim()
  const stranger = await scene.addNode()
  const before = await everythingOf(scene, id)

  const { lost } = await stranger.commit(write(held))

  same(lost, new Set([held]))
  same(await everythingOf(scene, id), before)
  assert.equal(await scene.node.holds(held), true)
}

async function everythingOf({ store }: Scene, id: string): Promise<unknown> {
  const emitted = await store.listEmitted(id, { epoch: 0, n: 0 }, 100)
  return { run: await store.findRun(id), steps: await store.listSteps(id), emitted, end: await store.findFinished(id) }
}

async function pathsOf({ store }: Scene, id: string): Promise<string[]> {
  return (await store.listSteps(id)).map(({ path }) => path)
}

async function claimAndRelease(peer: Peer): Promise<number> {
  const { held } = await peer.claimOne()
  await peer.commit({ releases: [held] })
  return held.epoch
}
