// What the attempts of a run keep for the next one: it outlives retries and processes, and a key has one value.
import assert from 'node:assert/strict'
import type { Held } from '../../store/store.ts'
import { attempt, park, same, settle, startMs, step, type Cases, type Peer, type Scene } from './scene.ts'

const kept = [
  { key: 'cursor', value: 'j7' },
  { key: 'page', value: 'j"b"' },
]

/** How an activation ends whose run goes on; the next claim is made by the node that is returned. */
const pauses: Readonly<Record<string, (scene: Scene, held: Held) => Promise<Peer>>> = {
  'was given back': async ({ node }, held) => {
    await node.commit({ releases: [held] })
    return node
  },
  'was tried again': async ({ node, store }, held) => {
    const retries = [{ held, attempt: 2, dueAt: startMs }]
    await node.commit({ attempts: [attempt(held, '', 1)], retries })
    await store.wakeRuns(1)
    return node
  },
  'was tried again in another generation': async ({ node, store }, held) => {
    const steps = [step(held, 'pay', { isError: true, value: '{}' })]
    await node.commit({ steps, retries: [{ held, attempt: 2, dueAt: startMs }] })
    await store.wakeRuns(1)
    return node
  },
  'was parked': async ({ node, store }, held) => {
    await node.commit({ parks: [park(held, startMs)] })
    await store.wakeRuns(1)
    return node
  },
  'lost its process': async (scene) => {
    const fate = { maxDeliveries: 9, value: '{}' }
    await scene.store.rescueNodes([{ nodeId: scene.node.nodeId, isProved: true }], fate)
    return scene.addNode()
  },
}

export const stateCases: Cases = {
  ...Object.fromEntries(
    Object.entries(pauses).map(([how, pause]) => [
      `returns with the next claim what was kept before the run ${how}`,
      async (scene: Scene) => {
        const { held } = await scene.startAndClaim()
        await scene.node.commit({ states: kept.map((state) => ({ held, ...state })) })
        const node = await pause(scene, held)
        same((await node.claimOne()).states, kept)
      },
    ]),
  ),

  'takes what is kept together with the end of the attempt': async (scene) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ states: kept.map((state) => ({ held, ...state })), releases: [held] })
    same((await scene.node.claimOne()).states, kept)
  },

  'returns none with the claim of a run that kept nothing': async (scene) => {
    const { held, states } = await scene.startAndClaim()
    same(states, [])
    await scene.node.commit({ releases: [held] })
    same((await scene.node.claimOne()).states, [])
  },

  'lets the later of two values of a key win, in one batch and in two': async (scene) => {
    const { held } = await scene.startAndClaim()
    const values = ['j1', 'j2', 'j3'].map((value) => ({ held, key: 'cursor', value }))
    await scene.node.commit({ states: values.slice(0, 2) })
    await scene.node.commit({ states: [{ held, key: 'page', value: 'j1' }, ...values.toReversed()] })
    await scene.node.commit({ releases: [held] })
    same((await scene.node.claimOne()).states, [
      { key: 'cursor', value: 'j1' },
      { key: 'page', value: 'j1' },
    ])
  },

  'forgets a key, and keeps it again': async (scene) => {
    const { held } = await scene.startAndClaim()
    const forgotten = { held, key: 'cursor', value: null }
    await scene.node.commit({ states: [...kept.map((state) => ({ held, ...state })), forgotten], releases: [held] })
    const next = await scene.node.claimOne()
    same(next.states, [{ key: 'page', value: 'j"b"' }])
    const again = { held: next.held, key: 'cursor', value: 'j8' }
    await scene.node.commit({ states: [{ ...again, value: null }, again], releases: [next.held] })
    same((await scene.node.claimOne()).states[0], { key: 'cursor', value: 'j8' })
  },

  'keeps what different runs keep apart, and what is kept of one that goes on when another ends': async (scene) => {
    const [left, right] = [await scene.startAndClaim(), await scene.startAndClaim()]
    await scene.node.commit({
      states: [
        { held: left.held, key: 'cursor', value: 'j"left"' },
        { held: right.held, key: 'cursor', value: 'j"right"' },
      ],
    })
    await scene.node.commit({ settles: [settle(left.held)], releases: [right.held] })
    same((await scene.node.claimOne()).states, [{ key: 'cursor', value: 'j"right"' }])
  },

  'writes what is kept once for a batch that is issued twice, and tells it again with the claim': async (scene) => {
    const { held } = await scene.startAndClaim()
    await scene.node.commit({ states: [{ held, key: 'cursor', value: 'j1' }], releases: [held] })
    const batch = scene.node.batch({ claims: [scene.claimRequest()] })
    const answers = [await scene.store.commit(batch), await scene.store.commit(batch)]
    same(answers[1], answers[0])
    assert.equal(answers[1]?.claimed[0]?.[0]?.states[0]?.value, 'j1')
  },

  'gives back texts of any kind under keys of any kind': async (scene) => {
    const { held } = await scene.startAndClaim()
    const states = ['', 'Zürich 🦆', "'; drop table state; --"].map((key) => ({
      key,
      value: `j${JSON.stringify(key)}`,
    }))
    await scene.node.commit({ states: states.map((state) => ({ held, ...state })), releases: [held] })
    const found = (await scene.node.claimOne()).states
    same(new Set(found), new Set(states))
  },
}
