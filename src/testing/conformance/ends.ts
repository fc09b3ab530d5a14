// How runs end: when they began stays known, and each is counted once, whoever ended it.
import assert from 'node:assert/strict'
import type { Claimed, Held, SettleRecord } from '../../store/store.ts'
import type { EndedRuns } from '../../store/views.ts'
import { cancel, errorValue, park, same, settle, startMs, type Cases, type Scene } from './scene.ts'

const laterMs = startMs + 60_000

/** Every way to end, of a run that was claimed at the start of the scene; 40 ms later, but for expiry. */
const ways: Readonly<Record<string, { readonly ends: End; readonly counts: Partial<EndedRuns> }>> = {
  'that succeeds': { ends: settles(), counts: { outcome: 'succeeded' } },
  'that fails': { ends: settles({ outcome: 'failed', code: 'permanent' }), counts: { outcome: 'failed' } },
  'that fails without a code': { ends: settles({ outcome: 'failed' }), counts: { outcome: 'failed' } },
  'that times out': {
    ends: settles({ outcome: 'failed', code: 'timed_out' }),
    counts: { outcome: 'failed', isTimeout: true },
  },
  'that obeys a cancel': {
    ends: settles({ outcome: 'cancelled', code: 'run_cancelled' }),
    counts: { outcome: 'cancelled' },
  },
  'that is cancelled while it is parked': {
    ends: cancelsAfter(({ node }, held) => node.commit({ parks: [park(held, laterMs)] })),
    counts: { outcome: 'cancelled' },
  },
  'that is cancelled while it backs off': {
    ends: cancelsAfter(({ node }, held) => node.commit({ retries: [{ held, attempt: 2, dueAt: laterMs }] })),
    counts: { outcome: 'cancelled' },
  },
  'that is cancelled after it was given back': {
    ends: cancelsAfter(({ node }, held) => node.commit({ releases: [held] })),
    counts: { outcome: 'cancelled' },
  },
  'whose time is up after it was given back': {
    ends: async ({ node, store, clock }, { held }) => {
      await node.commit({ releases: [held] })
      await clock.advance(60_000)
      await store.expireRuns(9, () => errorValue('timed_out'))
    },
    counts: { outcome: 'failed', isTimeout: true, totalMs: 60_000, lastAt: laterMs, lastMs: 60_000 },
  },
  'that killed its process too often': {
    ends: async ({ node, store, clock }) => {
      await clock.advance(40)
      const fate = { maxDeliveries: 1, value: errorValue('run_lost') }
      await store.rescueNodes([{ nodeId: node.nodeId, isProved: true }], fate)
    },
    counts: { outcome: 'failed' },
  },
}

export const endCases: Cases = {
  ...Object.fromEntries(
    Object.entries(ways).map(([which, { ends, counts }]) => [
      `tells of a run ${which} when it began, and counts it`,
      (scene: Scene) => endsOnce(scene, ends, counts),
    ]),
  ),

  'tells of a run that ended before it began that it never did, and that it took no time': async (scene) => {
    const [cancelled, expired] = [await scene.start(), await scene.start({ deadlineAt: startMs + 7 })]
    await scene.clock.advance(7)
    await scene.client.commit({ cancels: [cancel(cancelled)] })
    await scene.store.expireRuns(9, () => errorValue('timed_out'))
    const rows = await Promise.all([cancelled, expired].map((id) => scene.store.findRun(id)))
    same(
      rows.map((row) => [row?.state, row?.startedAt, row?.finishedAt]),
      [
        ['cancelled', null, startMs + 7],
        ['failed', null, startMs + 7],
      ],
    )
    const counts = await scene.store.countEnded('resize')
    same(
      counts.map(({ outcome, totalMs, lastAt, lastMs }) => [outcome, totalMs, lastAt, lastMs]),
      [
        ['cancelled', 0, startMs + 7, 0],
        ['failed', 0, startMs + 7, 0],
      ],
    )
  },

  'says of a run whose time was up what it is and how long it was given': async (scene) => {
    await scene.clock.advance(3)
    const id = await scene.start({ deadlineAt: startMs + 60_003 })
    await scene.clock.advance(60_000)
    const asked: unknown[] = []
    const ids = await scene.store.expireRuns(9, (run) => {
      asked.push({ ...run })
      return errorValue('timed_out')
    })
    same([ids, asked], [[{ id, isAwaited: false }], [{ name: 'resize', timeoutMs: 60_000, isUnbegun: false }]])
    same(await scene.store.findFinished(id), { outcome: 'failed', value: errorValue('timed_out') })
  },

  'counts nothing for a name that nobody has heard of, or that nothing ended of': async (scene) => {
    await scene.startAndClaim()
    same(await scene.store.countEnded('resize'), [])
    same(await scene.store.countEnded('none'), [])
  },

  'adds up what ends in one batch and in several, and knows the last': async (scene) => {
    const runs = [await scene.startAndClaim(), await scene.startAndClaim(), await scene.startAndClaim()]
    const other = await scene.store.internDefinition('crop', '1')
    await scene.start({ definitionId: other })
    const claims = [scene.claimRequest({ definitionIds: [other] })]
    const crop = (await scene.node.commit({ claims })).claimed[0]?.[0]
    assert.ok(crop !== undefined)
    await scene.clock.advance(10)
    await endAll(scene, runs.slice(0, 2).concat(crop))
    await scene.clock.advance(20)
    await endAll(scene, runs.slice(2))
    const counted = { outcome: 'succeeded', isTimeout: false }
    same(await scene.store.countEnded('resize'), [
      { ...counted, runs: 3, totalMs: 50, lastAt: startMs + 30, lastMs: 30 },
    ])
    same(await scene.store.countEnded('crop'), [{ ...counted, runs: 1, totalMs: 10, lastAt: startMs + 10, lastMs: 10 }])
  },

  'adds up all versions of a name': async (scene) => {
    const next = await scene.store.internDefinition('resize', '2')
    const definitionIds = [scene.definitionId, next]
    for (const [definitionId, takesMs] of [
      [scene.definitionId, 5],
      [next, 70],
      [scene.definitionId, 900],
      [next, 30],
    ] as const) {
      await scene.start({ definitionId })
      const { claimed } = await scene.node.commit({ claims: [scene.claimRequest({ definitionIds })] })
      await scene.clock.advance(takesMs)
      await endAll(scene, claimed[0] ?? [])
    }
    same(await scene.store.countEnded('resize'), [
      { outcome: 'succeeded', isTimeout: false, runs: 4, totalMs: 1_005, lastAt: startMs + 1_005, lastMs: 30 },
    ])
  },

  'counts what several nodes end, each on its connection': async (scene) => {
    const second = await scene.addNode()
    await scene.start()
    await scene.start()
    const [mine, theirs] = [await scene.node.claimOne(), await second.claimOne()]
    await Promise.all([endAll(scene, [mine]), second.commit({ settles: [settle(theirs.held)] })])
    same(
      (await second.store.countEnded('resize')).map(({ runs }) => runs),
      [2],
    )
  },

  'counts no run twice whose batch is issued twice, and none that was lost or refused': async (scene) => {
    const { held } = await scene.startAndClaim()
    const lost = { ...held, epoch: held.epoch + 1 }
    const batch = scene.node.batch({ settles: [settle(held), settle(lost)] })
    await scene.store.commit(batch)
    await scene.store.commit(batch)
    const bad = await scene.startAndClaim()
    const twice = { held: bad.held, n: 1, value: 'j1' }
    await assert.rejects(scene.node.commit({ settles: [settle(bad.held)], emits: [twice, twice] }))
    same(
      (await scene.store.countEnded('resize')).map(({ runs }) => runs),
      [1],
    )
  },
}

type End = (scene: Scene, run: Claimed) => Promise<unknown>

function settles(values: Partial<SettleRecord> = {}): End {
  return async ({ node, clock }, { held }) => {
    await clock.advance(40)
    await node.commit({ settles: [{ ...settle(held), ...values }] })
  }
}

function cancelsAfter(setAside: (scene: Scene, held: Held) => Promise<unknown>): End {
  return async (scene, { id, held }) => {
    await setAside(scene, held)
    await scene.clock.advance(40)
    same((await scene.client.commit({ cancels: [cancel(id)] })).cancels, ['cancelled'])
  }
}

async function endsOnce(scene: Scene, ends: End, counts: Partial<EndedRuns>): Promise<void> {
  const run = await scene.startAndClaim({ deadlineAt: laterMs })
  await ends(scene, run)
  const expected = { isTimeout: false, runs: 1, totalMs: 40, lastAt: startMs + 40, lastMs: 40, ...counts }
  const row = await scene.store.findRun(run.id)
  same([row?.state, row?.startedAt, row?.finishedAt], [expected.outcome, startMs, expected.lastAt])
  same(await scene.store.countEnded('resize'), [expected])
}

async function endAll({ node }: Scene, runs: readonly Claimed[]): Promise<void> {
  await node.commit({ settles: runs.map(({ held }) => settle(held)) })
}
