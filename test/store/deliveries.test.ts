// How often a run killed its process in a row: a step that was saved in between starts the count anew, however its activation ended.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Held } from '../../src/store/store.ts'
import { attempt, park, Scene, startMs, step, type Peer } from '../../src/testing/conformance/scene.ts'

type Part = Parameters<Peer['commit']>[0]

const fate = { maxDeliveries: 9, value: '{"name":"TroupeError","code":"run_lost"}' }
let scene: Scene

beforeEach(async () => {
  let isOpen = false
  scene = await Scene.open({
    connect: async (clock) => {
      if (isOpen) return undefined
      isOpen = true
      return openSqlite({ path: ':memory:', synchronous: 'normal', clock })
    },
    remove: async () => undefined,
  })
})

afterEach(() => scene.close())

/** The ways in which an activation ends and its run goes on. */
const ends: Readonly<Record<string, (node: Peer, held: Held, part: Part) => Promise<unknown>>> = {
  'given back': (node, held, part) => node.commit({ ...part, releases: [held] }),
  parked: (node, held, part) => node.commit({ ...part, parks: [park(held, startMs)] }),
  'tried again': (node, held, part) =>
    node.commit({ ...part, attempts: [attempt(held, '', 1)], retries: [{ held, attempt: 2, dueAt: startMs }] }),
  'given back in another generation': (node, held, part) => {
    const steps = [...(part.steps ?? []), step(held, 'failed', { seq: 2, isError: true, value: '{}' })]
    const retries = [{ held, attempt: 2, dueAt: startMs }]
    return node.commit({ steps: part.steps === undefined ? [] : steps, attempts: [attempt(held, '', 1)], retries })
  },
  'left by its node': async (node, _held, part) => {
    await node.commit(part)
    await node.store.deleteNode(node.nodeId)
  },
  'not held by its node': async (node, _held, part) => {
    await node.commit(part)
    await node.store.releaseUnheld(node.nodeId, () => false)
  },
}

describe.each(Object.entries(ends))('a run that is %s', (_how, end) => {
  it('after it saved a step counts anew', async () => {
    expect(await deliveriesAfter(end, (held) => ({ steps: [step(held, 'saved')] }))).toBe(0)
  })

  it('without a step saved is as often delivered as before', async () => {
    expect(await deliveriesAfter(end, () => ({}))).toBe(2)
  })
})

/** Two processes die over a run, a third one performs it without harm. */
async function deliveriesAfter(end: (typeof ends)[string], part: (held: Held) => Part): Promise<number | undefined> {
  const id = await scene.start()
  for (let death = 1; death <= 2; death++) {
    const node = await scene.addNode()
    const { held } = await node.claimOne()
    // A step of an earlier activation says nothing about a later one.
    if (death === 1) await node.commit({ steps: [step(held, 'early')] })
    await scene.store.rescueNodes([{ nodeId: node.nodeId, isProved: true }], fate)
  }
  const node = await scene.addNode()
  const { held } = await node.claimOne()
  await end(node, held, part(held))
  return (await scene.store.findRun(id))?.deliveries
}
