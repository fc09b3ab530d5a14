// What limits cost when many wait: as many statements for each run, each by its index, however many wait and of however many keys.
import { expect, it, vi } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { unbounded, type Bounds } from '../../src/model/limiter.ts'
import { Connection } from '../../src/store/sqlite/connection/connection.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { Scene, settle } from '../../src/testing/conformance/scene.ts'

const claims = 20
const each = 10

/** Calls, and tells how many statements that asked of the store. */
async function statementsOf(work: () => Promise<void>): Promise<number> {
  const spies = (['run', 'get', 'has', 'all', 'allPacked'] as const).map((verb) => vi.spyOn(Connection.prototype, verb))
  await work()
  const count = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0)
  for (const spy of spies) spy.mockRestore()
  return count
}

async function onScene(work: (scene: Scene) => Promise<number>): Promise<number> {
  const opened = await openSqlite({ path: ':memory:', synchronous: 'normal', clock: systemClock })
  const scene = await Scene.open({ connect: async () => opened, remove: async () => undefined })
  try {
    return await work(scene)
  } finally {
    await scene.close()
  }
}

function statementsToClaim(waiting: number, keys: number, bounds: Partial<Bounds>): Promise<number> {
  return onScene(async (scene) => {
    const limiterId = await scene.store.internLimiter('l', { ...unbounded, ...bounds })
    for (let n = 0; n < waiting; n += 500) {
      const limitsOf = (at: number) => [{ limiterId, key: `key ${at % keys}` }]
      const starts = Array.from({ length: 500 }, (_, at) => scene.startRecord({ limits: limitsOf(n + at) }))
      await scene.client.commit({ starts })
    }
    return statementsOf(async () => {
      for (let n = 0; n < claims; n++) {
        const claimed = await scene.node.claim(each)
        expect(claimed.length).toBe(each)
        await scene.node.commit({ settles: claimed.map(({ held }) => settle(held)) })
      }
    })
  })
}

it.each<[string, Partial<Bounds>]>([
  ['a bound of each key', { concurrency: 1 }],
  ['a bound of all keys', { concurrency: 1, total: each }],
  ['a rate', { rate: { limit: 1_000, perMs: 1, burst: 1_000 } }],
])('claims a run by as many statements when 20,000 of 4,000 keys wait as when 500 of 100 do: %s', async (_, bounds) => {
  const few = await statementsToClaim(500, 100, bounds)
  const many = await statementsToClaim(20_000, 4_000, bounds)
  expect(Math.abs(many - few) / (claims * each)).toBeLessThan(0.5)
  expect(many / (claims * each)).toBeLessThan(30)
})

it('lets what is no run pass by as many statements when 5,000 of them wait as when 50 do', async () => {
  const toPass = (waiting: number): Promise<number> =>
    onScene(async (scene) => {
      const limiterId = await scene.store.internLimiter('l', { ...unbounded, concurrency: 1 })
      const { nodeId } = scene.node
      const nothing = { enters: [], holds: 0, leaves: [], yields: false }
      const enters = Array.from({ length: waiting }, () => ({ uses: [{ limiterId, key: '' }], step: null }))
      let { passed } = await scene.store.passLimiters(nodeId, { ...nothing, enters })
      return statementsOf(async () => {
        for (let n = 0; n < claims; n++) {
          const leaves = passed
          passed = (await scene.store.passLimiters(nodeId, { ...nothing, leaves })).passed
          expect(passed.length).toBe(1)
        }
      })
    })
  expect(await toPass(5_000)).toBe(await toPass(50))
})
