// What passes limiters without being a run: in line with runs, and never longer than its node is there.
import assert from 'node:assert/strict'
import type { LimitUse } from '../../model/limiter.ts'
import type { Entering, Passed, Passing } from '../../store/queues.ts'
import type { Held } from '../../store/store.ts'
import { idsOf, limiterOf, slots } from './limits.ts'
import { park, same, settle, startMs, type Cases, type Peer, type Scene } from './scene.ts'

const endsOfActivations: Readonly<Record<string, (scene: Scene, held: Held) => Promise<unknown>>> = {
  ends: ({ node }, held) => node.commit({ settles: [settle(held)] }),
  parks: ({ node }, held) => node.commit({ parks: [park(held, startMs + 60_000)] }),
  'is given back': ({ node }, held) => node.commit({ releases: [held] }),
  'loses its node': ({ store, node }) =>
    store.rescueNodes([{ nodeId: node.nodeId, isProved: true }], { maxDeliveries: 4, value: '{}' }),
  'outlives its node': ({ store, node }) => store.deleteNode(node.nodeId),
}

export const ticketCases: Cases = {
  'lets pass what is no run, in line with runs by age, until it leaves': async (scene) => {
    const use = await limiterOf(scene, { concurrency: 1 })
    const other = await scene.addNode()
    const here = await pass(scene.node, { enters: [enters(use)] })
    same([here.passed, here.isNodeLost], [here.tickets, false])
    const id = await scene.start({ limits: [use] })
    const there = await pass(other, { enters: [enters(use)] })
    const late = await scene.start({ limits: [use] })
    same([there.passed, await scene.node.claim(9)], [[], []])
    assert.equal((await pass(scene.node, { leaves: here.tickets })).opensAt, startMs)
    const waiting = there.tickets
    same((await pass(other, { yields: true })).isYielding, true)
    const [claimed, ...more] = await scene.node.claim(9)
    same([claimed?.id, more], [id, []])
    await scene.node.commit({ settles: [settle(claimed?.held as Held)] })
    same(await scene.node.claim(9), [], 'the other is older than the last run')
    same((await pass(other, {})).passed, waiting)
    await pass(other, { leaves: waiting })
    same(idsOf(await scene.node.claim(9)), [late])
  },

  'lets what is no run pass before an older run when it is told to': async (scene) => {
    const use = await limiterOf(scene, { concurrency: 1 })
    const first = await pass(scene.node, { enters: [enters(use)] })
    await scene.start({ limits: [use] })
    const { tickets } = await pass(scene.node, { enters: [enters(use)] })
    await pass(scene.node, { leaves: first.tickets, yields: true })
    same((await pass(scene.node, {})).passed, tickets)
  },

  'frees with its node what is no run, and knows nothing of it then': async (scene) => {
    const use = await limiterOf(scene, { concurrency: 1 })
    const other = await scene.addNode()
    await pass(other, { enters: [enters(use), enters(use)] })
    const { tickets } = await pass(scene.node, { enters: [enters(use)] })
    same(await slots(scene), [['limiter-1', 1, 2]])
    await scene.store.rescueNodes([{ nodeId: other.nodeId, isProved: true }], { maxDeliveries: 4, value: '{}' })
    same((await pass(other, { enters: [enters(use)] })).isNodeLost, true)
    same((await pass(scene.node, {})).passed, tickets)
    same(await slots(scene), [['limiter-1', 1, 0]])
    assert.equal(await scene.repair(), 0)
    await scene.store.deleteNode(scene.node.nodeId)
    same(await slots(scene), [['limiter-1', 0, 0]])
  },

  'lets a step pass all of its limiters or none, and waits where it was refused': async (scene) => {
    const uses = [await limiterOf(scene, { concurrency: 1 }), await limiterOf(scene, { concurrency: 1 })]
    const taken = await pass(scene.node, { enters: uses.map(enters) })
    const run = await scene.startAndClaim()
    const step = { runId: run.held.runId, path: 'a' }
    const { tickets: waiting } = await pass(scene.node, { enters: [{ uses, step }] })
    const reason = async () => (await scene.store.findRun(run.id))?.reason
    const rest = { kind: 'limiter', key: '', step: 'a', bound: 'concurrency', holders: [] } as const
    same([await slots(scene), await reason()], [bothTaken(1, 0), { ...rest, limiter: 'limiter-1' }])
    await pass(scene.node, { leaves: taken.tickets.slice(0, 1) })
    same([(await slots(scene))[0], await reason()], [['limiter-1', 0, 0], { ...rest, limiter: 'limiter-2' }])
    const { passed } = await pass(scene.node, { leaves: taken.tickets.slice(1) })
    same([passed, await slots(scene), await reason()], [waiting, bothTaken(0, 0), null])
    const behind = await scene.startAndClaim()
    await pass(scene.node, { enters: [{ uses, step: { runId: behind.held.runId, path: 'b' } }] })
    const reasonBehind = (await scene.store.findRun(behind.id))?.reason
    same(reasonBehind, { ...rest, limiter: 'limiter-1', step: 'b', holders: [run.id] })
    await pass(scene.node, { leaves: waiting })
    same((await slots(scene))[0], ['limiter-1', 1, 0])
  },

  ...Object.fromEntries(
    Object.entries(endsOfActivations).map(([name, end]): [string, Cases[string]] => [
      `frees what a step has and waits for when its run ${name}`,
      async (scene) => {
        const use = await limiterOf(scene, { concurrency: 1 })
        const { held } = await scene.startAndClaim()
        const ofStep = (path: string): Entering => ({ uses: [use], step: { runId: held.runId, path } })
        await pass(scene.node, { enters: [ofStep('a'), ofStep('b')] })
        same(await slots(scene), [['limiter-1', 1, 1]])
        await end(scene, held)
        same(await slots(scene), [['limiter-1', 0, 0]])
        assert.equal(await scene.store.repairLimiters(), 0)
      },
    ]),
  ),

  'gives nothing to a step of a run that is not here': async (scene) => {
    const use = await limiterOf(scene, { concurrency: 1 })
    const other = await scene.addNode()
    const { held } = await scene.startAndClaim()
    const { passed } = await pass(other, { enters: [{ uses: [use], step: { runId: held.runId, path: 'a' } }] })
    same([passed, await slots(scene)], [[], [['limiter-1', 0, 0]]])
  },
}

function bothTaken(first: number, second: number): [string, number, number][] {
  return [
    ['limiter-1', 1, first],
    ['limiter-2', 1, second],
  ]
}

function enters(use: LimitUse): Entering {
  return { uses: [use], step: null }
}

function pass(peer: Peer, passing: Partial<Passing>): Promise<Passed> {
  return peer.store.passLimiters(peer.nodeId, { enters: [], holds: 0, leaves: [], yields: false, ...passing })
}
