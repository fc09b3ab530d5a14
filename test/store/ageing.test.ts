// Nothing starves: whatever is started and claimed, each run has its turn in good time.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { Scene, settle } from '../../src/testing/conformance/scene.ts'

const starts = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 12 })
const turns = fc.array(fc.record({ priorities: starts, want: fc.integer({ min: 0, max: 10 }) }), { maxLength: 40 })

it('a run that finds n others waiting is claimed with one of the next 8 (n + 1), whatever comes after it', async () => {
  await fc.assert(
    fc.asyncProperty(turns, async (rounds) => {
      const scene = await Scene.open({
        connect: (clock) => openSqlite({ path: ':memory:', synchronous: 'normal', clock }),
        remove: async () => undefined,
      })
      const latest = new Map<string, number>()
      let taken = 0
      for (const { priorities, want } of rounds) {
        const records = priorities.map((priority) => scene.startRecord({ priority }))
        for (const { id } of records) latest.set(id, taken + 8 * (latest.size + 1))
        await scene.client.commit({ starts: records })
        const { claimed } = await scene.node.commit({ claims: [scene.claimRequest({ taken, want })] })
        const runs = claimed[0] ?? []
        await scene.node.commit({ settles: runs.map(({ held }) => settle(held)) })
        for (const { id } of runs) latest.delete(id)
        taken += runs.length
        for (const [id, at] of latest) expect(`${id}: ${at > taken}`).toBe(`${id}: true`)
      }
      await scene.close()
    }),
    { numRuns: 40 },
  )
})
