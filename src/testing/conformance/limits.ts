// Limiters: never one over, all or none, freed by every way out, in fair turns and at an even pace.
import assert from 'node:assert/strict'
import { unbounded, type Bounds } from '../../model/limiter.ts'
import type { Held } from '../../store/store.ts'
import { errorValue, cancel, park, same, settle, startMs, type Cases, type Peer, type Scene } from './scene.ts'

export const limitCases: Cases = {
  'claims no more than may run at once, and the next when one has ended': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 2 })]
    const ids = [await scene.start({ limits }), await scene.start({ limits }), await scene.start({ limits })]
    const [first, second] = await scene.node.claim(9)
    same([first?.id, second?.id], ids.slice(0, 2))
    same(await scene.node.claim(9), [])
    same(await (await scene.addNode()).claim(9), [])
    const { opensAt } = await scene.node.commit({ settles: [settle(first?.held as Held)] })
    assert.equal(opensAt, startMs)
    same(idsOf(await scene.node.claim(9)), ids.slice(2))
    same(await scene.node.claim(9), [])
  },

  'starts a run directly when it may pass and nobody is before it': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 1 })]
    const start = async (): Promise<Held | undefined> => {
      const { started } = await scene.node.commit({ starts: [scene.startRecord({ limits, directly: true })] })
      return started[0]?.held
    }
    const first = await start()
    assert.ok(first !== undefined)
    assert.equal(await start(), undefined)
    await scene.node.commit({ settles: [settle(first)] })
    assert.equal(await start(), undefined, 'the second is before it')
    assert.equal((await scene.node.claim(9)).length, 1)
  },

  ...waysOut(),
  ...waysInto(),

  'gives all of several limiters or none': async (scene) => {
    const [wide, narrow] = [await limiterOf(scene, { concurrency: 5 }), await limiterOf(scene, { concurrency: 1 })]
    const both = await scene.start({ limits: [wide, narrow] })
    const blocked = await scene.start({ limits: [wide, narrow] })
    const free = await scene.start({ limits: [wide] })
    same(idsOf(await scene.node.claim(9)), [both, free])
    same(await slots(scene), [
      ['limiter-1', 2, 0],
      ['limiter-2', 1, 1],
    ])
    assert.equal(await scene.stateOf(blocked), 'ready')
  },

  'comes to no standstill when runs want the same two in different orders': async (scene) => {
    const [one, two] = [await limiterOf(scene, { concurrency: 1 }), await limiterOf(scene, { concurrency: 1 })]
    for (let n = 0; n < 10; n++) await scene.start({ limits: n % 2 === 0 ? [one, two] : [two, one] })
    for (let n = 0; n < 10; n++) {
      const [claimed, ...others] = await scene.node.claim(9)
      assert.ok(claimed !== undefined && others.length === 0)
      await scene.node.commit({ settles: [settle(claimed.held)] })
    }
    same(await scene.node.claim(9), [])
  },

  'claims by priority and then by age within a key': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 1 })]
    const running = await scene.start({ limits })
    const [late, low, high] = [
      await scene.start({ limits, priority: 0 }),
      await scene.start({ limits, priority: -5 }),
      await scene.start({ limits, priority: 5 }),
    ]
    const order: string[] = []
    for (let n = 0; n < 4; n++) order.push(await runOne(scene))
    same(order, [high, running, late, low])
  },

  'bounds each key for itself': async (scene) => {
    const { limiterId } = await limiterOf(scene, { concurrency: 1 })
    const ids: string[] = []
    for (const key of ['a', 'a', 'b']) ids.push(await scene.start({ limits: [{ limiterId, key }] }))
    same(idsOf(await scene.node.claim(9)), [ids[0], ids[2]])
  },

  'serves 1,000 keys in turns': async (scene) => {
    const { limiterId } = await limiterOf(scene, { total: 10 })
    const keyOf = new Map<string, number>()
    for (let key = 0; key < 1_000; key++) {
      const limits = [{ limiterId, key: `tenant-${key}` }]
      const starts = Array.from({ length: 4 }, () => scene.startRecord({ limits }))
      for (const { id } of starts) keyOf.set(id, key)
      await scene.client.commit({ starts })
    }
    const served = new Map<number, number>()
    for (let round = 0; round < 200; round++) {
      const claimed = await scene.node.claim(50)
      assert.equal(claimed.length, 10)
      for (const { id } of claimed) served.set(keyOf.get(id) ?? -1, (served.get(keyOf.get(id) ?? -1) ?? 0) + 1)
      await scene.node.commit({ settles: claimed.map(({ held }) => settle(held)) })
    }
    same([...new Set(served.values())], [2])
    assert.equal(served.size, 1_000)
  },

  'lets pass at the pace of its rate, and together what came during a pause': async (scene) => {
    const limits = [await limiterOf(scene, { rate: { limit: 10, perMs: 1_000, burst: 3 } })]
    for (let n = 0; n < 9; n++) await scene.start({ limits })
    const passes: number[] = []
    for (let ms = 0; ms < 500; ms += 10) {
      const { woken } = await scene.store.wakeRuns(10)
      const claimed = await scene.node.claim(9)
      if (ms > 0 && claimed.length > 0) assert.equal(woken, 1)
      passes.push(...claimed.map(() => ms))
      await scene.clock.advance(10)
    }
    same(passes, [0, 0, 0, 100, 200, 300, 400])
  },

  'tells when the next may pass': async (scene) => {
    const limits = [await limiterOf(scene, { rate: { limit: 1, perMs: 400, burst: 1 } })]
    await scene.start({ limits })
    await scene.start({ limits })
    const { claimed, opensAt } = await scene.node.commit({ claims: [scene.claimRequest({ want: 9 })] })
    same([claimed[0]?.length, opensAt], [1, startMs + 400])
    same(await scene.store.wakeRuns(10), { woken: 0, nextDueAt: startMs + 400, nextScheduleAt: null })
  },

  'obeys what is changed live, and the code again when that is taken back': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 1 })]
    const ids: string[] = []
    for (let n = 0; n < 6; n++) ids.push(await scene.start({ limits }))
    assert.equal((await scene.node.claim(9)).length, 1)
    const listed = (await scene.store.listLimiters()).map(({ holders, waiters }) => [holders, waiters])
    same(listed, [[ids.slice(0, 1), ids.slice(1)]])
    await scene.store.setLiveBounds('limiter-1', { concurrency: 3 })
    assert.equal((await (await scene.addNode()).claim(9)).length, 2)
    await scene.store.internLimiter('limiter-1', { ...unbounded, concurrency: 9 })
    same(await scene.node.claim(9), [])
    await scene.store.setLiveBounds('limiter-1', { concurrency: null })
    assert.equal((await scene.node.claim(1)).length, 1)
    await scene.store.setLiveBounds('limiter-1', null)
    assert.equal((await scene.node.claim(9)).length, 2)
    const bounds = { ...unbounded, concurrency: 9 }
    const used = { slots: 6, waiting: 0, holders: ids, waiters: [] }
    same(await scene.store.listLimiters(), [{ name: 'limiter-1', bounds, isLive: false, ...used }])
  },

  'passes over the lines of paused queues and of unknown definitions': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 1 })]
    const [other, unknown] = [await scene.store.internQueue('other'), await scene.store.internDefinition('crop', '1')]
    await scene.start({ limits, queueId: other })
    await scene.start({ limits, definitionId: unknown })
    const id = await scene.start({ limits })
    await scene.store.pauseQueue(other)
    const claim = scene.claimRequest({ queueIds: [other, scene.queueId], want: 9 })
    const { claimed } = await scene.node.commit({ claims: [claim] })
    same(idsOf(claimed[0] ?? []), [id])
  },

  'mixes with runs that pass no limiter, by priority and age': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 9 })]
    const ids = [
      await scene.start({ limits, priority: 1 }),
      await scene.start(),
      await scene.start({ limits }),
      await scene.start({ priority: 1 }),
    ]
    same(idsOf(await scene.node.claim(9)), [ids[0], ids[3], ids[1], ids[2]])
  },

  'says which limiter holds a run up, and who has the slots': async (scene) => {
    const { limiterId } = await limiterOf(scene, { concurrency: 1 })
    const serving = { queueIds: [scene.queueId], definitionIds: [scene.definitionId] }
    await scene.store.updateServing(scene.node.nodeId, serving)
    const limits = [{ limiterId, key: 'ann' }]
    const holder = await scene.start({ limits })
    const waiting = await scene.start({ limits })
    const reason = async () => (await scene.store.findRun(waiting))?.reason
    const limiter = { kind: 'limiter', limiter: 'limiter-1', key: 'ann', step: undefined } as const
    same(await reason(), { ...limiter, bound: 'turn', holders: [] })
    await scene.node.claim(9)
    same(await reason(), { ...limiter, bound: 'concurrency', holders: [holder] })
    await scene.store.setLiveBounds('limiter-1', { concurrency: null, total: 1 })
    same(await reason(), { ...limiter, bound: 'total', holders: [holder] })
    await scene.store.setLiveBounds('limiter-1', { concurrency: 9, rate: { limit: 1, perMs: 1_000, burst: 1 } })
    await scene.node.claim(9)
    const last = await scene.start({ limits })
    same((await scene.store.findRun(last))?.reason, { ...limiter, bound: 'rate', holders: [] })
  },

  'keeps its slots when a batch is issued again': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 1 })]
    await scene.start({ limits })
    await scene.start({ limits })
    const batch = scene.node.batch({ claims: [scene.claimRequest({ want: 9 })] })
    const once = await scene.store.commit(batch)
    const again = await scene.store.commit(batch)
    same(idsOf(again.claimed[0] ?? []), idsOf(once.claimed[0] ?? []))
    same(await slots(scene), [['limiter-1', 1, 1]])
  },

  'finds nothing to repair in a healthy store': async (scene) => {
    const limits = [await limiterOf(scene, { concurrency: 1 })]
    for (let n = 0; n < 3; n++) await scene.start({ limits })
    await scene.node.claim(9)
    assert.equal(await scene.repair(), 0)
  },

  ...Object.fromEntries(
    [1, 2, 3].map((seed) => [`is never one over, whatever happens (${seed})`, (scene: Scene) => randomly(scene, seed)]),
  ),
}

type Exit = (scene: Scene, run: { held: Held; id: string }) => Promise<unknown>

/** However a run leaves its node, the next may pass. */
function waysOut(): Cases {
  const exits: Readonly<Record<string, Exit>> = {
    settles: ({ node }, { held }) => node.commit({ settles: [settle(held)] }),
    retries: ({ node }, { held }) => node.commit({ retries: [{ held, attempt: 2, dueAt: startMs + 60_000 }] }),
    parks: ({ node }, { held }) => node.commit({ parks: [park(held, startMs + 60_000)] }),
    'is given back': ({ node }, { held }) => node.commit({ releases: [held] }),
    'is given back unheld': ({ store, node }) => store.releaseUnheld(node.nodeId, () => false),
    'loses its node': async ({ store, node }) => {
      const fate = { maxDeliveries: 4, value: errorValue('run_lost') }
      return store.rescueNodes([{ nodeId: node.nodeId, isProved: true }], fate)
    },
    'fails with its node': async ({ store, node }) => {
      const fate = { maxDeliveries: 1, value: errorValue('run_lost') }
      return store.rescueNodes([{ nodeId: node.nodeId, isProved: true }], fate)
    },
    'outlives its node': ({ store, node }) => store.deleteNode(node.nodeId),
  }
  const cases = Object.entries(exits).map(([name, exit]): [string, Cases[string]] => [
    `frees the slot of a run that ${name}`,
    async (scene) => {
      const limits = [await limiterOf(scene, { concurrency: 1 })]
      const other = await scene.addNode()
      const run = await scene.startAndClaim({ limits })
      const next = await scene.start({ limits, priority: 9 })
      await exit(scene, run)
      same(idsOf(await other.claim(9)), [next])
    },
  ])
  return Object.fromEntries(cases)
}

function waysInto(): Cases {
  return Object.fromEntries([
    [
      'takes a run that is cancelled or expires out of its line',
      async (scene: Scene) => {
        const limits = [await limiterOf(scene, { concurrency: 1 })]
        const { held } = await scene.startAndClaim({ limits })
        const cancelled = await scene.start({ limits })
        await scene.start({ limits, deadlineAt: startMs + 5 })
        const last = await scene.start({ limits })
        await scene.client.commit({ cancels: [cancel(cancelled)] })
        await scene.clock.advance(5)
        await scene.store.expireRuns(9, () => errorValue('timed_out'))
        same(await slots(scene), [['limiter-1', 1, 1]])
        await scene.node.commit({ settles: [settle(held)] })
        same(idsOf(await scene.node.claim(9)), [last])
      },
    ],
    [
      'lines a run up that is tried again in its next generation',
      async (scene: Scene) => {
        const limits = [await limiterOf(scene, { concurrency: 1 })]
        const failed = await scene.startAndClaim({ limits })
        await scene.node.commit({ settles: [settle(failed.held, 'failed')] })
        const { held } = await scene.startAndClaim({ limits })
        await scene.store.operating.reopenRuns([failed.id], undefined)
        same(await scene.node.claim(9), [])
        await scene.node.commit({ settles: [settle(held)] })
        same(idsOf(await scene.node.claim(9)), [failed.id])
      },
    ],
    [
      'lines a run up once it is due',
      async (scene: Scene) => {
        const limits = [await limiterOf(scene, { concurrency: 1 })]
        const id = await scene.start({ limits, dueAt: startMs + 50 })
        same(await scene.node.claim(9), [])
        await scene.clock.advance(50)
        await scene.store.wakeRuns(9)
        same(idsOf(await scene.node.claim(9)), [id])
        assert.equal(await scene.repair(), 0)
      },
    ],
  ])
}

/** Random operations of two nodes; after each the bounds hold, and at the end everything has run. */
async function randomly(scene: Scene, seed: number): Promise<void> {
  const random = dice(seed)
  const bounds: Partial<Bounds>[] = [{ concurrency: 2 }, { concurrency: 2, total: 3 }]
  const limiters = [await limiterOf(scene, bounds[0] ?? {}), await limiterOf(scene, bounds[1] ?? {})]
  const usesOf = (): { limiterId: number; key: string }[] => {
    const chosen = limiters.filter(() => random(2) === 0)
    return (chosen.length === 0 ? limiters : chosen).map(({ limiterId }) => ({ limiterId, key: `k${random(3)}` }))
  }
  const nodes = [scene.node, await scene.addNode()]
  const running: { peer: Peer; held: Held; uses: readonly { limiterId: number; key: string }[] }[] = []
  const uses = new Map<string, readonly { limiterId: number; key: string }[]>()
  let ended = 0
  const check = (): void => {
    for (const [index, { limiterId }] of limiters.entries()) {
      const keys = running.flatMap((run) => run.uses.filter((use) => use.limiterId === limiterId).map(({ key }) => key))
      const { concurrency = null, total = null } = bounds[index] ?? {}
      if (total !== null) assert.ok(keys.length <= total)
      for (const key of keys) assert.ok(keys.filter((one) => one === key).length <= (concurrency ?? 0))
    }
  }
  const act = async (isEnding: boolean): Promise<void> => {
    const peer = nodes[random(2)] as Peer
    const kind = isEnding ? 2 + random(2) : random(5)
    if (kind < 2) {
      const record = scene.startRecord({ limits: usesOf(), priority: random(3), directly: random(2) === 0 })
      uses.set(record.id, record.limits ?? [])
      const { started } = await peer.commit({ starts: [record] })
      const held = started[0]?.held
      if (held !== undefined) running.push({ peer, held, uses: record.limits ?? [] })
    } else if (kind === 2) {
      for (const { id, held } of await peer.claim(1 + random(3))) running.push({ peer, held, uses: uses.get(id) ?? [] })
    } else {
      const run = running.splice(random(Math.max(1, running.length)), 1)[0]
      if (run === undefined) return
      const { peer: of, held } = run
      if (random(4) === 0) await of.commit({ releases: [held] })
      else {
        await of.commit({ settles: [settle(held)] })
        ended++
      }
    }
    check()
  }
  for (let n = 0; n < 300; n++) await act(false)
  assert.equal(await scene.repair(), 0)
  for (let n = 0; n < 5_000 && ended < uses.size; n++) await act(true)
  assert.equal(ended, uses.size)
  same(
    (await scene.store.listLimiters()).map(({ slots: taken, waiting }) => [taken, waiting]),
    [
      [0, 0],
      [0, 0],
    ],
  )
}

/** A small generator of numbers below a bound, the same for a seed. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export async function limiterOf(scene: Scene, bounds: Partial<Bounds>): Promise<{ limiterId: number; key: string }> {
  const name = `limiter-${(await scene.store.listLimiters()).length + 1}`
  return { limiterId: await scene.store.internLimiter(name, { ...unbounded, ...bounds }), key: '' }
}

async function runOne(scene: Scene): Promise<string> {
  const { id, held } = await scene.node.claimOne()
  await scene.node.commit({ settles: [settle(held)] })
  return id
}

export async function slots(scene: Scene): Promise<[string, number, number][]> {
  return (await scene.store.listLimiters()).map(({ name, slots: taken, waiting }) => [name, taken, waiting])
}

export function idsOf(runs: readonly { readonly id: string }[]): string[] {
  return runs.map(({ id }) => id)
}
