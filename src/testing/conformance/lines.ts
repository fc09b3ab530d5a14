// The lines before limiters: suspected runs hold nobody up, amended runs change lines, and nobody starves, whatever the priorities.
import assert from 'node:assert/strict'
import { seededRandom } from '../../lib/random.ts'
import type { StartKey } from '../../model/start-key.ts'
import { limiterOf, slots } from './limits.ts'
import { errorValue, same, settle, startMs, type Cases, type Scene } from './scene.ts'

const fate = { maxDeliveries: 9, value: errorValue('run_lost') }
const perMinute = { limit: 1, perMs: 60_000, burst: 1 }

export const lineCases: Cases = {
  'lets others of its line pass while a suspected run may not be performed': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 9 })]
    await start(scene, ['suspect'], { limits, priority: 1 })
    await die(scene, 2)
    await start(scene, ['next', 'last'], { limits })
    same(await claim(scene, { mostDeliveries: 1 }), ['next', 'last'])
    same(await claim(scene, {}), ['suspect'])
  },

  'claims a run with a delivery alone, and lets nothing pass in vain beside it': async (scene) => {
    const paced = [await limiterOf(scene, { rate: perMinute })]
    const free = [await limiterOf(scene, { concurrency: 9 })]
    await start(scene, ['delivered'], { limits: free })
    await die(scene, 1)
    await start(scene, ['paced'], { limits: paced })
    same(await claim(scene, {}), ['delivered'])
    same(await claim(scene, {}), ['paced'])
  },

  'lets a delivered run that passes a limiter wait for its own claim, its rate unspent': async (scene) => {
    const paced = [await limiterOf(scene, { rate: { ...perMinute, burst: 2 } })]
    await start(scene, ['delivered'], { limits: paced })
    await die(scene, 1)
    await start(scene, ['first'], { priority: 1 })
    same(await claim(scene, {}), ['first'])
    same(await claim(scene, {}), ['delivered'])
  },

  ...Object.fromEntries(
    (['debounce', 'keepLast'] as const).map((rule): [string, Cases[string]] => [
      `lines a run up by the key of its new input: ${rule}`,
      async (scene) => {
        const { limiterId } = await limiterOf(scene, { concurrency: 1 })
        const serving = { queueIds: [scene.queueId], definitionIds: [scene.definitionId] }
        await scene.store.updateServing(scene.node.nodeId, serving)
        const limitsOf = (key: string) => [{ limiterId, key }]
        const key: StartKey = rule === 'debounce' ? { rule, key: 'k', mostMs: null } : { rule, key: 'k' }
        for (const name of ['ann', 'bob']) await start(scene, [name], { limits: limitsOf(name) })
        await scene.node.claim(9)
        await start(scene, ['amended'], { limits: limitsOf('ann'), key })
        const waitsBy = async () => {
          const reason = (await scene.store.findRun('amended'))?.reason
          return reason?.kind === 'limiter' ? reason.key : reason?.kind
        }
        const before = await waitsBy()
        await start(scene, ['later'], { limits: limitsOf('bob'), key, input: 'j2' })
        same([before, await waitsBy(), await slots(scene)], ['ann', 'bob', [['limiter-1', 2, 1]]])
        await start(scene, ['last'], { limits: limitsOf('cid'), key, input: 'j3' })
        same(await claim(scene, {}), ['amended'])
      },
    ]),
  ),

  'takes the key of the new input also where the run is not ready yet': async (scene) => {
    const { limiterId } = await limiterOf(scene, { concurrency: 1 })
    const key: StartKey = { rule: 'debounce', key: 'k', mostMs: null }
    await start(scene, ['holder'], { limits: [{ limiterId, key: 'bob' }] })
    await scene.node.claim(9)
    const dueAt = startMs + 10
    await start(scene, ['amended'], { limits: [{ limiterId, key: 'ann' }], key, dueAt })
    await start(scene, ['later'], { limits: [{ limiterId, key: 'bob' }], key, dueAt })
    await scene.clock.advance(10)
    await scene.store.wakeRuns(9)
    same(await claim(scene, {}), [])
  },

  'tells that a run could pass that nobody is free for': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 2 })]
    await start(scene, ['a', 'b', 'c'], { limits })
    const claimed: unknown[] = []
    for (const begins of [0, 1, 1, 1]) {
      const answer = await scene.node.commit({ claims: [scene.claimRequest({ want: 9, begins })] })
      claimed.push([answer.claimed[0]?.length, answer.heldBack])
    }
    same(claimed, [
      [0, [true]],
      [1, [true]],
      [1, [false]],
      [0, [false]],
    ])
  },

  'gives the turn of the oldest to an older run that passes no limiter': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 9 })]
    await start(scene, ['old'], { priority: -1 })
    await start(scene, ['young'], { limits })
    same(await claim(scene, { want: 1, taken: 7 }), ['old'])
    same(await claim(scene, { want: 1, taken: 7 }), ['young'])
  },

  'gives it to an older run that passes one, whatever its priority': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 9 })]
    await start(scene, ['old'], { limits, priority: -1 })
    await start(scene, ['young'])
    same(await claim(scene, { want: 1, taken: 7 }), ['old'])
  },

  'lets the oldest of a line pass first each eighth time, whatever its priority': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 1 })]
    await start(scene, ['old'], { limits, priority: -1 })
    await start(scene, ['less old'], { limits, priority: -2 })
    const urgent = names('urgent', 20)
    await start(scene, urgent, { limits, priority: 9 })
    const order: string[] = []
    for (let n = 0; n < 17; n++) order.push(...(await claim(scene, {})))
    same(order, [...urgent.slice(0, 7), 'old', ...urgent.slice(7, 14), 'less old', ...urgent.slice(14, 15)])
  },

  ...Object.fromEntries(
    [1, 2, 3, 4].map((seed): [string, Cases[string]] => [
      `starves nobody, with limits and without, under a flood of what is urgent (seed ${seed})`,
      (scene) => starvesNobody(scene, seed),
    ]),
  ),
}

/** Old runs of all kinds wait beneath a flood that never ends: each has passed within a bound of slots that their number alone gives. */
async function starvesNobody(scene: Scene, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const below = (most: number): number => Math.floor(random() * most)
  const { limiterId } = await limiterOf(scene, { concurrency: 1 + below(3), total: 2 + below(6) })
  const limitsOf = () => (below(2) === 0 ? null : [{ limiterId, key: `k${below(3)}` }])
  const waiting = new Set(names('old', 20))
  for (const id of waiting) await start(scene, [id], { limits: limitsOf(), priority: -below(3) })
  let taken = below(8)
  const wants = 1 + below(9)
  const mostSlots = 8 * 8 * 20
  const first = taken
  for (let n = 0; waiting.size > 0; n++) {
    const flood = Array.from({ length: wants + 4 }, (_, at) => `urgent ${n}-${at}`)
    for (const id of flood) await start(scene, [id], { limits: limitsOf(), priority: 50 + below(50) })
    const claimed = await claim(scene, { taken, want: wants })
    for (const id of claimed) waiting.delete(id)
    assert.ok(claimed.length > 0, `seed ${seed}: nothing was claimed`)
    taken += claimed.length
    assert.ok(taken - first < mostSlots, `seed ${seed}: ${[...waiting].join(', ')} still wait after ${taken} slots`)
  }
}

const names = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name} ${n + 1}`)

async function start(scene: Scene, ids: readonly string[], values: Parameters<Scene['start']>[0] = {}): Promise<void> {
  await scene.client.commit({ starts: ids.map((id) => scene.startRecord({ ...values, id })) })
}

/** Claims and ends runs; tells their ids. */
async function claim(scene: Scene, values: Parameters<Scene['claimRequest']>[0]): Promise<string[]> {
  const { claimed } = await scene.node.commit({ claims: [scene.claimRequest({ want: 9, ...values })] })
  const runs = claimed[0] ?? []
  await scene.node.commit({ settles: runs.map(({ held }) => settle(held)) })
  return runs.map(({ id }) => id)
}

/** Lets so many nodes die, one after the other, over what is ready. */
async function die(scene: Scene, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const node = await scene.addNode()
    await node.claim(9)
    await scene.store.rescueNodes([{ nodeId: node.nodeId, isProved: true }], fate)
  }
}
