// The next generation: what has ended goes on as the same run, from what succeeded, and its old end stays to be read (I4, I11).
import assert from 'node:assert/strict'
import { generationMoves, type RunState } from '../../model/run.ts'
import type { Claimed, Held } from '../../store/store.ts'
import {
  attach,
  attempt,
  cancel,
  errorValue,
  park,
  same,
  settle,
  startMs,
  step,
  type Cases,
  type Scene,
} from './scene.ts'

const laterMs = startMs + 60_000

/** A run in every state there is. */
const states: Readonly<Record<RunState, (scene: Scene) => Promise<string>>> = {
  ready: (scene) => scene.start(),
  scheduled: (scene) => scene.start({ dueAt: laterMs }),
  running: async (scene) => (await scene.startAndClaim()).id,
  parked: (scene) => claimedAnd(scene, (held) => scene.node.commit({ parks: [park(held, laterMs)] })),
  succeeded: (scene) => claimedAnd(scene, (held) => scene.node.commit({ settles: [settle(held)] })),
  failed: (scene) => claimedAnd(scene, (held) => fail(scene, held)),
  cancelled: (scene) => claimedAnd(scene, (held) => scene.node.commit({ settles: [settle(held, 'cancelled')] })),
}

const mayGoOn: readonly RunState[] = generationMoves.again.from

export const generationCases: Cases = {
  ...Object.fromEntries(
    (Object.keys(states) as RunState[]).map((state) => [
      mayGoOn.includes(state)
        ? `takes up again a run that is ${state}`
        : `C22: refuses to take up a run that is ${state}`,
      (scene: Scene) => takesUp(scene, state),
    ]),
  ),

  'tells of a run that is not there, and changes the others': async (scene) => {
    const failed = await stateOfKind(scene, 'failed')
    same(await scene.store.operating.reopenRuns(['none', failed, failed], undefined), [
      'not_found',
      'reopened',
      'ready',
    ])
  },

  'remembers in the next generation what succeeded, and not what failed': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    const steps = [step(held, 'pay'), step(held, 'ship', { seq: 2, isError: true, value: '{}' })]
    await scene.node.commit({ steps, attempts: [attempt(held, 'ship', 1), attempt(held, '', 1)] })
    await fail(scene, held)
    const again = await takeUp(scene, id)
    same(
      again.steps.map(({ path, isError }) => [path, isError]),
      [['pay', false]],
    )
    same(again.failedAttempts, [])
    same([again.attempt, again.deliveries, again.held.generation], [1, 0, 2])
    assert.ok(again.held.epoch > held.epoch)
    same(
      (await scene.store.listSteps(id)).map(({ path }) => path),
      ['pay'],
    )
  },

  'counts attempts anew, also when a generation began by itself in between': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.node.commit({ attempts: [attempt(held, '', 1)], retries: [{ held, attempt: 2, dueAt: startMs }] })
    await scene.store.wakeRuns(1)
    await fail(scene, (await scene.node.claimOne()).held)
    const first = await takeUp(scene, id)
    const steps = [step(first.held, 'ship', { isError: true, value: '{}' })]
    const attempts = [{ ...attempt(first.held, '', 1), startedAt: startMs + 70 }]
    await scene.node.commit({ steps, attempts, retries: [{ held: first.held, attempt: 2, dueAt: startMs }] })
    await scene.store.wakeRuns(1)
    const second = await scene.node.claimOne()
    same([second.held.generation, second.attempt], [3, 2])
    same(second.failedAttempts, [{ path: '', failed: 1, firstStartedAt: startMs + 70 }])
  },

  'shows one run, as it is now, and its old end among its attempts': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.clock.advance(5)
    await fail(scene, held)
    same(await scene.store.listAttempts(id), [])
    await scene.clock.advance(5)
    const again = await takeUp(scene, id)
    assert.equal(await scene.store.findFinished(id), undefined)
    const rows = await scene.store.listRuns({ limit: 9 })
    same(
      rows.map((row) => [row.id, row.state, row.generation, row.startedAt, row.code]),
      [[id, 'running', 2, startMs + 10, null]],
    )
    await scene.node.commit({ settles: [settle(again.held)] })
    same((await scene.store.findRun(id))?.state, 'succeeded')
    same((await scene.store.listRuns({ limit: 9 })).length, 1)
    const value = errorValue('declined')
    same(await scene.store.listAttempts(id), [
      { path: '', generation: 1, attempt: 1, error: value, startedAt: startMs, finishedAt: startMs + 5 },
    ])
  },

  'is dead no more once it is tried again, and dead again when it fails again': async (scene) => {
    const id = await stateOfKind(scene, 'failed')
    const again = await takeUp(scene, id)
    same(await scene.store.listDead({ limit: 9 }), [])
    same(await scene.store.listRuns({ fingerprint: 'print', limit: 9 }), [])
    await fail(scene, again.held)
    same(
      (await scene.store.listDead({ limit: 9 })).map(({ runs, newest }) => [runs, newest]),
      [[1, id]],
    )
  },

  'is counted once, by its last end': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.clock.advance(40)
    await fail(scene, held)
    await scene.clock.advance(1_000)
    const again = await takeUp(scene, id)
    const counted = async () =>
      (await scene.store.countEnded('resize')).map(({ outcome, runs, totalMs }) => [outcome, runs, totalMs])
    same(await counted(), [['failed', 0, 0]])
    await scene.clock.advance(7)
    await scene.node.commit({ settles: [settle(again.held)] })
    same(await counted(), [
      ['failed', 0, 0],
      ['succeeded', 1, 7],
    ])
  },

  'keeps its key, its priority, its queue, its tags and what it kept': async (scene) => {
    const { id, held } = await scene.startAndClaim({ key: attach('order-7'), priority: 9, tags: '["shop"]' })
    await scene.node.commit({ states: [{ held, key: 'cursor', value: 'j7' }] })
    await fail(scene, held)
    await scene.start()
    const again = await takeUp(scene, id)
    same([again.id, again.states], [id, [{ key: 'cursor', value: 'j7' }]])
    const keyed = await scene.client.commit({ starts: [scene.startRecord({ key: attach('order-7') })] })
    same([keyed.started[0]?.id, keyed.started[0]?.isNew], [id, false])
    same((await scene.store.findRun(id))?.tags, '["shop"]')
  },

  'has as much time again as it was given': async (scene) => {
    const id = await scene.start({ deadlineAt: startMs + 100 })
    await scene.clock.advance(100)
    await scene.store.expireRuns(9, () => errorValue('timed_out'))
    await scene.clock.advance(1_000)
    same(await scene.store.operating.reopenRuns([id], undefined), ['reopened'])
    await scene.clock.advance(60)
    const given: unknown[] = []
    const expire = (): Promise<unknown> =>
      scene.store.expireRuns(9, ({ timeoutMs }) => {
        given.push(timeoutMs)
        return errorValue('timed_out')
      })
    same(await expire(), [])
    await scene.clock.advance(40)
    same([await expire(), given], [[{ id, isAwaited: false }], [100]])
    const again = await takeUp(scene, id)
    same([again.createdAt, again.deadlineAt], [startMs + 1_200, startMs + 1_300])
  },

  'I5: lets nobody write under a claim of the generation before': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await fail(scene, held)
    await scene.store.operating.reopenRuns([id], undefined)
    assert.equal(await scene.node.isTaken(held, { settles: [settle(held)] }), false)
    const again = await scene.node.claimOne()
    assert.equal(await scene.node.holds(held), false)
    assert.equal(await scene.node.holds(again.held), true)
  },

  'is not ended by a cancel that was asked of the generation before': async (scene) => {
    const { id, held } = await scene.startAndClaim()
    await scene.client.commit({ cancels: [cancel(id)] })
    await scene.node.commit({ settles: [settle(held, 'cancelled')] })
    await takeUp(scene, id)
    same((await scene.node.commit({})).cancelRequests, [])
  },

  'is taken up once when many ask at the same time': async (scene) => {
    const id = await stateOfKind(scene, 'failed')
    const stores = await Promise.all(Array.from({ length: 4 }, () => scene.connect()))
    const answers = await Promise.all(stores.map((on) => on.operating.reopenRuns([id], undefined)))
    same(answers.flat().toSorted(), ['ready', 'ready', 'ready', 'reopened'])
    same((await scene.store.findRun(id))?.generation, 2)
  },

  'keeps who did it, and only when it was done': async (scene) => {
    const id = await stateOfKind(scene, 'failed')
    const audit = { actor: 'ann', action: 'retry', target: id, details: '{}' }
    await scene.store.operating.reopenRuns([id], audit)
    await scene.store.operating.reopenRuns([id], { ...audit, actor: 'bob' })
    await scene.clock.advance(5)
    await scene.store.operating.recordAudit({ ...audit, actor: null, action: 'cancel' })
    const rows = await scene.store.operating.listAudit({ before: null, limit: 9 })
    same(
      rows.map(({ at, actor, action, target }) => [at, actor, action, target]),
      [
        [startMs + 5, null, 'cancel', id],
        [startMs, 'ann', 'retry', id],
      ],
    )
    same(
      (await scene.store.operating.listAudit({ before: rows[0]?.id ?? 0, limit: 1 })).map(({ actor }) => actor),
      ['ann'],
    )
  },

  'picks runs by what they are, page after page, and counts them': async (scene) => {
    const failed = [await stateOfKind(scene, 'failed'), await stateOfKind(scene, 'failed')]
    const cancelled = await stateOfKind(scene, 'cancelled')
    const waiting = await scene.start()
    const picked = async (filter: object): Promise<string[]> => {
      const ids: string[] = []
      for (let before: number | null = null; ;) {
        const [next] = await scene.store.operating.pickRuns(filter, { before, limit: 1 })
        if (next === undefined) break
        ids.push(next.id)
        before = next.runId
        assert.equal(next.name, 'resize')
      }
      assert.equal(await scene.store.operating.countRuns(filter), ids.length)
      return ids
    }
    same(await picked({}), [waiting, cancelled, ...failed.toReversed()])
    same(await picked({ fingerprint: 'print' }), failed.toReversed())
    same(await picked({ state: ['failed', 'cancelled'] }), [cancelled, ...failed.toReversed()])
    same(await picked({ state: ['ready', 'running'] }), [waiting])
    same(await picked({ state: ['ready', 'failed'] }), [waiting, ...failed.toReversed()])
    same(await picked({ name: 'crop' }), [])
  },
}

async function takesUp(scene: Scene, state: RunState): Promise<void> {
  const id = await stateOfKind(scene, state)
  const before = await scene.store.findRun(id)
  const [answer] = await scene.store.operating.reopenRuns([id], undefined)
  const after = await scene.store.findRun(id)
  if (!mayGoOn.includes(state)) {
    same([answer, after], [state, before])
    return
  }
  same([answer, after?.state, after?.generation, after?.value], ['reopened', generationMoves.again.to, 2, null])
  assert.equal((await scene.node.claimOne()).id, id)
}

async function stateOfKind(scene: Scene, state: RunState): Promise<string> {
  const id = await states[state](scene)
  assert.equal(await scene.stateOf(id), state)
  return id
}

async function claimedAnd(scene: Scene, end: (held: Held) => Promise<unknown>): Promise<string> {
  const { id, held } = await scene.startAndClaim()
  await end(held)
  return id
}

async function fail(scene: Scene, held: Held): Promise<void> {
  const end = { ...settle(held, 'failed'), code: 'declined', fingerprint: 'print', value: errorValue('declined') }
  await scene.node.commit({ settles: [end] })
}

/** Takes a run up again and claims it. */
async function takeUp(scene: Scene, id: string): Promise<Claimed> {
  same(await scene.store.operating.reopenRuns([id], undefined), ['reopened'])
  const claimed = await scene.node.claimOne()
  assert.equal(claimed.id, id)
  return claimed
}
